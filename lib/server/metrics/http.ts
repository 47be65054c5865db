/**
 * As much of HTTP/1.1 as one page needs. Neither `Deno.serve` nor, before Deno 2.9, `node:http` limits how many connections
 * there are and for how long.
 *
 * @module
 */
import type { Connection } from "../../net/connection.ts";

/** A head has at most so many lines, of so many bytes each. */
const MAX_LINES = 100;
const MAX_LINE_BYTES = 8_192;

/** What somebody asks for. */
export interface Request {
  method: string;
  /** Without what follows a question mark. */
  path: string;
}

/** What is answered. */
export interface Response {
  /** The code, and what it is called. */
  status: string;
  /** @default plain text */
  type?: string;
  text: string;
}

/**
 * Reads the head of a request.
 *
 * @returns undefined where it is none, or too long, or ends before
 */
export async function readRequest(
  connection: Pick<Connection, "batches" | "maxLineBytes">,
): Promise<Request | undefined> {
  connection.maxLineBytes = MAX_LINE_BYTES;
  const head: string[] = [];
  try {
    for await (const lines of connection.batches()) {
      for (const line of lines) {
        if (/^\r?$/.test(line)) return parseRequestLine(head[0] ?? "");
        head.push(line);
      }
      if (head.length > MAX_LINES) return undefined;
    }
  } catch {
    // It was no text.
  }
  return undefined;
}

function parseRequestLine(line: string): Request | undefined {
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.[01]\r?$/.exec(line) ?? [];
  if (method === undefined || target === undefined) return undefined;
  return { method, path: target.replace(/\?.*$/, "") };
}

/** The bytes of a response, but for the LF at the very end. The connection ends after it. */
export function encodeResponse(
  { method }: Request,
  { status, type = "text/plain; charset=utf-8", text }: Response,
): (string | Uint8Array)[] {
  const body = new TextEncoder().encode(text);
  const head = [
    `HTTP/1.1 ${status}`,
    `Content-Type: ${type}`,
    `Content-Length: ${body.length}`,
    "Connection: close",
    "\r",
  ].join("\r\n");
  return method === "HEAD" ? [head] : [`${head}\n`, body.subarray(0, -1)];
}
