import type { RoomActEvent, RoomEvent } from "../journal/events.ts";
import type { ProtocolError } from "../protocol/errors.ts";
import { MAX_LISTED_ROOMS, MAX_LISTED_USERS } from "../protocol/limits.ts";
import { RecentMap } from "../protocol/recent_map.ts";
import { RecentSet } from "../protocol/recent_set.ts";
import { foldUsername } from "../protocol/names.ts";
import type { RoomSummary } from "../protocol/records.ts";
import type { RoomRole } from "../protocol/roles.ts";
import type { Database } from "./database.ts";
import { judge, judgeSaying, type RoomFacts, type Standing } from "./room_rules.ts";
import { Rows } from "./rows.ts";

/** So many times that an account was in one room are remembered. */
const STAYS = 10;

/** So many names of rooms are kept in memory, so many rooms, and so many who may say something in one. */
const NAMES = 10_000;
const SPEAKERS = 10_000;

/** A room; what is yes or no is 1 or 0. */
export interface Room {
  id: number;
  /** The folded name; null where the room has ended. */
  key: string | null;
  name: string;
  topic: string;
  closed: number;
  /** Whether its members may look back to its beginning. */
  from_start: number;
  /** How many there are. */
  members: number;
  ended: number | null;
}

/** From when to when an account is in a room. */
export interface Stay {
  account: string;
  room: number;
  since: number;
  /** Null where it is in it. */
  until: number | null;
  name: string;
  role: RoomRole;
  at: number;
}

/** A member, for a list. */
export interface RoomMember {
  name: string;
  role: RoomRole;
  muted: boolean;
}

/** The rooms, and who is in them. What can't come to pass changes nothing. */
export class RoomTable implements RoomFacts {
  readonly #rooms: Rows<Room, "id">;
  readonly #stays: Rows<Stay, "account" | "room" | "since">;
  readonly #standings: Rows<Standing & { account: string; room: number }, "account" | "room">;
  readonly #statements;
  /** Who owns a room since its owner left it, by the event's number, until somebody asks. */
  readonly #heirs = new Map<number, string>();
  /** Those of rooms in which something was said lately: a room's name never changes. */
  readonly #names = new RecentMap<number, string>(NAMES);
  /** Those that were asked for lately, by their keys; and who may say something in which: each message asks both. */
  readonly #found = new RecentMap<string, Room>(NAMES);
  readonly #speakers = new RecentSet<string>(SPEAKERS);

