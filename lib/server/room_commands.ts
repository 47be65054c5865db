/**
 * What a client may ask of rooms; {@linkcode commands} has them in the one table.
 *
 * @module
 */
import type { RoomEvent } from "../journal/events.ts";
import { judgeRight } from "../messages/room_rules.ts";
import type { Room } from "../messages/room_table.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { MAX_HISTORY, MAX_LISTED_USERS, MAX_ROOMS_OF_ACCOUNT } from "../protocol/limits.ts";
import { foldUsername, parseRoomName } from "../protocol/names.ts";
import type { ClientRecords, UserSummary } from "../protocol/records.ts";
import { ACTS, type Right } from "../protocol/roles.ts";
import { parseText, parseTopic } from "../protocol/text.ts";
import { keepPace, sent } from "./commands.ts";
import type { Session } from "./session.ts";

/** A list, or a room that is made, counts as so many commands. */
const DEAR_COMMANDS = 10;

/** Joins a room, which is made where there is none of that name. */
export async function join(session: Session, { id, room: raw }: ClientRecords["join"]) {
  const { rooms } = session.services;
  const name = parseRoomName(raw);
  const made = rooms.find(name) === undefined && await make(session, name);
  const { id: number } = findRoom(session, name);
  const account = foldUsername(session.username);
  if (!made && rooms.roleIn(number, account) === undefined) {
    requireFewRooms(session);
    await append(session, { type: "room-joined", room: number });
  }
  session.answer(id, () => {
    const { name, topic, members } = findRoom(session, raw);
    const role = rooms.roleIn(number, account) ?? "member";
    return { type: "joined", id, room: name, topic, members, role, ...made && { made } };
  });
}

/** Whether the room was made: false where somebody else has just made it. */
async function make(session: Session, name: string): Promise<boolean> {
  const { rooms, limits } = session.services;
  requireFewRooms(session);
  await session.keepRate(session.username, DEAR_COMMANDS - 1);
  if (rooms.count >= limits.rooms) {
    throw new ProtocolError("too-many-rooms", "the server has as many rooms as it may have");
  }
  try {
    await append(session, { type: "room-made", name });
    return true;
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "name-taken") return false;
    throw error;
  }
}

export async function leave(session: Session, { id, room: raw }: ClientRecords["leave"]) {
  const { rooms } = session.services;
  const { id: number, name } = findRoom(session, raw);
  await append(session, { type: "room-left", room: number });
  const ended = rooms.find(name)?.id !== number;
  session.answer(id, () => ({ type: "left", id, room: name, ...ended && { ended } }));
}

/** What is said is judged when it is stored: a request that comes again may have been stored before. */
export function say(
  session: Session,
  { id, room: raw, text }: ClientRecords["say"],
): void | Promise<void> {
  const { hub, limits } = session.services;
  const parsed = parseText(text, limits);
  const { id: room } = findRoom(session, raw);
  const draft = { room, text: parsed, origin: session.originOf(id) };
  const answer = session.answerLater(id, sent);
  hub.post(session.username, draft, answer);
  return keepPace(session, draft);
}

/** Does something to a room, or to somebody in it. */
export async function act(session: Session, record: ClientRecords["act"]) {
  const { accounts } = session.services;
  const { id, what, room: raw } = record;
  const { id: room } = findRoom(session, raw);
  const { takes } = ACTS[what];
  const user = takes === "user" ? accounts.find(record.user ?? "") : undefined;
  if (takes === "user" && user === undefined) {
    // An account that has gone can't be in the way of those who are there.
    requireRight(session, { room, right: what });
    throw new ProtocolError("no-such-user", "there is no user of that name");
  }
  const text = takes === "text" ? parseTopic(record.text ?? "") : undefined;
  await append(session, { type: "room-act", room, what, user, text });
  session.answer(id, () => ({ type: "acted", id }));
}

export async function rooms(session: Session, { id }: ClientRecords["rooms"]) {
  await session.keepRate(session.username, DEAR_COMMANDS - 1);
  const account = foldUsername(session.username);
  session.answer(id, () => ({ type: "rooms", id, ...session.services.rooms.listFor(account) }));
}

/** Who is here, or in a room. */
export async function who(session: Session, { id, room: raw }: ClientRecords["who"]) {
  await session.keepRate(session.username, DEAR_COMMANDS - 1);
  const { hub, rooms } = session.services;
  session.answer(id, () => {
    if (raw === undefined) {
      const users = hub.users.names;
      const shown = users.slice(0, MAX_LISTED_USERS).map((name) => describe(session, name));
      return { type: "who", id, count: users.length, users: shown };
    }
    const room = findRoom(session, raw);
    // Anybody may look into an open room before joining it.
    if (room.closed === 1) requireRight(session, { room: room.id, right: "read" });
    const users = rooms.membersOf(room.id).map(({ name, role, muted }) => ({
      ...describe(session, name),
      role,
      ...muted && { muted },
    }));
    return { type: "who", id, count: room.members, users };
  });
}

function describe({ services: { hub, clock } }: Session, username: string): UserSummary {
  const active = hub.users.find(username) !== undefined;
  const times = hub.users.here(username);
  if (times === undefined) return { username, active };
  const idle = Math.max(0, clock.date().getTime() - times.lastSent);
  return { username, active, since: times.since, idle };
}

/** The last messages of a room. */
export function roomHistory(
  session: Session,
  { id, count, room: raw }: { id: number; count: number; room: string },
): void {
  const { messages, rooms } = session.services;
  session.answer(id, () => {
    const room = findRoom(session, raw);
    requireRight(session, { room: room.id, right: "read" });
    const after = rooms.readableAfter(room, foldUsername(session.username)) ?? Infinity;
    const found = messages.history.ofRoom(room.id, { count: Math.min(count, MAX_HISTORY), after });
    return { type: "history", id, messages: found };
  });
}

/** @throws {ProtocolError} `bad-room-name`, `no-such-room` */
function findRoom({ services: { rooms } }: Session, raw: string): Room {
  const name = parseRoomName(raw);
  const room = rooms.find(name);
  if (room !== undefined) return room;
  throw new ProtocolError("no-such-room", `there is no room #${name}: JO #${name} makes it`);
}

function requireFewRooms({ services: { rooms, journal }, username }: Session): void {
  if (rooms.roomsOf(foldUsername(username), journal.last).length < MAX_ROOMS_OF_ACCOUNT) return;
  throw new ProtocolError(
    "too-many-rooms",
    `you are in ${MAX_ROOMS_OF_ACCOUNT} rooms, which is as many as one may be in: leave one first`,
  );
}

/** @throws {ProtocolError} `not-in-room`, `not-allowed` */
function requireRight(
  { services: { rooms }, username }: Session,
  { room, right }: { room: number; right: Right },
): void {
  const refused = judgeRight(rooms, { room, account: foldUsername(username), right });
  if (refused !== undefined) throw refused;
}

type Unsigned<E> = E extends RoomEvent ? Omit<E, "by" | "at"> : never;

/** Has something happen in the user's name. What is refused now never becomes an event. */
async function append(session: Session, unsigned: Unsigned<RoomEvent>): Promise<void> {
  const { journal, operators, rooms, clock } = session.services;
  const event = { ...unsigned, by: session.username, at: clock.date().getTime() } as RoomEvent;
  const refused = operators.judgeRoom(event) ?? rooms.judge(event);
  if (refused !== undefined) throw refused;
  await session.work(() => journal.append(event));
}
