import { formatTime } from "../accounts/credentials_line.ts";
import { legibleLine } from "../console/foreign.ts";
import { ExitCode, ExitError } from "../exit.ts";
import {
  formatEnd,
  formatNumbered,
  formatOperation,
  formatRestriction,
} from "../operator_lines.ts";
import { parseDuration } from "../protocol/durations.ts";
import { MAX_SERVER_LINE_BYTES } from "../protocol/limits.ts";
import { isObject } from "../protocol/shape.ts";
import type {
  Message,
  OperationRecord,
  RestrictionRecord,
  ServerRecords,
} from "../protocol/records.ts";
import { type Operation, OPERATIONS } from "../protocol/roles.ts";
import { reasonOf } from "../reasons.ts";
import { type CONTROL_LISTS, controlPath, type ControlRequest, readLine } from "./control.ts";
import type { ServerStatus, SessionStatus } from "./status.ts";
import { formatStatus } from "./status_lines.ts";

/** How long a server may take to answer, in milliseconds. */
const ANSWER_LIMIT_MS = 10_000;

/** What {@linkcode controlServer} is told. */
export interface ControlOptions {
  folder: string;
  /** Takes a line of the answer. */
  print: (line: string) => void;
  user?: string | undefined;
  address?: string | undefined;
  /** The number of a message. */
  message?: string | undefined;
  text?: string | undefined;
  /** A duration as `parseDuration()` takes it. */
  lasting?: string | undefined;
  count?: string | undefined;
  /** Whether the answer is printed as one line of JSON. */
  json: boolean;
}

/**
 * Asks the running server of a data folder for something, and prints its answer.
 *
 * @throws {ExitError} `refused`, where no server runs there, or it refuses that; `usage`, where a number or a
 *   duration is none
 */
export async function controlServer(
  command: ControlRequest["command"],
  { folder, print, user, address, message, text, lasting, count, json }: ControlOptions,
): Promise<void> {
  const request: ControlRequest = {
    command,
    ...user !== undefined && { user },
    ...address !== undefined && { address },
    ...message !== undefined && { message: messageOf(message) },
    ...text !== undefined && { text },
    ...lasting !== undefined && { seconds: secondsOf(lasting) },
    ...count !== undefined && { count: countOf(count) },
  };
  const answer = await ask(folder, request);
  if (typeof answer["error"] === "string") throw refused(legibleLine(answer["error"]));
  if (json) return print(JSON.stringify(answer["done"]));
  for (const line of format(command, answer["done"])) print(line);
}

async function ask(folder: string, request: ControlRequest): Promise<Record<string, unknown>> {
  if (Deno.build.os === "windows") {
    throw refused("control is not to be had on Windows: an operator does the same in the chat");
  }
  const answer = await exchange(folder, request).catch((error) => {
    throw refused(
      `no server that runs in ${JSON.stringify(folder)} can be asked: ${whyNot(error)}`,
    );
  });
  try {
    const value = JSON.parse(answer ?? "");
    if (isObject(value)) return value;
  } catch {
    // Another program listens there.
  }
  throw refused(`what listens at ${JSON.stringify(controlPath(folder))} is no chatserver`);
}

async function exchange(folder: string, request: ControlRequest): Promise<string | undefined> {
  const path = controlPath(folder);
  using connection = await Deno.connect({ transport: "unix", path });
  const limit = setTimeout(() => connection.close(), ANSWER_LIMIT_MS);
  try {
    const writer = connection.writable.getWriter();
    await writer.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    return await readLine(connection.readable, MAX_SERVER_LINE_BYTES);
  } finally {
    clearTimeout(limit);
  }
}

function whyNot(error: unknown): string {
  if (error instanceof RangeError) return error.message;
  if (error instanceof Deno.errors.NotFound) return "there is no control.sock";
  if (error instanceof Deno.errors.ConnectionRefused) {
    return "nobody listens at control.sock, which an earlier one has left";
  }
  if (error instanceof Deno.errors.Interrupted) {
    return `it has not answered for ${ANSWER_LIMIT_MS / 1_000} s`;
  }
  if (error instanceof Deno.errors.PermissionDenied) return "control.sock is its owner's alone";
  return reasonOf(error);
}

function format(command: ControlRequest["command"], done: unknown): string[] {
  if (command === "delete") {
    return [`done: delete, a message of ${legibleLine((done as { user: string }).user)}`];
  }
  if (isOperation(command)) {
    const { user, address = user, until } = done as Partial<ServerRecords["operated"]>;
    const whom = address === undefined ? "" : ` ${legibleLine(address)}`;
    const end = OPERATIONS[command].lasts ? ` ${formatEnd(until, timeOf)}` : "";
    return [`done: ${command}${whom}${end}`];
  }
  return FORMATS[command](done as never);
}

function isOperation(command: string): command is Operation {
  return Object.hasOwn(OPERATIONS, command);
}

const FORMATS: Record<(typeof CONTROL_LISTS)[number], (done: never) => string[]> = {
  status: (status: ServerStatus) => formatStatus(status, timeOf),
  sessions: (sessions: SessionStatus[]) =>
    orNone(
      sessions.map(({ user, address, since, backlogBytes }) =>
        `${legibleLine(user)} from ${legibleLine(address)} since ${timeOf(since)}, ` +
        `${backlogBytes} bytes wait`
      ),
      "nobody is here",
    ),
  messages: (messages: Message[]) =>
    orNone(messages.map((one) => formatNumbered(one, timeOf)), "nobody has written to everybody"),
  operations: (operations: OperationRecord[]) =>
    orNone(
      operations.map((one) => formatOperation(one, timeOf)),
      "no operator has done anything yet",
    ),
  restrictions: (restrictions: RestrictionRecord[]) =>
    orNone(restrictions.map((one) => formatRestriction(one, timeOf)), "nobody is muted or banned"),
  whois: ({ user, role, created, sessions, elsewhere, restrictions }: ServerRecords["whois"]) => [
    `${legibleLine(user)}: ${role}${created === undefined ? "" : `, made ${timeOf(created)}`}`,
    ...sessions.map(({ address, since }) =>
      `here since ${timeOf(since)}, from ${legibleLine(address)}`
    ),
    ...elsewhere > 0 ? [`at other servers: ${elsewhere}`] : [],
    ...restrictions.map((one) => formatRestriction(one, timeOf)),
  ],
};

function orNone(lines: string[], none: string): string[] {
  return lines.length === 0 ? [none] : lines;
}

/** UTC, as in the log. */
function timeOf(time: number): string {
  return formatTime(new Date(time));
}

function secondsOf(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new ExitError(ExitCode.usage, (error as Error).message);
  }
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new ExitError(ExitCode.usage, "--count takes a number from 1 to 9999");
}

function messageOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  const problem = "delete takes the number of a message, which chatserver control messages shows";
  throw new ExitError(ExitCode.usage, problem);
}

function refused(why: string): ExitError {
  return new ExitError(ExitCode.refused, why);
}
