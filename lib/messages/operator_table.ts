import type {
  MessageDeletedEvent,
  MessageEvent,
  OperationEvent,
  RoomEvent,
} from "../journal/events.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { foldUsername } from "../protocol/names.ts";
import { type Operation, OPERATIONS, type ServerRole, TELLING } from "../protocol/roles.ts";
import type { Database } from "./database.ts";
import { Rows } from "./rows.ts";

/**
 * Who may not write (`mute`), or not be here (`ban`); or from where no new accounts come (`address`), which may be
 * everywhere (`lock`).
 */
export interface Restriction {
  what: "mute" | "ban" | "address" | "lock";
  /** The username, or the address; null where it holds for everybody but operators. */
  user: string | null;
  /** Null where it was done on the server's own machine; so with everything else that was. */
  by: string | null;
  at: number;
  /** Null where only an operator ends it. */
  until: number | null;
  why: string | null;
}

/** What an operator did, or what was done to one. */
export interface DoneOperation {
  /** The number of its event. */
  id: number;
  what: Operation | ServerRole;
  by: string | null;
  at: number;
  /** The username, or the address; who sent the message. */
  user: string | null;
  /** The number of the message that was deleted. */
  message: number | null;
  until: number | null;
  why: string | null;
}

/** Under which account what holds for everybody is kept: no username is empty. */
const EVERYBODY = "";

type RestrictionRow = Restriction & { account: string };

/** Who is an operator, what operators did, and what holds because of that. What can't come to pass changes nothing. */
export class OperatorTable {
  readonly #roles: Rows<{ account: string }, "account">;
  readonly #restrictions: Rows<RestrictionRow, "account" | "what">;
  readonly #operations: Rows<DoneOperation, "id">;
  readonly #statements;
  /** The tables in memory, since each message asks them. */
  #operators = new Set<string>();
  #restricted = new Map<string, RestrictionRow>();

