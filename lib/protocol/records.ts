/**
 * The control records: one JSON object a line. `docs/PROTOCOL.md` describes each.
 *
 * @module
 */
import { type ErrorCode, type FarewellCode, ProtocolError } from "./errors.ts";
import { MAX_ADDRESS_LENGTH, MAX_CERTIFICATE_LENGTH, MAX_SOFTWARE_LENGTH } from "./limits.ts";
import { ACT_NAMES, OPERATION_NAMES, ROOM_ROLES, SERVER_ROLES } from "./roles.ts";
import {
  arrayOf,
  boolean,
  hex,
  integer,
  isObject,
  object,
  oneOf,
  optional,
  readShape,
  type Shape,
  type Shaped,
  string,
} from "./shape.ts";

/** A request id: chosen by the client, the same in the answer. */
const id = integer(1);

const hello = { protocol: integer(1), software: string(MAX_SOFTWARE_LENGTH) };

/** A message as its receivers get it, over UDP and TCP alike. `id` is the durable message id. */
const messageShape = {
  id: integer(1),
  from: string(),
  /** The addressee of a direct message; a public one has none. */
  to: optional(string()),
  /** The room that it was said in, without a "#". */
  room: optional(string()),
  /** When the server took it, in milliseconds since 1970, UTC. */
  sent: integer(),
  text: string(),
  /** Whether it waited for its addressee, or may have been shown before. */
  late: optional(boolean),
  /** Whether an operator speaks for the server. */
  announcement: optional(boolean),
  /** Who has deleted the text, which is empty then. */
  deleted: optional(string()),
};

const runShape = { messages: arrayOf(object(messageShape)) };

/** How far a message got, in users. */
const progressShape = {
  /** To how many it went so far. */
  users: integer(),
  /** How many of them have acknowledged it, by the channel that it took. */
  udp: integer(),
  tcp: integer(),
};

/** What a data channel needs. */
const dataShape = {
  session: hex(8),
  protection: oneOf("sealed", "plain"),
  clientKey: hex(32),
  serverKey: hex(32),
};
/** Asks for an overview with so many messages at most, and for `presence` records from then on. */
const overview = optional(integer());

/** Who is here, or has come, or gone: how many, and the names of some. */
const crowdShape = { count: integer(), users: arrayOf(string()) };

/** Where clients reach a server, and its certificate (DER, base64); a plain one has none. */
const serverShape = {
  address: string(MAX_ADDRESS_LENGTH),
  port: integer(1),
  certificate: optional(string(MAX_CERTIFICATE_LENGTH)),
};
/** Other servers of the same chat, in the order in which to try them. */
const servers = arrayOf(object(serverShape));

const presenceShape = { joined: object(crowdShape), left: object(crowdShape) };

const role = oneOf(...ROOM_ROLES);
const roomSummary = {
  name: string(),
  topic: string(),
  members: integer(),
  closed: optional(boolean),
  /** What the user is in it; missing where the user is not. */
  role: optional(role),
  invited: optional(boolean),
};
const userSummary = {
  username: string(),
  active: boolean,
  /** In milliseconds since 1970, UTC. */
  since: optional(integer()),
  /** In milliseconds. */
  idle: optional(integer()),
  role: optional(role),
  muted: optional(boolean),
};

/**
 * What keeps a user from writing (`mute`) or from being here (`ban`), or an address (`address`) or everybody (`lock`) from
 * making accounts.
 */
const restrictionShape = {
  what: oneOf("mute", "ban", "address", "lock"),
  /** Missing in a `mute` of everybody but operators, and in a `lock`. */
  user: optional(string()),
  address: optional(string()),
  /** The operator; missing where it was done on the server's own machine. */
  by: optional(string()),
  at: integer(),
  /** Missing where only an operator ends it. */
  until: optional(integer()),
  why: optional(string()),
};

/** What an operator did. Times are in milliseconds since 1970, UTC. */
const operationShape = {
  ...restrictionShape,
  id: integer(1),
  what: string(),
  /** The one that was deleted; `user` has sent it. */
  message: optional(integer(1)),
};

