/**
 * The client's face for programs: every event is a line out, every command a line in. `docs/JSON.md`
 * describes each.
 *
 * @module
 */
import { abortable } from "@std/async/abortable";
import { ExitCode, ExitError } from "../exit.ts";
import { formatEndpoint } from "../net/connection.ts";
import { parseDuration } from "../protocol/durations.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { foldUsername, parsePassword } from "../protocol/names.ts";
import type { Crowd, Message, PresenceChange } from "../protocol/records.ts";
import {
  type Check,
  integer,
  isObject,
  oneOf,
  optional,
  readShape,
  type Shape,
  type Shaped,
  string,
} from "../protocol/shape.ts";
import { ACT_NAMES, OPERATION_NAMES } from "../protocol/roles.ts";
import { parseText } from "../protocol/text.ts";
import type { ChatClient, ChatClientOptions } from "./client.ts";
import { BadLine, encodeJsonLine, readJsonLines } from "./json_lines.ts";
import type { LoggedIn } from "./log_in.ts";
import { RequestError } from "./session.ts";

/** So many commands may be without an answer; then no more are read for a while. */
const MAX_UNANSWERED = 256;
/** A command's own id, in UTF-16 code units where it is a string. */
const MAX_ID_LENGTH = 100;
/** Longer than any username, however it is written. */
const MAX_NAME_LENGTH = 200;

type Fields = Record<string, unknown>;
type Id = string | number | undefined;

/** One command: the fields that it takes, and what answers it. */
interface Command {
  shape: Shape;
  run: (client: ChatClient, fields: Fields) => Promise<Fields>;
}

/** Ties what a command does to the fields that it takes. */
function command<S extends Shape>(
  shape: S,
  run: (client: ChatClient, fields: Shaped<S>) => Promise<Fields>,
): Command {
  return { shape, run: (client, fields) => run(client, fields as Shaped<S>) };
}

const name = string(MAX_NAME_LENGTH);
const password: Check<string> = (value, field) => parsePassword(string()(value, field));
const duration: Check<number> = (value, field) => parseDuration(string()(value, field));
const text: Check<string> = (value, field) => parseText(string()(value, field));

const act = oneOf(...ACT_NAMES);

const COMMANDS: Readonly<Record<string, Command>> = {
  public: command({ text }, async (client, { text }) => ({
    type: "sent",
    message: await client.publish(text),
  })),
  direct: command({ to: name, text }, async (client, { to, text }) => {
    const { message, away = false } = await client.direct(to, text);
    return { type: "sent", message, away };
  }),
  users: command({}, async (client) => ({ type: "users", users: await client.users() })),
  user: command({ username: name }, async (client, fields) => {
    const { username, active } = await client.findUser(fields.username);
    return { type: "user", username, active };
  }),
  join: command({ room: name }, async (client, fields) => {
    const { room, topic, members, role, made = false } = await client.join(fields.room);
    return { type: "joined", room, topic, members, role, made };
  }),
  leave: command({ room: name }, async (client, fields) => {
    const { room } = await client.leave(fields.room);
    return { type: "left", room };
  }),
  say: command({ room: name, text }, async (client, { room, text }) => ({
    type: "sent",
    message: await client.say(room, text),
  })),
  rooms: command({}, async (client) => {
    const { count, rooms } = await client.rooms();
    return { type: "rooms", count, rooms };
  }),
  who: command({ room: optional(name) }, async (client, { room }) => {
    const { count, users } = await client.who(room);
    return { type: "who", count, users };
  }),
  act: command(
    { room: name, what: act, user: optional(name), text: optional(string()) },
    async (client, { room, what, user, text }) => {
      await client.act(room, what, { user, text });
      return { type: "acted" };
    },
  ),
  history: command(
    { count: optional(integer(1)), with: optional(name), room: optional(name) },
    async (client, { count = 20, with: other, room }) => ({
      type: "history",
      ...describePast(await client.history(count, { with: other, room })),
    }),
  ),
  search: command({ text, count: optional(integer(1)) }, async (client, { text, count = 20 }) => ({
    type: "history",
    ...describePast({ messages: await client.search(text, count) }),
  })),
  password: command({ old: string(), new: password }, async (client, fields) => {
    await client.changePassword(fields.old, fields.new);
    return { type: "password" };
  }),
  operate: command(
    {
      what: oneOf(...OPERATION_NAMES),
      user: optional(name),
      address: optional(string(MAX_NAME_LENGTH)),
      for: optional(duration),
      text: optional(string()),
    },
    async (client, { what, for: seconds, ...order }) => {
      const { user, address, until } = await client.operate(what, { ...order, seconds });
      return { type: "operated", user, address, until };
    },
  ),
  operations: command({ count: optional(integer(1)) }, async (client, { count = 20 }) => ({
    type: "operations",
    operations: (await client.operations(count)).map(({ id: event, ...rest }) => ({
      event,
      ...rest,
    })),
  })),
  restrictions: command({}, async (client) => ({
    type: "restrictions",
    restrictions: await client.restrictions(),
  })),
  whois: command({ user: name }, async (client, fields) => {
    const { id: _, type, ...found } = await client.whois(fields.user);
    return { type, ...found };
  }),
  status: command({ message: integer(1) }, async (client, fields) => {
    const { message, progress = null } = await client.status(fields.message);
    return { type: "status", message, progress };
  }),
};

