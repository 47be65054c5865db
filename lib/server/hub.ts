import type { Clock } from "../clock.ts";
import type { Origin } from "../journal/events.ts";
import { type Journal, settlement, type Waiter } from "../journal/journal.ts";
import type { Projection } from "../journal/projection.ts";
import type { Deletion } from "../messages/deletions.ts";
import { foldUsername } from "../protocol/names.ts";
import type { HeldMemory } from "../protocol/record_block.ts";
import { encodeRecord, type Progress } from "../protocol/records.ts";
import { type Elsewhere, type Marks, NOWHERE } from "../cluster/elsewhere.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import type { ActiveUser, ExpelCode, Member } from "./active_user.ts";
import { ActiveUsers } from "./active_users.ts";
import { Backpressure } from "./backpressure.ts";
import { CatchUp } from "./catch_up.ts";
import { CommandRates } from "./command_rates.ts";
import { type Counts, noCounts } from "./counts.ts";
import { Crowds } from "./crowds.ts";
import { enforce, tellRole } from "./enforcement.ts";
import { FanOut } from "./fan_out.ts";
import { DeliveryMarks, divide, together } from "./marks.ts";
import { RoomNews } from "./room_news.ts";
import { RecentRate } from "./recent_rate.ts";
import { Presence } from "./presence.ts";

/** About so many bytes of a message's record are not its text. */
const RECORD_BYTES = 100;

/** Of so many public messages it is known how far they got. */
const MARKS = 10_000;

/** What a user's sessions at other servers left is given to those here after so long, in milliseconds. */
const ADOPT_MS = 1_000;

/** Options of {@linkcode Hub}. */
export interface HubOptions {
  clock: Clock;
  journal: Journal;
  projection: Projection;
  /** Who is at the other servers. @default there is no other one */
  elsewhere?: Elsewhere;
  /** Where it counts the messages that were stored. @default nobody counts */
  counts?: Counts["messages"];
  /** How fast an account may command. */
  rate: { burst: number; perSecond: number };
  /** The most bytes of messages that may wait for all sessions together. */
  maxBacklogBytes: number;
  /** An account may have so many sessions. @default any number */
  maxSessions?: number;
}

/** What is to be sent; without an account and a room it is for everybody. */
export interface Draft {
  /** The account's username as it was registered. */
  to?: string;
  /** The room's number. */
  room?: number;
  text: string;
  /** Whether its sender speaks for the server. */
  announcement?: true;
  /** By which the request is recognised when it comes again. */
  origin: Origin | undefined;
}

/** Who gets what, of those who are here. */
export class Hub {
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #state: Projection;
  readonly #elsewhere: Elsewhere;
  /** What waits for all sessions together; what waits for several counts once. */
  readonly #held: HeldMemory = { bytes: 0 };
  /** Who is here, and at the other servers of the cluster. */
  readonly users: ActiveUsers;
  readonly rates: CommandRates;
  readonly #marks = new DeliveryMarks(MARKS);
  readonly #catchUp: CatchUp;
  readonly #crowds = new Crowds();
  readonly #acknowledgements: Acknowledgements;
  readonly #pressure: Backpressure;
  readonly #recent: RecentRate;
  /** Who is told of who comes and goes. */
  readonly presence: Presence;

