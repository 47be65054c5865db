import type { RoomActEvent, RoomEvent } from "../journal/events.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { foldUsername } from "../protocol/names.ts";
import {
  ACTS,
  may,
  outranks,
  type Right,
  RIGHTS,
  type Role,
  ROOM_ROLES,
  TELLING,
} from "../protocol/roles.ts";

/** What holds for an account in a room whether it is in it or not; 1 is true. */
export interface Standing {
  banned: number;
  muted: number;
  invited: number;
}

/** What the rules ask of a room. */
export interface RoomFacts {
  /** Undefined where there is none, or it has ended. */
  room(id: number): { name: string; closed: number } | undefined;
  /** Whether there is a room of this name. */
  isTaken(name: string): boolean;
  /** What an account is in a room; undefined where it is not in it. */
  roleIn(room: number, account: string): Role | undefined;
  standing(room: number, account: string): Standing;
}

/** Why an event can't come to pass; undefined where it can. */
export function judge(event: RoomEvent, facts: RoomFacts): ProtocolError | undefined {
  if (event.type === "room-made") {
    if (!facts.isTaken(event.name)) return undefined;
    return new ProtocolError("name-taken", `somebody else has just made #${event.name}`);
  }
  const room = facts.room(event.room);
  if (room === undefined) return new ProtocolError("no-such-room", "the room has ended");
  const by = foldUsername(event.by);
  const right = event.type === "room-joined"
    ? "join"
    : event.type === "room-left"
    ? "leave"
    : event.what;
  return judgeRight(facts, { room: event.room, account: by, right }) ??
    (event.type === "room-joined" ? judgeJoin(event.room, by, facts) : undefined) ??
    (event.type === "room-act" ? judgeAct(event, facts) : undefined);
}

/** Why an account can't say anything in a room; undefined where it can. */
export function judgeSaying(
  id: number,
  account: string,
  facts: RoomFacts,
): ProtocolError | undefined {
  const room = facts.room(id);
  if (room === undefined) return new ProtocolError("no-such-room", "the room has ended");
  const refused = judgeRight(facts, { room: id, account, right: "say" });
  if (refused !== undefined || facts.standing(id, account).muted === 0) return refused;
  return notAllowed(`you are muted in #${room.name}`);
}

/** Why an account's role does not suffice. */
export function judgeRight(
  facts: RoomFacts,
  { room, account, right }: { room: number; account: string; right: Right },
): ProtocolError | undefined {
  const role = facts.roleIn(room, account);
  if (may(role ?? "user", right)) return undefined;
  const { name } = facts.room(room)!;
  if (role === undefined) return notIn(`you are not in #${name}: JO #${name} joins it`);
  const needed = RIGHTS[right] === "owner" ? "the owner" : `a ${RIGHTS[right]}`;
  return notAllowed(`only ${needed} of #${name} may do that: you are a ${role} of it`);
}

function judgeJoin(id: number, account: string, facts: RoomFacts): ProtocolError | undefined {
  if (facts.roleIn(id, account) !== undefined) return undefined;
  const { name, closed } = facts.room(id)!;
  const { banned, invited } = facts.standing(id, account);
  if (banned === 1) return notAllowed(`you are banned from #${name}`);
  if (closed === 0 || invited === 1) return undefined;
  return notAllowed(`#${name} is for those who are invited: ask somebody who is in it`);
}

function judgeAct(
  { room: id, what, by, user }: RoomActEvent,
  facts: RoomFacts,
): ProtocolError | undefined {
  const doer = foldUsername(by);
  const { name } = facts.room(id)!;
  if (TELLING.has(what) && facts.standing(id, doer).muted === 1) {
    return notAllowed(`you are muted in #${name}`);
  }
  if (ACTS[what].takes !== "user") return undefined;
  if (user === undefined) return new ProtocolError("no-such-user", `${what} takes a username`);
  const account = foldUsername(user);
  if (account === doer) {
    const isRole = (ROOM_ROLES as readonly string[]).includes(what);
    return notAllowed(`nobody can ${isRole ? "change their own role" : `${what} themselves`}`);
  }
  const other = facts.roleIn(id, account);
  const { banned, muted } = facts.standing(id, account);
  switch (what) {
    case "invite":
      if (other !== undefined) return notAllowed(`invite ${user}: in #${name} already`);
      return banned === 1
        ? notAllowed(`invite ${user}: banned from #${name}, so unban first`)
        : undefined;
    case "unban":
      return banned === 1 ? undefined : notAllowed(`unban ${user}: not banned from #${name}`);
    case "unmute":
      if (muted === 0) return notAllowed(`unmute ${user}: not muted in #${name}`);
      if (other === undefined) return undefined;
      break;
    case "ban":
      if (other === undefined) return undefined;
  }
  if (other === undefined) return notIn(`${what} ${user}: not in #${name}`);
  if (outranks(facts.roleIn(id, doer)!, other)) return undefined;
  return notAllowed(
    `${what} ${user}: that is ${other === "owner" ? "the owner" : `a ${other}`} of #${name}`,
  );
}

function notAllowed(why: string): ProtocolError {
  return new ProtocolError("not-allowed", why);
}

function notIn(why: string): ProtocolError {
  return new ProtocolError("not-in-room", why);
}
