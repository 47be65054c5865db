/**
 * The one table of what a client may ask for. A new command is a shape in `protocol/records.ts`, an
 * entry here, and its function below or in `login.ts`.
 *
 * @module
 */
import { MAX_HISTORY, MAX_SEARCH_LENGTH } from "../protocol/limits.ts";
import { foldUsername } from "../protocol/names.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { PAGE_IDS } from "../messages/message_rows.ts";
import type { ClientRecord, ClientRecords, Message, ServerRecord } from "../protocol/records.ts";
import type { Right } from "../protocol/roles.ts";
import type { Marks } from "../cluster/elsewhere.ts";
import { parseText } from "../protocol/text.ts";
import { changePassword } from "./change_password.ts";
import { listOperations, listRestrictions, operate, whois } from "./operator_commands.ts";
import { authenticate, hello, identify, register, resume } from "./login.ts";
import { probe, probed } from "./probe.ts";
import { act, join, leave, roomHistory, rooms, say, who } from "./room_commands.ts";
import type { Session, State } from "./session.ts";

/** What a command needs, and what it does. A {@linkcode ProtocolError} it throws is answered. */
export interface Command<R extends ClientRecord> {
  states: readonly State[];
  /** What its sender must have the right to do; in a room it is the room that judges. @default "chat" */
  right?: Right | ((record: R) => Right);
  run: (session: Session, record: R) => void | Promise<void>;
}

const afterHello: readonly State[] = ["login", "authenticate", "register", "active"];

export const commands: { [T in keyof ClientRecords]: Command<ClientRecords[T]> } = {
  hello: { states: ["hello"], run: hello },
  identify: { states: ["login"], run: identify },
  authenticate: { states: ["authenticate"], run: authenticate },
  register: { states: ["register"], run: register },
  probe: { states: ["login"], run: probe },
  probed: { states: ["login"], run: probed },
  resume: { states: ["login"], run: resume },
  users: { states: ["active"], run: users },
  user: { states: ["active"], run: user },
  public: { states: ["active"], run: publish },
  direct: { states: ["active"], run: direct },
  join: { states: ["active"], right: "join", run: join },
  leave: { states: ["active"], right: "leave", run: leave },
  say: { states: ["active"], right: "say", run: say },
  rooms: { states: ["active"], run: rooms },
  who: { states: ["active"], run: who },
  act: { states: ["active"], right: ({ what }) => what, run: act },
  operate: {
    states: ["active"],
    // The room that a message was said in knows who may delete it.
    right: ({ what }) => what === "delete" ? "chat" : "operate",
    run: operate,
  },
  operations: { states: ["active"], right: "inspect", run: listOperations },
  restrictions: { states: ["active"], right: "inspect", run: listRestrictions },
  whois: { states: ["active"], right: "inspect", run: whois },
  history: { states: ["active"], run: history },
  search: { states: ["active"], run: search },
  status: { states: ["active"], run: status },
  password: { states: ["active"], run: changePassword },
  ack: { states: ["active", "leaving"], run: ack },
  logout: { states: afterHello, run: (session, { id }) => session.logOut(id) },
  ping: { states: [...afterHello, "leaving"], run: (session) => session.send({ type: "pong" }) },
  pong: { states: [...afterHello, "leaving"], run: () => {} },
};

function users(session: Session, { id }: ClientRecords["users"]): void {
  session.answer(id, () => ({ type: "users", id, users: session.services.hub.users.names }));
}

function user(session: Session, { id, username }: ClientRecords["user"]): void {
  const { accounts, hub } = session.services;
  session.answer(id, () => {
    const found = accounts.find(username);
    if (found === undefined) throw noSuchUser();
    return { type: "user", id, username: found, active: hub.users.find(found) !== undefined };
  });
}

function publish(
  session: Session,
  { id, text }: ClientRecords["public"],
): void | Promise<void> {
  const { hub, limits } = session.services;
  const draft = { text: parseText(text, limits), origin: session.originOf(id) };
  const answer = session.answerLater(id, sent);
  hub.post(session.username, draft, answer);
  return keepPace(session, draft);
}

