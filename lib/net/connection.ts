/** One end of a connection. */
export interface Endpoint {
  hostname: string;
  port: number;
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
   * The lines that the other side sends, until either side ends the connection, however it ends.
   * To be iterated once.
   *
   * @throws {ProtocolError} where what comes is no line
   */
  lines(): AsyncIterable<string>;
  /**
   * Sends a line. What is sent in one turn of the loop is written at once. After the end it does
   * nothing. A peer that lets too much wait is cut off.
   */
  send(line: string): void;
  /** Ends the connection when what was sent has been written and taken, or after a second. */
  close(): Promise<void>;
  /** Ends the connection at once. */
  abort(): void;
  /** Whether the other side was cut off, because it let too much wait. */
  readonly cutOff: boolean;
}

/** An endpoint as people write it. IPv4 addresses mapped into IPv6 are shown as IPv4. */
export function formatEndpoint({ hostname, port }: Endpoint): string {
  const plain = hostname.replace(/^::ffff:(?=\d+\.)/i, "");
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}