const clientShapes = {
  hello,
  identify: { id, username: string() },
  authenticate: { id, password: string(), overview },
  register: { id, password: string(), overview },
  probe: { id },
  probed: { id },
  resume: { id, username: string(), token: hex(32), last: integer(), overview },
  users: { id },
  user: { id, username: string() },
  public: { id, text: string() },
  direct: { id, to: string(), text: string() },
  join: { id, room: string() },
  leave: { id, room: string() },
  say: { id, room: string(), text: string() },
  rooms: { id },
  who: { id, room: optional(string()) },
  act: {
    id,
    room: string(),
    what: oneOf(...ACT_NAMES),
    user: optional(string()),
    text: optional(string()),
  },
  operate: {
    id,
    what: oneOf(...OPERATION_NAMES),
    user: optional(string()),
    address: optional(string()),
    message: optional(integer(1)),
    /** For how long. */
    seconds: optional(integer(1)),
    text: optional(string()),
  },
  operations: { id, count: integer(1) },
  restrictions: { id },
  whois: { id, user: string() },
  history: { id, count: integer(1), with: optional(string()), room: optional(string()) },
  search: { id, text: string(), count: integer(1) },
  status: { id, message: integer(1) },
  password: { id, old: string(), new: string() },
  ack: { delivered: integer() },
  logout: { id },
  ping: {},
  pong: {},
} satisfies Record<string, Shape>;

const serverShapes = {
  hello,
  identified: { id, username: string(), exists: boolean, attempts: integer(1) },
  /** `time` is the server's, in milliseconds since 1970, UTC. */
  probe: { id, data: object(dataShape), time: integer() },
  /** The `echo` packets that came, the bytes of the largest, how many came from another address. */
  probed: { id, packets: integer(), largest: integer(), elsewhere: integer() },
  welcome: {
    id,
    username: string(),
    data: object(dataShape),
    /** The id of the newest message that the server has; 0 where there was none ever. */
    latest: integer(),
    /** What the client may come back with. */
    token: optional(hex(32)),
    overview: optional(object({
      here: object(crowdShape),
      /** The last messages, in order, but for those that are delivered now. */
      messages: arrayOf(object(messageShape)),
      /** The rooms that the user is in. */
      rooms: optional(arrayOf(string())),
      /** The newest message when the user's last session ended. */
      seen: optional(integer()),
    })),
    servers: optional(servers),
  },
  servers: { servers },
  /** Who has come and gone, at most once a second. */
  presence: presenceShape,
  /** What users should know of the server, in words. */
  notice: { message: string() },
  users: { id, users: arrayOf(string()) },
  user: { id, username: string(), active: boolean },
  joined: {
    id,
    room: string(),
    topic: string(),
    members: integer(),
    role,
    made: optional(boolean),
  },
  left: { id, room: string(), ended: optional(boolean) },
  rooms: { id, count: integer(), rooms: arrayOf(object(roomSummary)) },
  who: { id, count: integer(), users: arrayOf(object(userSummary)) },
  acted: { id },
  /** What somebody has done in a room, while the user is here. */
  room: {
    room: string(),
    what: string(),
    by: string(),
    user: optional(string()),
    text: optional(string()),
  },
  /** The text of a message was deleted, while the user is here. */
  deleted: {
    message: integer(1),
    /** Who sent it, and when. */
    from: string(),
    sent: integer(),
    room: optional(string()),
    by: string(),
    why: optional(string()),
  },
  operated: {
    id,
    user: optional(string()),
    address: optional(string()),
    until: optional(integer()),
  },
  operations: { id, operations: arrayOf(object(operationShape)) },
  restrictions: { id, restrictions: arrayOf(object(restrictionShape)) },
  whois: {
    id,
    user: string(),
    role: oneOf(...SERVER_ROLES),
    /** When the account was made; missing where that is not known. */
    created: optional(integer()),
    /** Those at this server. */
    sessions: arrayOf(object({ address: string(), since: integer() })),
    /** How many there are at other servers. */
    elsewhere: integer(),
    restrictions: arrayOf(object(restrictionShape)),
  },
  sent: { id, message: integer(1), away: optional(boolean) },
  /** `since`: from when on the user may read public messages; 0: all; missing: the server does not know. */
  history: { id, messages: arrayOf(object(messageShape)), since: optional(integer()) },
  status: { id, message: integer(1), progress: optional(object(progressShape)) },
  password: { id },
  /** `number` is the first message's delivery number; the others have the next ones. */
  deliver: { number: integer(), messages: arrayOf(object(messageShape)) },
  error: {
    id: optional(id),
    code: string() as (value: unknown, field: string) => ErrorCode,
    message: string(),
    attempts: optional(integer()),
  },
  farewell: {
    id: optional(id),
    code: string() as (value: unknown, field: string) => FarewellCode,
    message: string(),
    final: boolean,
    servers: optional(servers),
  },
  ping: {},
  pong: {},
} satisfies Record<string, Shape>;