/** A command that can't be carried out; it has the code for programs and the text for people. */
class CommandError extends Error {
  override name = "CommandError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Commands in, events and answers out. */
export class JsonFace {
  readonly #write: (line: string) => void;
  /** The commands without an answer. */
  readonly #pending = new Set<Promise<void>>();
  /** When the last command so far has its answer, and so all before it: answers keep the commands' order. */
  #answered = Promise.resolve();
  #logoutId: Id;
  /** The user's name, folded. */
  #key = "";
  #failed = 0;

  /** @param write takes a line with its LF */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** What the client reports. */
  get events(): Required<
    Pick<
      ChatClientOptions,
      "onMessage" | "onLost" | "onBack" | "onPresence" | "onRoom" | "onNotice" | "overview"
    >
  > {
    return {
      onMessage: (message) => this.#message(message),
      onLost: ({ message }) => this.#say({ type: "lost", why: message }),
      onBack: ({ overview, server }) =>
        this.#say({ type: "back", here: overview?.here, server: server && formatEndpoint(server) }),
      onPresence: (presence) => this.#presence(presence),
      onRoom: ({ room, what, by, user, text }) =>
        this.#say({ type: "room", room, what, by, user, text }),
      onNotice: (message) => this.#say({ type: "notice", message }),
      // Who is here, and no messages.
      overview: () => 0,
    };
  }

  /** How many lines could not be carried out. */
  get failed(): number {
    return this.#failed;
  }

  /** The login is done. */
  ready({ username, created, overview }: LoggedIn): void {
    this.#key = foldUsername(username);
    this.#say({ type: "ready", username, created, here: overview?.here });
  }