  constructor(options: HubOptions) {
    const { clock, journal, projection, elsewhere = NOWHERE, rate, maxBacklogBytes } = options;
    this.#clock = clock;
    this.#journal = journal;
    this.#state = projection;
    this.#elsewhere = elsewhere;
    this.users = new ActiveUsers(elsewhere);
    this.rates = new CommandRates({ clock, ...rate });
    this.presence = new Presence(clock);
    this.#recent = new RecentRate(clock);
    const written = (user: ActiveUser) => this.users.forgetGone(user);
    this.#acknowledgements = new Acknowledgements({ clock, journal, written });
    const members = () => this.users.members();
    this.#pressure = new Backpressure({ clock, held: this.#held, maxBacklogBytes, members });
    const fanOut = new FanOut({
      ...{ users: this.users.kept, crowds: this.#crowds, marks: this.#marks, held: this.#held },
      pressure: this.#pressure,
      counts: options.counts ?? noCounts().messages,
    });
    const { rooms } = projection;
    const active = (username: string) => this.users.here(username);
    const news = new RoomNews({ rooms, crowds: this.#crowds, presence: this.presence, active });
    this.#catchUp = new CatchUp({
      clock,
      messages: projection.messages,
      heldElsewhere: (key) => this.users.isElsewhere(key),
      give: (user, member, items) => fanOut.givePage(user, member, items),
    });
    projection.onMessages = (messages) => {
      this.#recent.add(messages.length);
      fanOut.give(messages);
    };
    projection.onRoom = (number, event) => news.note(number, event);
    projection.onRole = (account, role) => tellRole(account, role, this);
    projection.onOperation = (event) => enforce(event, this);
    projection.onDeletion = (deletion) => this.#tellDeletion(deletion);
    projection.onGone = (account) => this.#forgetAccount(account);
    elsewhere.onUser = (key, { username }, change) => this.#noteElsewhere(key, username, change);
    elsewhere.onCounted = (key) => this.#capSessions(key, options.maxSessions);
    elsewhere.onMarks = (message) =>
      divide(this.#marks.find(message) ?? new Map(), (key) => this.users.isElsewhere(key));
  }

  /** What waits for all sessions together, in bytes. */
  get backlogBytes(): number {
    return this.#held.bytes;
  }

  /** Those that were stored, on average over the last minute. */
  get messagesPerSecond(): number {
    return this.#recent.perSecond;
  }

  /**
   * Makes a session's user active, and gives the session what it has missed: direct messages that nobody
   * has acknowledged and no other session of the user's has, then everything after a message.
   *
   * @param last the id of the newest message that the session does not need
   * @param began the newest one when its client logged in
   * @returns a promise that is fulfilled when it has all of that, or has ended
   */
  join(member: Member, { last, began }: { last: number; began: number }): Promise<void> {
    const user = this.users.enter(member, this.#clock.date().getTime());
    member.ledger = this.#marks.open(user.key, member.deliveries);
    const isFirst = user.members.length === 1;
    if (isFirst && !this.users.isElsewhere(user.key)) this.presence.came(user.username);
    const caughtUp = async () => {
      if (isFirst) this.#enterRooms(user);
      await this.#catchUp.run(user, member, { last, began });
    };
    return caughtUp().catch((error) => {
      // With a gap it must not go on: the client would never ask for what is in it again.
      if (user.members.includes(member)) member.fail("internal", (error as Error).message);
    });
  }

  /** What only this session had goes to another one of its user's. */
  leave(member: Member): void {
    const user = this.users.here(member.username);
    if (user?.members.includes(member) !== true) return;
    this.acknowledged(member);
    this.#marks.close(member.ledger!);
    member.ledger = undefined;
    this.users.leave(user, member);
    this.#pressure.left(member);
    this.presence.unwatch(member);
    user.heard.leave(member.deliveries);
    if (user.unread.leave(member.deliveries)) {
      user.orphans = true;
      void this.#catchUp.adopt(user);
    }
    if (user.members.length > 0) return;
    if (!this.users.isElsewhere(user.key)) this.#goneEverywhere(user);
    for (const room of user.rooms ?? []) this.#crowds.remove(room, user);
    this.#acknowledgements.flush(user);
    this.users.forgetGone(user);
  }

  /**
   * Stores a text, then delivers it: to all sessions of one account, to the members of a room, or to every active
   * user but its sender, on none of whose sessions it appears. A direct message to somebody who is not active waits for
   * the next login. A request that comes again does nothing.
   *
   * @param waiter is told the message's id; or `not-stored`, `duplicate-id`, or why the sender can't say it
   */
  post(from: string, { to, room, text, announcement, origin }: Draft, waiter: Waiter): void {
    const sent = this.#clock.date().getTime();
    const user = this.users.here(from);
    if (user !== undefined) user.lastSent = sent;
    const event = { type: "message", from, to, room, sent, text, announcement, origin } as const;
    this.#journal.post(event, waiter);
  }

  /** The same. @returns the message's id */
  send(from: string, draft: Draft): Promise<number> {
    return settlement((waiter) => this.post(from, draft, waiter));
  }

  /** A session has acknowledged more than before. */
  acknowledged(member: Member): void {
    const user = this.users.here(member.username);
    if (user === undefined) return;
    if (user.heard.acknowledged(member.deliveries)) this.#acknowledgements.noteHeard(user);
    const first = user.unread.acknowledged(member.deliveries);
    if (first.length === 0) return;
    for (const { id, number } of first) {
      this.#marks.acknowledged(id, member.deliveries.wentByTcp(number) ? "tcp" : "udp");
    }
    this.#acknowledgements.noteDirect(user, first);
  }

  /**
   * How far a user's own message got; undefined where the user has sent no such message.
   *
   * @param elsewhere how far it got at other servers
   * @returns an empty object where nothing is known but that it is stored
   */
  status(
    sender: string,
    { message, elsewhere }: { message: number; elsewhere: readonly Marks[] },
  ): { progress?: Progress } | undefined {
    const account = foldUsername(sender);
    const { messages, mailboxes } = this.#state;
    const own = messages.senderOf(message) === account;
    if (!own || message <= mailboxes.entitlement(account).ownAfter) return undefined;
    const progress = together(this.#marks.find(message), elsewhere);
    if (progress !== undefined) return { progress };
    return messages.isUndelivered(message) ? { progress: { users: 1, udp: 0, tcp: 0 } } : {};
  }

  /** How far a message got at other servers; undefined where there are none. */
  marksElsewhere(message: number): Promise<Marks[]> | undefined {
    return this.#elsewhere.marks(message);
  }

  /** Sends a record to every session. */
  tellAll(line: string): void {
    for (const member of this.users.members()) member.notify(line);
  }

  /** Sends a record to the sessions of an account. */
  tell(username: string, line: string): void {
    for (const member of this.users.here(username)?.members ?? []) member.notify(line);
  }

  /** Ends all sessions of an account, but one if that is named. */
  expel(
    username: string,
    why: string,
    { spared, code }: { spared?: Member | undefined; code?: ExpelCode } = {},
  ): void {
    for (const member of this.users.here(username)?.members ?? []) {
      if (member !== spared) member.expel(why, code);
    }
  }

  /**
   * What a sender waits for before its next message: for receivers of the last one who are far behind, or
   * because the server has too much to deliver. Undefined where nobody is behind.
   *
   * @param to the one receiver, or the room; by default every active user
   */
  relief(
    { text, to, room }: { text: string; to?: string; room?: number },
  ): Promise<void> | undefined {
    const only = to === undefined ? undefined : foldUsername(to);
    const receivers = only !== undefined
      ? 1
      : room !== undefined
      ? this.#crowds.of(room).size
      : this.users.countHere;
    return this.#pressure.relief(
      receivers * (text.length + RECORD_BYTES),
      (key) =>
        only !== undefined
          ? key === only
          : room === undefined || this.users.kept.get(key)?.rooms?.has(room) === true,
    );
  }

  #goneEverywhere({ key, username }: ActiveUser): void {
    this.presence.went(username);
    // Where it can't be stored, more than there was counts as unread.
    const seen = { type: "account-seen", account: key, last: this.#journal.last } as const;
    this.#journal.append(seen).catch(() => {});
  }

  /** A user has come to other servers, or has gone from all of them. */
  #noteElsewhere(key: string, username: string, change: "came" | "went"): void {
    this.users.noteElsewhere(key, change);
    const user = this.users.here(key);
    if (user === undefined) {
      if (change === "came") this.presence.came(username);
      else this.presence.went(username);
      return;
    }
    if (change === "came") return;
    // What was acknowledged there is known here a moment later.
    this.#clock.after(ADOPT_MS, () => {
      user.orphans = true;
      void this.#catchUp.adopt(user);
    });
  }