  constructor(database: Database) {
    this.#rooms = new Rows(database, {
      table: "rooms",
      key: ["id"],
      values: ["key", "name", "topic", "closed", "from_start", "members", "ended"],
    });
    this.#stays = new Rows(database, {
      table: "stays",
      key: ["account", "room", "since"],
      values: ["until", "name", "role", "at"],
    });
    this.#standings = new Rows(database, {
      table: "standings",
      key: ["account", "room"],
      values: ["banned", "muted", "invited"],
    });
    this.#statements = prepare(database);
  }

  /** How many rooms there are. */
  get count(): number {
    return this.#statements.count.get()!["count"] as number;
  }

  /** The room of this name, which may be spelled in any way that folds alike. */
  find(name: string): Room | undefined {
    const key = foldUsername(name);
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const room = this.#statements.find.get(key) as Room | undefined;
    if (room !== undefined) this.#found.set(key, room);
    return room;
  }

  isTaken(name: string): boolean {
    return this.find(name) !== undefined;
  }

  room(id: number): Room | undefined {
    const room = this.#rooms.get({ id });
    return room?.key === null ? undefined : room;
  }

  /** A room's name, also when it has ended. */
  nameOf(id: number): string | undefined {
    const known = this.#names.get(id) ?? this.#rooms.get({ id })?.name;
    if (known !== undefined) this.#names.set(id, known);
    return known;
  }

  roleIn(room: number, account: string): RoomRole | undefined {
    return this.#stayOf(room, account)?.role;
  }

  standing(room: number, account: string): Standing {
    return this.#standings.get({ account, room }) ?? { banned: 0, muted: 0, invited: 0 };
  }

  /** Which rooms an account is in, as far as events up to this one say. */
  roomsOf(account: string, upTo: number): number[] {
    const rows = this.#statements.roomsOf.all({ account, upTo });
    return rows.map(({ room }) => room as number);
  }

  /** The names of the rooms that an account is in. */
  namesOf(account: string): string[] {
    return this.#statements.namesOf.all(account).map(({ name }) => name as string);
  }

  /** When an account has been in rooms, as far as it may still need messages of then: after an id. */
  staysOf(account: string, after: number): Pick<Stay, "room" | "since" | "until">[] {
    return this.#statements.staysOf.all({ account, after }) as unknown as Stay[];
  }

  /** A member may read messages of a room with higher ids than this; undefined for who is no member. */
  readableAfter({ id, from_start }: Room, account: string): number | undefined {
    const stay = this.#stayOf(id, account);
    return stay && (from_start === 1 ? 0 : stay.since);
  }

  /** The members of a room, by role and then by name: so many at most. */
  membersOf(room: number): RoomMember[] {
    const rows = this.#statements.membersOf.all(room);
    return rows.map(({ name, role, muted }) => ({
      name: name as string,
      role: role as RoomRole,
      muted: muted === 1,
    }));
  }

  /** The rooms that an account may see: its own, those that it is invited to, then the largest. */
  listFor(account: string): { count: number; rooms: RoomSummary[] } {
    const { list, hidden, countOpen } = this.#statements;
    const rooms = list.all({ account }).map(({ name, topic, members, closed, role, invited }) => ({
      name: name as string,
      topic: topic as string,
      members: members as number,
      ...closed === 1 && { closed: true },
      ...role !== null && { role: role as RoomRole },
      ...invited === 1 && { invited: true },
    }));
    const open = countOpen.get()!["count"] as number;
    return { count: open + (hidden.get({ account })!["count"] as number), rooms };
  }

  /** Who owns a room since its owner left it by this event, asked once; undefined where no owner left by it. */
  takeHeir(number: number): string | undefined {
    const heir = this.#heirs.get(number);
    this.#heirs.delete(number);
    return heir;
  }

  /** Why an event can't come to pass; undefined where it can. */
  judge(event: RoomEvent): ProtocolError | undefined {
    return judge(event, this);
  }

  /** Why an account can't say anything in a room; undefined where it can. */
  judgeSaying(room: number, from: string): ProtocolError | undefined {
    const account = foldUsername(from);
    const speaker = speakerOf(room, account);
    if (this.#speakers.has(speaker)) return undefined;
    // The rule itself, at once, for what nearly everybody may.
    if (this.#statements.maySay.get({ account, room }) === undefined) {
      return judgeSaying(room, account, this);
    }
    this.#speakers.add(speaker);
    return undefined;
  }

  /** Takes an event in. @returns why it changed nothing, if so */
  apply(number: number, event: RoomEvent): ProtocolError | undefined {
    const refused = this.judge(event);
    if (refused !== undefined) return refused;
    const entering = {
      account: foldUsername(event.by),
      name: event.by,
      since: number,
      at: event.at,
    };
    switch (event.type) {
      case "room-made": {
        const { name } = event;
        const [key, topic, ended] = [foldUsername(name), "", null];
        const room = { id: number, key, name, topic, closed: 0, from_start: 0, members: 0, ended };
        this.#rooms.put(room);
        this.#enter(number, { ...entering, role: "owner" });
        break;
      }
      case "room-joined":
        if (this.roleIn(event.room, entering.account) !== undefined) break;
        this.#enter(event.room, { ...entering, role: "member" });
        this.#stand(event.room, entering.account, { invited: 0 });
        break;
      case "room-left": {
        const heir = this.#part(event.room, entering.account, number);
        if (heir !== undefined) this.#heirs.set(number, heir);
        break;
      }
      case "room-act":
        this.#act(number, event);
    }
    return undefined;
  }

  /** An account has gone: from every room, and what held for it there. */
  removeAccount(account: string, number: number): void {
    const { allStaysOf, standingsOf } = this.#statements;
    for (const stay of allStaysOf.all(account) as unknown as Stay[]) {
      if (stay.until === null) this.#part(stay.room, account, number);
      this.#stays.remove(stay);
    }
    for (const { room } of standingsOf.all(account)) {
      this.#standings.remove({ account, room: room as number });
    }
  }

  /** Forgets who was in which room, and which rooms there were, where no message can be left of then. */
  expire(before: number): void {
    this.#statements.expireStays.run(before);
    this.#statements.expireRooms.run(before);
  }

  /** What was applied is on the disk. */
  keep(): void {
    for (const table of [this.#rooms, this.#stays, this.#standings]) table.keep();
  }

  /** Takes back what was applied since then. */
  takeBack(): void {
    for (const table of [this.#rooms, this.#stays, this.#standings]) table.putBack();
    this.#heirs.clear();
    this.#found.clear();
    this.#speakers.clear();
  }

  #stayOf(room: number, account: string): Stay | undefined {
    return this.#statements.stay.get(room, account) as Stay | undefined;
  }

  #act(number: number, { room, what, by, user = "", text }: RoomActEvent): void {
    const account = foldUsername(user);
    switch (what) {
      case "invite":
        return this.#stand(room, account, { invited: 1 });
      case "topic":
        return this.#change(room, { topic: text ?? "" });
      case "kick":
        this.#part(room, account, number);
        return;
      case "ban":
        this.#stand(room, account, { banned: 1, invited: 0 });
        this.#part(room, account, number);
        return;
      case "unban":
        return this.#stand(room, account, { banned: 0 });
      case "mute":
        return this.#stand(room, account, { muted: 1 });
      case "unmute":
        return this.#stand(room, account, { muted: 0 });
      case "moderator":
      case "member":
        return this.#promote(room, account, what);
      case "owner": {
        const owner = this.#statements.owner.get(room)?.["account"] as string | undefined;
        this.#promote(room, owner ?? foldUsername(by), "moderator");
        return this.#promote(room, account, "owner");
      }
      case "open":
      case "closed":
        return this.#change(room, { closed: what === "closed" ? 1 : 0 });
      case "from-join":
      case "from-start":
        return this.#change(room, { from_start: what === "from-start" ? 1 : 0 });
    }
  }

  #enter(room: number, stay: Omit<Stay, "room" | "until">): void {
    this.#stays.put({ ...stay, room, until: null });
    this.#change(room, { members: this.room(room)!.members + 1 });
  }

  /** An account is not in a room any more, if it was. @returns who owns the room now, if it was the owner */
  #part(room: number, account: string, number: number): string | undefined {
    const stay = this.#stayOf(room, account);
    if (stay === undefined) return undefined;
    this.#stays.put({ ...stay, until: number });
    this.#speakers.delete(speakerOf(room, account));
    for (const old of this.#statements.needless.all({ room, account, since: stay.since })) {
      this.#stays.remove({ account, room, since: old["since"] as number });
    }
    const members = this.room(room)!.members - 1;
    this.#change(room, { members });
    if (members === 0) this.#end(room, number);
    if (members === 0 || stay.role !== "owner") return undefined;
    const heir = this.#statements.heir.get(room)! as { account: string; name: string };
    this.#promote(room, heir.account, "owner");
    return heir.name;
  }

  #end(room: number, number: number): void {
    this.#change(room, { key: null, ended: number });
    for (const { account } of this.#statements.standingsIn.all(room)) {
      this.#standings.remove({ account: account as string, room });
    }
  }

  #promote(room: number, account: string, role: RoomRole): void {
    const stay = this.#stayOf(room, account);
    if (stay !== undefined) this.#stays.put({ ...stay, role });
    // Nobody else could lift it any more.
    if (role === "owner" && this.standing(room, account).muted === 1) {
      this.#stand(room, account, { muted: 0 });
    }
  }

  #change(id: number, change: Partial<Room>): void {
    const room = this.#rooms.get({ id })!;
    if (room.key !== null) this.#found.delete(room.key);
    this.#rooms.put({ ...room, ...change });
  }

  #stand(room: number, account: string, change: Partial<Standing>): void {
    const standing = { ...this.standing(room, account), ...change };
    this.#speakers.delete(speakerOf(room, account));
    if (standing.banned + standing.muted + standing.invited > 0) {
      this.#standings.put({ ...standing, account, room });
    } else this.#standings.remove({ account, room });
  }
}