  /**
   * Takes commands until the input ends or `logout` is asked for, and waits for their answers.
   *
   * @throws the reason of the client's end, if that comes before
   */
  async takeCommands(client: ChatClient, input: AsyncIterable<Uint8Array>): Promise<void> {
    const lines = readJsonLines(input);
    try {
      for (;;) {
        const { value: line, done } = await abortable(lines.next(), client.signal);
        if (done || !this.#take(client, line)) break;
        while (this.#pending.size >= MAX_UNANSWERED) await Promise.race(this.#pending);
      }
    } finally {
      await Promise.all(this.#pending);
    }
    client.signal.throwIfAborted();
  }

  /** The last line: why the program ends, and with which exit code. */
  ended(exitCode: ExitCode, why: string): void {
    this.#say({ type: "ended", id: this.#logoutId, exitCode, why });
  }

  /** Who comes is told of it too, and knows. */
  #presence({ joined, left }: PresenceChange): void {
    const others = { joined: without(joined, this.#key), left: without(left, this.#key) };
    if (others.joined.count + others.left.count > 0) this.#say({ type: "presence", ...others });
  }

  /** A bot that answers what another session of its own account sent would never end. */
  #message(message: Message): void {
    const { from, to } = message;
    const own = foldUsername(from) === this.#key;
    const toItself = to !== undefined && foldUsername(to) === this.#key;
    this.#say({ type: own && !toItself ? "own" : "message", ...describe(message) });
  }

  /** Begins with a command. Whether there may be another one. */
  #take(client: ChatClient, line: string | BadLine): boolean {
    let id: Id;
    try {
      const fields = parse(line);
      id = readId(fields);
      if (fields["type"] === "logout") {
        checkFields(fields, {});
        this.#logoutId = id;
        return false;
      }
      this.#run(id, runnable(client, fields));
    } catch (error) {
      this.#refuse(id, error);
    }
    return true;
  }

  #run(id: Id, run: () => Promise<Fields>): void {
    const before = this.#answered;
    const answer = run().then(
      ({ type, ...answer }) => () => this.#say({ type, id, ...answer }),
      (error) => () => this.#refuse(id, error),
    );
    const running: Promise<void> = Promise.all([answer, before]).then(([say]) => {
      say();
      this.#pending.delete(running);
    });
    this.#answered = running;
    this.#pending.add(running);
  }

  #refuse(id: Id, error: unknown): void {
    const [code, why] = error instanceof CommandError || error instanceof RequestError
      ? [error.code, error.message]
      : error instanceof ExitError
      ? ["no-answer", `no answer came, so nobody knows whether it was done: ${error.message}`]
      : ["internal", `unforeseen: ${error}`];
    this.#failed++;
    this.#say({ type: "error", id, code, why });
  }

  #say(fields: Fields): void {
    this.#write(encodeJsonLine(fields));
  }
}

/** A message as programs get it: `message` is its id, as everywhere. */
function describe({ id, from, to, room, sent, text, late, announcement }: Message): Fields {
  return { message: id, from, to, room, sent, text, late, announcement };
}

function without({ count, users }: Crowd, key: string): Crowd {
  const others = users.filter((name) => foldUsername(name) !== key);
  return { count: count - users.length + others.length, users: others };
}

function describePast(
  { messages, since }: { messages: readonly Message[]; since?: number | undefined },
): Fields {
  return { messages: messages.map(describe), since };
}

function parse(line: string | BadLine): Fields {
  if (line instanceof BadLine) throw new CommandError("bad-line", line.why);
  let value: unknown;
  try {
    value = JSON.parse(line.replace(/^\ufeff/, ""));
  } catch {
    throw new CommandError("bad-line", "a line is not JSON");
  }
  if (!isObject(value)) throw new CommandError("bad-line", "a command must be a JSON object");
  return value;
}

function readId({ id }: Fields): Id {
  const fits = id === undefined || Number.isSafeInteger(id) ||
    typeof id === "string" && id.length <= MAX_ID_LENGTH;
  if (fits) return id as Id;
  throw new CommandError(
    "bad-command",
    `"id" must be an integer or a string of at most ${MAX_ID_LENGTH} characters`,
  );
}

/** What a line asks for, all its fields checked. */
function runnable(client: ChatClient, fields: Fields): () => Promise<Fields> {
  const { type } = fields;
  const found = typeof type === "string" && Object.hasOwn(COMMANDS, type)
    ? COMMANDS[type]
    : undefined;
  if (found === undefined) {
    const known = [...Object.keys(COMMANDS), "logout"].join(", ");
    throw new CommandError("unknown-command", `"type" must be one of ${known}`);
  }
  const read = checkFields(fields, found.shape);
  return () => found.run(client, read);
}

/** A field that is not known is refused: it could be one that changes who gets a message. */
function checkFields(fields: Fields, shape: Shape): Fields {
  const known = ["type", "id", ...Object.keys(shape)];
  const unknown = Object.keys(fields).find((field) => !known.includes(field));
  if (unknown !== undefined) {
    const quoted = JSON.stringify(unknown.slice(0, 40));
    throw new CommandError(
      "bad-command",
      `there is no field ${quoted} here: there are ${known.join(", ")}`,
    );
  }
  try {
    return readShape(fields, shape);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const code = error.code === "bad-record" ? "bad-command" : error.code;
    throw new CommandError(code, error.message);
  }
}