  /** An account of this key has gone: nothing of it is for another one of its name. */
  #forgetAccount(key: string): void {
    const user = this.users.kept.get(key);
    for (const member of user?.members ?? []) {
      member.expel("the account was removed");
    }
    this.users.forget(key);
    if (user !== undefined) this.#acknowledgements.forget(user);
    this.rates.forget(key);
  }

  /** The user is active from now on, in the rooms that it is in. */
  #enterRooms(user: ActiveUser): void {
    const { mailboxes, rooms } = this.#state;
    user.heard.written(mailboxes.heard(user.key));
    user.heard.isNeeded = rooms.staysOf(user.key, user.heard.upTo).length > 0;
    for (const room of rooms.roomsOf(user.key, this.#journal.last)) this.#crowds.add(room, user);
  }

  /** Tells those who are here, and may have got the message. */
  #tellDeletion({ room: number, ...deletion }: Deletion): void {
    const room = number === undefined ? undefined : this.#state.rooms.nameOf(number);
    const line = encodeRecord({ type: "deleted", ...deletion, room });
    if (number === undefined) return this.tellAll(line);
    // Not another account of the sender's name, made since: the room is none of its business.
    const { ownAfter } = this.#state.mailboxes.entitlement(foldUsername(deletion.from));
    const sender = deletion.message > ownAfter ? this.users.here(deletion.from) : undefined;
    for (const { members } of new Set([...this.#crowds.of(number), ...sender ? [sender] : []])) {
      for (const member of members) member.notify(line);
    }
  }

  /**
   * Ends sessions that are too many: the account was logged in at another server at the same time, and that one came
   * first.
   */
  #capSessions(key: string, most = Infinity): void {
    const members = this.users.here(key)?.members ?? [];
    const over = this.users.sessionsOf(key) - most;
    for (const member of over > 0 ? members.slice(-over) : []) {
      member.fail("too-many-sessions", `this account is logged in ${most} times already`);
    }
  }
}