/** Who is in a room from an event on, or is not any more; undefined where an event says nothing of the kind. */
export function stayChangeOf(
  number: number,
  event: RoomEvent,
): { room: number; account: string; isIn: boolean } | undefined {
  switch (event.type) {
    case "room-made":
      return { room: number, account: foldUsername(event.by), isIn: true };
    case "room-joined":
    case "room-left":
      return {
        room: event.room,
        account: foldUsername(event.by),
        isIn: event.type === "room-joined",
      };
    case "room-act": {
      const { room, what, user = "" } = event;
      const ends = what === "kick" || what === "ban";
      return ends ? { room, account: foldUsername(user), isIn: false } : undefined;
    }
  }
}

function speakerOf(room: number, account: string): string {
  return `${room} ${account}`;
}

function prepare(database: Database) {
  return database.prepare({
    count: "SELECT count(*) AS count FROM rooms WHERE key IS NOT NULL",
    countOpen: "SELECT count(*) AS count FROM rooms WHERE key IS NOT NULL AND closed = 0",
    find: "SELECT * FROM rooms WHERE key = ?",
    stay: "SELECT * FROM stays WHERE room = ? AND account = ? AND until IS NULL",
    maySay: `SELECT 1 FROM stays LEFT JOIN standings USING (account, room)
      WHERE account = :account AND room = :room AND until IS NULL AND muted IS NOT 1`,
    roomsOf: `SELECT room FROM stays WHERE account = :account AND since <= :upTo
      AND (until IS NULL OR until > :upTo)`,
    namesOf: `SELECT rooms.name FROM stays JOIN rooms ON rooms.id = room
      WHERE account = ? AND until IS NULL ORDER BY key`,
    staysOf: `SELECT room, since, until FROM stays WHERE account = :account
      AND (until IS NULL OR until > :after)`,
    allStaysOf: "SELECT * FROM stays WHERE account = ?",
    standingsOf: "SELECT room FROM standings WHERE account = ?",
    standingsIn: "SELECT account FROM standings WHERE room = ?",
    membersOf: `SELECT name, role, coalesce(muted, 0) AS muted
      FROM stays LEFT JOIN standings USING (account, room)
      WHERE room = ? AND until IS NULL
      ORDER BY CASE role WHEN 'owner' THEN 0 WHEN 'moderator' THEN 1 ELSE 2 END, account
      LIMIT ${MAX_LISTED_USERS}`,
    // Of who comes and goes for ever only the last times are kept, and those when nothing was said are not.
    needless:
      `SELECT since FROM stays WHERE account = :account AND room = :room AND until IS NOT NULL
        AND since NOT IN (SELECT since FROM stays WHERE account = :account AND room = :room
          ORDER BY since DESC LIMIT ${STAYS})
      UNION SELECT :since WHERE NOT EXISTS
        (SELECT 1 FROM messages WHERE messages.room = :room AND id > :since)`,
    owner: "SELECT account FROM stays WHERE room = ? AND until IS NULL AND role = 'owner'",
    heir: `SELECT account, name FROM stays WHERE room = ? AND until IS NULL
      ORDER BY role = 'moderator' DESC, since LIMIT 1`,
    list: `SELECT * FROM (
        SELECT key, rooms.name, topic, members, closed, role, 0 AS invited FROM stays
        JOIN rooms ON rooms.id = room WHERE account = :account AND until IS NULL
        ORDER BY key)
      UNION ALL SELECT * FROM (
        SELECT key, name, topic, members, closed, NULL, 1 FROM standings
        JOIN rooms ON rooms.id = room WHERE account = :account AND invited = 1
        ORDER BY key LIMIT ${MAX_LISTED_ROOMS})
      UNION ALL SELECT * FROM (
        SELECT key, name, topic, members, closed, NULL, 0 FROM rooms
        WHERE key IS NOT NULL AND closed = 0
        AND id NOT IN (SELECT room FROM stays WHERE account = :account AND until IS NULL)
        AND id NOT IN (SELECT room FROM standings WHERE account = :account AND invited = 1)
        ORDER BY members DESC, key LIMIT ${MAX_LISTED_ROOMS})`,
    hidden: `SELECT count(*) AS count FROM rooms WHERE closed = 1 AND (
        id IN (SELECT room FROM stays WHERE account = :account AND until IS NULL)
        OR id IN (SELECT room FROM standings WHERE account = :account AND invited = 1))`,
    expireStays: "DELETE FROM stays WHERE until < ?",
    expireRooms: "DELETE FROM rooms WHERE ended < ?",
  });
}