  constructor(database: Database) {
    this.#roles = new Rows(database, { table: "operators", key: ["account"], values: [] });
    this.#restrictions = new Rows(database, {
      table: "restrictions",
      key: ["account", "what"],
      values: ["user", "by", "at", "until", "why"],
    });
    this.#operations = new Rows(database, {
      table: "operations",
      key: ["id"],
      values: ["what", "by", "at", "user", "message", "until", "why"],
    });
    this.#statements = database.prepare({
      operators: "SELECT account FROM operators",
      restrictions: "SELECT * FROM restrictions",
      recent: "SELECT * FROM operations ORDER BY id DESC LIMIT ?",
      expire: "DELETE FROM operations WHERE id < ?",
    });
    this.reload();
  }

  /** The keys of the operators' accounts. */
  get operators(): ReadonlySet<string> {
    return this.#operators;
  }

  isOperator(account: string): boolean {
    return this.#operators.has(account);
  }

  /** What keeps an account from being here at a time; undefined where nothing does. */
  ban(account: string, at: number): Restriction | undefined {
    return this.#find(account, "ban", at);
  }

  /** What keeps an address from making accounts, and from using those that were made since. */
  addressBan(address: string, at: number): Restriction | undefined {
    return this.#find(foldUsername(address), "address", at);
  }

  /** What keeps everybody from making accounts at a time; undefined where nothing does. */
  lock(at: number): Restriction | undefined {
    return this.#find(EVERYBODY, "lock", at);
  }

  /** What keeps an account from writing at a time; undefined where nothing does. */
  mute(account: string, at: number): Restriction | undefined {
    const quiet = this.isOperator(account) ? undefined : this.#find(EVERYBODY, "mute", at);
    return this.#find(account, "mute", at) ?? quiet;
  }

  /** Everything that holds at a time, the newest last. */
  restrictions(at: number): Restriction[] {
    const all = [...this.#restricted.values()].filter((found) => isInForce(found, at));
    return all.sort((a, b) => a.at - b.at).map(({ account: _, ...restriction }) => restriction);
  }

  /** What operators did last, in order. */
  recent(count: number): DoneOperation[] {
    return this.#statements.recent.all(count).reverse() as unknown as DoneOperation[];
  }

  /** Why a message can't be sent by who sends it; undefined where it can. */
  judgeSaying({ from, to, sent, announcement }: MessageEvent): ProtocolError | undefined {
    if (announcement || this.#restricted.size === 0) return undefined;
    const mute = this.mute(foldUsername(from), sent);
    // Who is muted can still ask an operator why.
    if (mute === undefined || to !== undefined && this.isOperator(foldUsername(to))) {
      return undefined;
    }
    return new ProtocolError("muted", describeMute(mute));
  }

  /** The same of what is done in a room: a room's name and its topic are texts as well, which others are shown. */
  judgeRoom(event: RoomEvent): ProtocolError | undefined {
    if (this.#restricted.size === 0) return undefined;
    const tells = event.type === "room-made" ||
      event.type === "room-act" && TELLING.has(event.what);
    const mute = tells ? this.mute(foldUsername(event.by), event.at) : undefined;
    return mute && new ProtocolError("muted", describeMute(mute));
  }

  /** Why an event can't come to pass; undefined where it can. */
  judge({ what, by, user, address, at }: OperationEvent): ProtocolError | undefined {
    if (by !== undefined && !this.isOperator(foldUsername(by))) {
      return notAllowed(`only an operator of the server can ${what}, and you are none`);
    }
    if (what === "unquiet") {
      const isQuiet = this.#find(EVERYBODY, "mute", at) !== undefined;
      return isQuiet ? undefined : notAllowed("the chat is not quiet");
    }
    if (what === "unlock") {
      return this.lock(at) !== undefined ? undefined : notAllowed("the chat is not locked");
    }
    if (what === "unban-address") {
      const isBanned = this.addressBan(address ?? "", at) !== undefined;
      return isBanned ? undefined : notAllowed(`${address} is not banned`);
    }
    if (OPERATIONS[what].takes !== "user") return undefined;
    if (user === undefined) return new ProtocolError("no-such-user", `${what} takes a username`);
    const account = foldUsername(user);
    if (by !== undefined && account === foldUsername(by)) {
      return notAllowed(`nobody can ${what} themselves`);
    }
    if (what === "unmute" || what === "unban") {
      const [kind, state] = what === "unmute"
        ? ["mute", "muted"] as const
        : ["ban", "banned"] as const;
      const holds = this.#find(account, kind, at) !== undefined;
      return holds ? undefined : notAllowed(`${user} is not ${state}`);
    }
    if (!this.isOperator(account)) return undefined;
    return notAllowed(
      `${user} is an operator: who runs the server can change that, with "chatserver users role"`,
    );
  }

  /** Takes an event in. @returns why it changed nothing, if so */
  apply(number: number, event: OperationEvent): ProtocolError | undefined {
    const refused = this.judge(event);
    if (refused !== undefined) return refused;
    const { what, by = null, at, until = null, why = null } = event;
    const user = event.user ?? event.address ?? null;
    for (const row of this.#restricted.values()) if (!isInForce(row, at)) this.#lift(row);
    const account = foldUsername(user ?? EVERYBODY);
    switch (what) {
      case "mute":
      case "ban":
      case "lock":
      case "quiet": {
        const kind = what === "quiet" ? "mute" : what;
        this.#restrict({ account, what: kind, user, by, at, until, why });
        break;
      }
      case "unmute":
      case "unquiet":
        this.#lift({ account, what: "mute" });
        break;
      case "unban":
        this.#lift({ account, what: "ban" });
        break;
      case "unlock":
        this.#lift({ account, what: "lock" });
        break;
      case "ban-address":
        this.#restrict({ account, what: "address", user, by, at, until, why });
        break;
      case "unban-address":
        this.#lift({ account, what: "address" });
    }
    this.#operations.put({ id: number, what, by, at, user, message: null, until, why });
    return undefined;
  }

  /** An operator has spoken for the server. */
  noteAnnouncement({ from: by, sent: at, text: why }: MessageEvent, number: number): void {
    const [user, message, until] = [null, null, null];
    this.#operations.put({ id: number, what: "announce", by, at, user, message, until, why });
  }

  /**
   * A message was deleted, by an operator or by a moderator of its room. The latter is not listed: everybody can make a
   * room and delete in it, until nothing of what operators did is on the list any more.
   */
  noteDeletion(
    event: MessageDeletedEvent,
    { number, user }: { number: number; user: string },
  ): void {
    const { by = null, at, message, why = null } = event;
    const [what, until] = ["delete", null] as const;
    if (by === null || this.isOperator(foldUsername(by))) {
      this.#operations.put({ id: number, what, by, at, user, message, until, why });
    }
    // An announcement stands here as well.
    const announced = this.#operations.get({ id: message });
    if (announced !== undefined) this.#operations.put({ ...announced, why: null });
  }

  /** Who runs the server has given an account a role. @returns false where it has that already */
  setRole(
    account: string,
    role: ServerRole,
    { number, at }: { number: number; at: number },
  ): boolean {
    if (this.isOperator(account) === (role === "operator")) return false;
    if (role === "operator") {
      this.#operators.add(account);
      this.#roles.put({ account });
    } else this.#dismiss(account);
    const [by, message, until, why] = [null, null, null, null];
    this.#operations.put({ id: number, what: role, by, at, user: account, message, until, why });
    return true;
  }

  /** An account has gone, and what it was with it. */
  removeAccount(account: string): void {
    if (this.isOperator(account)) this.#dismiss(account);
    for (const what of ["mute", "ban"] as const) {
      if (this.#restricted.has(keyOf(account, what))) this.#lift({ account, what });
    }
  }

  /** Forgets what was done before an event. */
  expire(before: number): void {
    this.#statements.expire.run(before);
  }

  /** What was applied is on the disk. */
  keep(): void {
    for (const table of [this.#roles, this.#restrictions, this.#operations]) table.keep();
  }

  /** Takes back what was applied since then. */
  takeBack(): void {
    for (const table of [this.#roles, this.#restrictions, this.#operations]) table.putBack();
    this.reload();
  }

  /** The tables were filled anew. */
  reload(): void {
    const { operators, restrictions } = this.#statements;
    this.#operators = new Set(operators.all().map(({ account }) => account as string));
    const rows = restrictions.all() as unknown as RestrictionRow[];
    this.#restricted = new Map(rows.map((row) => [keyOf(row.account, row.what), row]));
  }

  #find(account: string, what: Restriction["what"], at: number): Restriction | undefined {
    const found = this.#restricted.get(keyOf(account, what));
    return found !== undefined && isInForce(found, at) ? found : undefined;
  }

  #restrict(row: RestrictionRow): void {
    this.#restricted.set(keyOf(row.account, row.what), row);
    this.#restrictions.put(row);
  }

  #lift({ account, what }: Pick<RestrictionRow, "account" | "what">): void {
    this.#restricted.delete(keyOf(account, what));
    this.#restrictions.remove({ account, what });
  }

  #dismiss(account: string): void {
    this.#operators.delete(account);
    this.#roles.remove({ account });
  }
}

/** What a muted user is told: what, until when, and why. */
export function describeMute(
  { user, until, why }: Pick<Restriction, "user" | "until" | "why">,
): string {
  const what = user === null ? "the chat is quiet for everybody but operators" : "you are muted";
  return describe(what, until, why);
}

/** The same of a ban. */
export function describeBan({ until, why }: Pick<Restriction, "until" | "why">): string {
  return describe("you are banned", until, why);
}

/** The same of a ban of the user's address. */
export function describeAddressBan({ until, why }: Restriction): string {
  return describe("no new accounts are taken from your address", until, why);
}

/** What somebody is told who is new, where the chat is locked. */
export function describeLock({ until, why }: Restriction): string {
  return describe("the chat is locked: no new accounts are taken", until, why);
}

function describe(what: string, until: number | null, why: string | null): string {
  const end = until === null ? "until an operator ends that" : `until ${formatMinute(until)}`;
  return `${what} ${end}${why === null ? "" : `: ${why}`}`;
}

/** As `2026-01-31 10:30 UTC`, rounded up. */
function formatMinute(time: number): string {
  const minute = new Date(Math.ceil(time / 60_000) * 60_000).toISOString();
  return `${minute.slice(0, 16).replace("T", " ")} UTC`;
}

function isInForce({ until }: Restriction, at: number): boolean {
  return until === null || until > at;
}

function keyOf(account: string, what: Restriction["what"]): string {
  return `${what} ${account}`;
}

function notAllowed(why: string): ProtocolError {
  return new ProtocolError("not-allowed", why);
}
