/** One end of a connection. */
export interface Endpoint {
  hostname: string;
  port: number;
}

/** Is told of what happens to a {@linkcode Connection}. */
export interface ConnectionListener {
  /** Something was written, and it takes more. */
  writable(): void;
  /** The other side sends no more; what {@linkcode Connection.batches} gave last may still have to be served. */
  inputEnded(): void;
}

/**
 * A control connection: lines in, lines out, whatever carries them. Small, so that a test can fake
 * it.
 */
export interface Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** The most bytes that a received line may have, without its LF. */
  maxLineBytes: number;
  /**
   * The lines that the other side sends, all that have come in each time, until either side ends the
   * connection, however it ends. To be iterated once; each array is the caller's.
   *
   * @throws {ProtocolError} where what comes is no line
   */
  batches(): AsyncIterable<string[]>;
  /**
   * Reads on when {@linkcode Connection.batches} has thrown or was left, and drops what comes; the listener is told when
   * the input has ended.
   */
  discard(): Promise<void>;
  /**
   * Sends a line, given in parts: texts, or bytes of UTF-8. What is sent in one turn of the loop is written
   * at once. After the end it does nothing. A peer that lets too much wait is cut off.
   */
  send(...parts: (string | Uint8Array)[]): void;
  /** So many bytes more may well be sent at present; 0 where enough waits to be written. */
  readonly writableBytes: number;
  /** Whoever is told of what happens to it; undefined where that is nobody. */
  listener: ConnectionListener | undefined;
  /** Ends the connection when what was sent has been written and taken, or after a second. */
  close(): Promise<void>;
  /** Ends the connection at once. */
  abort(): void;
  /** Whether the other side was cut off, because it let too much wait. */
  readonly cutOff: boolean;
}

/**
 * Whom an address counts for, where something is counted: an IPv6 user has a whole /64 network (RFC
 * 6177), so it stands for all its addresses.
 */
export function originOf(hostname: string): string {
  const plain = unmapped(hostname);
  if (!plain.includes(":")) return plain;
  const [head = "", tail = ""] = plain.split("%")[0]!.split("::");
  const [first, last] = [head, tail].map((part) => part.split(":").filter(Boolean)) as [
    string[],
    string[],
  ];
  const missing = Math.max(8 - first.length - last.length, 0);
  const zeros = plain.includes("::") ? Array(missing).fill("0") : [];
  return `${[...first, ...zeros, ...last].slice(0, 4).join(":")}::/64`;
}

/** IPv4 addresses mapped into IPv6 are IPv4 addresses. */
function unmapped(hostname: string): string {
  return hostname.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** An endpoint as people write it. IPv4 addresses mapped into IPv6 are shown as IPv4. */
export function formatEndpoint({ hostname, port }: Endpoint): string {
  const plain = unmapped(hostname);
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}
