/**
 * Every cap of the protocol, in one place. `docs/PROTOCOL.md` (Limits) says what happens to what
 * breaks one.
 */

/** The protocol version that both sides name in `hello`. */
export const PROTOCOL_VERSION = 2;

/** A control record's line, in bytes, without its LF. */
export const MAX_LINE_BYTES = 65_536;

/** A line from a server, in bytes, without its LF: a list of many users is long. */
export const MAX_SERVER_LINE_BYTES = 4 * 1_024 * 1_024;

/** A control record's line before the login is done, in bytes, without its LF. */
export const MAX_LOGIN_LINE_BYTES = 8_192;

/** A message's text, in bytes of UTF-8. Escaped as JSON it still fits into a line. */
export const MAX_TEXT_BYTES = 16_384;

/** Messages in one answer to `history`: they fit into a line from a server. */
export const MAX_HISTORY = 100;

/** What is searched for, in UTF-16 code units. */
export const MAX_SEARCH_LENGTH = 100;

/** A username, in code points after normalization. */
export const MAX_USERNAME_LENGTH = 32;

/** A room's topic, in UTF-16 code units. */
export const MAX_TOPIC_LENGTH = 200;

/** Why an operator does something, in UTF-16 code units. */
export const MAX_WHY_LENGTH = 200;

/** Operations, or restrictions, in one answer. */
export const MAX_LISTED_OPERATIONS = 1_000;

/** An account may be in so many rooms. */
export const MAX_ROOMS_OF_ACCOUNT = 100;

/** Rooms in one answer to `rooms`, but for those that the user is in or invited to. */
export const MAX_LISTED_ROOMS = 200;

/** Users in one answer to `who`. */
export const MAX_LISTED_USERS = 1_000;

/** A password, in bytes of UTF-8. */
export const MAX_PASSWORD_BYTES = 1_024;

/** The name and version of a program in `hello`, in UTF-16 code units. */
export const MAX_SOFTWARE_LENGTH = 100;

/** A server's address, in UTF-16 code units. */
export const MAX_ADDRESS_LENGTH = 253;

/** A certificate (DER) in base64, in characters: the programs' own have 500. */
export const MAX_CERTIFICATE_LENGTH = 4_096;

/** A server names at most so many others. */
export const MAX_NAMED_SERVERS = 16;

/** A password may be tried this often on one connection. */
export const LOGIN_ATTEMPTS = 3;

/** A data packet, in bytes: what RFC 9000, section 14 holds to pass every path. */
export const MAX_PACKET_BYTES = 1_200;

/** Delivery numbers that may be on their way to one session, not yet acknowledged. */
export const MAX_OUTSTANDING = 16_384;

/** What may wait for one session (queued or unacknowledged), in bytes of message records. */
export const MAX_BACKLOG_BYTES = 4 * 1_024 * 1_024;

/** Message records in one `deliver` record, in bytes. */
export const MAX_RUN_BYTES = 65_536;

/** What may wait in one control connection to be written, in bytes. */
export const MAX_UNWRITTEN_BYTES = 8 * 1_024 * 1_024;

/** Ranges in one `ack` packet. */
export const MAX_ACK_RANGES = 32;

/** Silence on the control channel after which a side sends `ping`, in milliseconds. */
export const PING_AFTER_MS = 15_000;

/** Silence on the control channel after which a side gives the connection up, in milliseconds. */
export const DEAD_AFTER_MS = 30_000;

/** The same for a client that can go on at another server of a cluster. */
export const PING_SOON_MS = 4_000;
export const DEAD_SOON_MS = 8_000;

/** A server that keeps a client waiting says so often that it is there, in milliseconds. */
export const PING_DEAF_MS = 3_000;

/** How long the `hello` of the other side may take, in milliseconds. */
export const HELLO_LIMIT_MS = 10_000;

/** Channels for probing UDP that may be open at once at a server. */
export const MAX_PROBES = 8;

/** How long one is open, in milliseconds. */
export const PROBE_MS = 5_000;

/** `echo` packets on one, at once and a second. */
export const PROBE_RATE = { burst: 50, perSecond: 100 };