const typedClientShapes = typed(clientShapes);
const typedServerShapes = typed(serverShapes);

/** The whole shapes, by type. */
function typed(shapes: Record<string, Shape>): ReadonlyMap<string, Shape> {
  const whole = Object.entries(shapes)
    .map(([type, shape]) => [type, { type: string(), ...shape }] as const);
  return new Map(whole);
}

type Records<S extends Record<string, Shape>> = {
  [T in keyof S & string]: { type: T } & Shaped<S[T]>;
};

/** What a client sends, by type. */
export type ClientRecords = Records<typeof clientShapes>;
export type ClientRecord = ClientRecords[keyof ClientRecords];
/** What a server sends, by type. */
export type ServerRecords = Records<typeof serverShapes>;
export type ServerRecord = ServerRecords[keyof ServerRecords];

/** A message as its receivers get it. */
export type Message = Shaped<typeof messageShape>;

/** A server as clients reach it. */
export type NamedServer = Shaped<typeof serverShape>;

/** How many users, and the names of some. */
export type Crowd = Shaped<typeof crowdShape>;

/** Who has come and gone. */
export type PresenceChange = Shaped<typeof presenceShape>;

/** A room, for a list of them. */
export type RoomSummary = Shaped<typeof roomSummary>;

/** What keeps a user from something. */
export type RestrictionRecord = Shaped<typeof restrictionShape>;

/** What an operator did. */
export type OperationRecord = Shaped<typeof operationShape>;

/** A user, for a list of those who are here or in a room. */
export type UserSummary = Shaped<typeof userSummary>;

/** What a client is told at its login. */
export type Overview = NonNullable<ServerRecords["welcome"]["overview"]>;

/** How far a message got, in users. */
export type Progress = Shaped<typeof progressShape>;

/** Where a session's data packets belong and how they are protected. */
export type DataParameters = Shaped<typeof dataShape>;

/**
 * Reads a line that a client sent.
 *
 * @throws {ProtocolError} `bad-record`
 */
export function parseClientRecord(line: string): ClientRecord {
  const { value, type } = parseTyped(line);
  const shape = typedClientShapes.get(type);
  if (shape === undefined) {
    throw new ProtocolError("bad-record", `there is no record type ${quote(type)}`);
  }
  return readShape(value, shape) as ClientRecord;
}

/**
 * Reads a line that a server sent.
 *
 * @returns undefined for a type that only later versions know
 * @throws {ProtocolError} `bad-record`
 */
export function parseServerRecord(line: string): ServerRecord | undefined {
  const { value, type } = parseTyped(line);
  const shape = typedServerShapes.get(type);
  return shape && readShape(value, shape) as ServerRecord;
}

function parseTyped(line: string): { value: Record<string, unknown>; type: string } {
  const value = parseObject(line);
  const type = value["type"];
  if (typeof type === "string") return { value, type };
  throw new ProtocolError("bad-record", `a record must have a "type"`);
}

function parseObject(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // No cause: the engine's text would quote the line, which may hold a password.
    throw new ProtocolError("bad-record", "a line is not JSON");
  }
  if (!isObject(value)) throw new ProtocolError("bad-record", "a record must be a JSON object");
  return value;
}

/** A text of the other side inside an error message: short and without control characters. */
function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** The line for a record, without its LF. */
export function encodeRecord(record: ClientRecord | ServerRecord): string {
  return JSON.stringify(record);
}

/** A message record. */
export function encodeMessage(message: Message): string {
  return JSON.stringify(message);
}

/**
 * Reads the message records of a data packet: JSON objects with a comma between two.
 *
 * @throws {ProtocolError} `bad-record`
 */
export function parseMessages(records: string): Message[] {
  return readShape(parseObject(`{"messages":[${records}]}`), runShape).messages;
}

/** What stands in a `deliver` record before its message records, and what after them. */
export function deliverFrame(number: number): [before: string, after: string] {
  return [`{"type":"deliver","number":${number},"messages":[`, "]}"];
}
