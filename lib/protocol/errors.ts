/** Codes of `error` records: what is wrong with one record or request. */
export type ErrorCode =
  | "bad-address"
  | "bad-duration"
  | "bad-record"
  | "bad-password"
  | "bad-room-name"
  | "bad-text"
  | "bad-token"
  | "bad-username"
  | "banned"
  | "duplicate-id"
  | "internal"
  | "muted"
  | "name-taken"
  | "no-such-message"
  | "no-such-room"
  | "no-such-user"
  | "not-allowed"
  | "not-here"
  | "not-in-room"
  | "not-readable"
  | "not-stored"
  | "registration-refused"
  | "too-many-accounts"
  | "too-many-probes"
  | "too-many-rooms"
  | "too-many-sessions"
  | "unsupported-protocol"
  | "wrong-password"
  | "wrong-state";

/** Codes of `farewell` records: why the server ends the connection. */
export type FarewellCode =
  | "account-changed"
  | "banned"
  | "internal"
  | "kicked"
  | "logged-out"
  | "protocol-error"
  | "resumed"
  | "server-closing"
  | "timeout"
  | "too-many-attempts"
  | "too-many-sessions"
  | "too-slow";

/** What one side did was against the protocol; the text says what would have been right. */
export class ProtocolError extends Error {
  override name = "ProtocolError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