/** The answer to who has sent a message; a function for all, since a closure would be kept until each commit is done. */
export function sent(message: number, id: number): ServerRecord {
  return { type: "sent", id, message };
}

function sentToAway(message: number, id: number): ServerRecord {
  return { type: "sent", id, message, away: true };
}

function direct(
  session: Session,
  { id, to, text }: ClientRecords["direct"],
): void | Promise<void> {
  const { accounts, hub, limits } = session.services;
  const parsed = parseText(text, limits);
  const addressee = accounts.find(to);
  if (addressee === undefined) throw noSuchUser();
  const draft = { to: addressee, text: parsed, origin: session.originOf(id) };
  const isAway = hub.users.find(addressee) === undefined;
  const answer = session.answerLater(id, isAway ? sentToAway : sent);
  hub.post(session.username, draft, answer);
  return keepPace(session, draft);
}

function history(
  session: Session,
  { id, count, with: other, room }: ClientRecords["history"],
): void {
  if (room !== undefined) return roomHistory(session, { id, count, room });
  const { accounts, mailboxes, messages } = session.services;
  session.answer(id, () => {
    if (other !== undefined && accounts.find(other) === undefined) throw noSuchUser();
    const account = foldUsername(session.username);
    const options = { count: Math.min(count, MAX_HISTORY), with: other };
    const since = mailboxes.history === "all" ? 0 : accounts.created(session.username)?.getTime();
    return { type: "history", id, messages: messages.history.of(account, options), since };
  });
}

/** A search counts as so many commands: it reads more than any other. */
const SEARCH_COMMANDS = 10;
/** So many ids are searched. */
const SEARCHED = 20_000;

async function search(
  session: Session,
  { id, text, count }: ClientRecords["search"],
): Promise<void> {
  if (text.trim() === "" || text.length > MAX_SEARCH_LENGTH) {
    const rule = `what is searched for has 1 to ${MAX_SEARCH_LENGTH} characters`;
    throw new ProtocolError("bad-text", rule);
  }
  await session.keepRate(session.username, SEARCH_COMMANDS - 1);
  const found = await session.work(() => searchAll(session, text, Math.min(count, MAX_HISTORY)));
  session.answer(id, () => ({ type: "history", id, messages: found }));
}

/** Page by page, so that nobody waits for a long search. */
async function searchAll(
  { services: { clock, messages }, username }: Session,
  text: string,
  count: number,
): Promise<Message[]> {
  const account = foldUsername(username);
  const found: Message[] = [];
  const end = messages.last + 1;
  for (let before = end; before > 1 && before > end - SEARCHED; before -= PAGE_IDS) {
    if (before < end) await new Promise<void>((resolve) => clock.soon(resolve));
    found.unshift(
      ...messages.history.search(account, { text, count: count - found.length, before }),
    );
    if (found.length === count) break;
  }
  return found;
}

function status(session: Session, { id, message }: ClientRecords["status"]): void {
  const { hub } = session.services;
  const make = (elsewhere: readonly Marks[] = []): ServerRecord => {
    const found = hub.status(session.username, { message, elsewhere });
    if (found !== undefined) return { type: "status", id, message, ...found };
    throw new ProtocolError("no-such-message", `you have sent no message ${message}`);
  };
  const elsewhere = hub.marksElsewhere(message);
  if (elsewhere === undefined) session.answer(id, make);
  else {
    const answer = session.answerLater(id, make);
    const settle = (outcome: readonly Marks[] | Error) => answer.settle(outcome);
    elsewhere.then(settle, settle);
  }
}

/** Serves nothing more of a sender while its receivers, the server or the disk are far behind. */
export function keepPace(
  session: Session,
  said: { text: string; to?: string; room?: number },
): void | Promise<void> {
  const { hub, journal } = session.services;
  const relief = hub.relief(said) ?? journal.backpressure();
  if (relief !== undefined) return session.work(() => relief);
}

function ack(session: Session, { delivered }: ClientRecords["ack"]): void {
  if (!session.acknowledge(delivered)) {
    throw new ProtocolError("bad-record", `"ack" acknowledges what was never sent`);
  }
}

function noSuchUser(): ProtocolError {
  return new ProtocolError("no-such-user", "there is no user of that name");
}
