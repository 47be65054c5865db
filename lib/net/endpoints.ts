import { ExitCode, ExitError } from "../exit.ts";
import type { Endpoint } from "./connection.ts";

/**
 * Reads an address as people write it: `host`, `host:port`, `::1`, `[::1]`, `[::1]:port`.
 *
 * @param port the port where the address names none
 * @throws {ExitError} `usage`
 */
export function parseEndpoint(text: string, port: number): Endpoint {
  const [, literal, host, named] =
    /^(?:\[([^\]]*:[^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ??
      (/^[^[\]]*:[^[\]]*:[^[\]]*$/.test(text) ? ["", text] : []);
  const hostname = literal ?? host;
  const endpoint = { hostname: hostname ?? "", port: named === undefined ? port : Number(named) };
  const fits = hostname !== undefined && !/[\s,]/.test(hostname);
  if (fits && (named === undefined || endpoint.port >= 1 && endpoint.port <= 65_535)) {
    return endpoint;
  }
  throw new ExitError(
    ExitCode.usage,
    `${
      JSON.stringify(text)
    } is no address: one is a name or an IP address, with ":" and a port or ` +
      "without; an IPv6 address with a port stands in brackets, such as [::1]:1300",
  );
}

/** The same, several with a comma between two. */
export function parseEndpoints(text: string, port: number): Endpoint[] {
  return text.split(",").map((part) => parseEndpoint(part.trim(), port));
}
