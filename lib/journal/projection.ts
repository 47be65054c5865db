import { credentialOf, parseCredentialsLine } from "../accounts/credentials_line.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { CredentialsTable } from "../messages/credentials_table.ts";
import type { Database } from "../messages/database.ts";
import { type Deletion, Deletions } from "../messages/deletions.ts";
import { Erasures } from "../messages/erasures.ts";
import { LoginTable } from "../messages/login_table.ts";
import { type HistoryRule, Mailboxes } from "../messages/mailboxes.ts";
import { MessageLog } from "../messages/message_log.ts";
import { OperatorTable } from "../messages/operator_table.ts";
import { Position } from "../messages/position.ts";
import { Postings } from "../messages/postings.ts";
import { RoomTable } from "../messages/room_table.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { Message } from "../protocol/records.ts";
import type { ServerRole } from "../protocol/roles.ts";
import type {
  AccountChangedEvent,
  JournalEvent,
  MessageDeletedEvent,
  MessageEvent,
  OperationEvent,
  RoomEvent,
} from "./events.ts";
import type { Entry, Reader } from "./journal.ts";

/** A message that is on the disk. */
export interface StoredMessage {
  message: Message;
  /** By which its sender sent it; undefined where that is not known. */
  login?: number | undefined;
  /** The number of the room that it was said in; undefined in the lobby, or to one account. */
  room?: number | undefined;
}

/** What became of an account of a cluster. */
export interface AccountChange {
  account: string;
  /** Its line of `credentials.txt`; undefined where it has gone. */
  line: string | undefined;
  /** The login whose user did it, and which goes on. */
  by?: number | undefined;
}

/** Options of {@linkcode Projection}. */
export interface ProjectionOptions {
  /** Which stream the events are of. @default they are this server's own */
  stream?: string;
  /** Which public messages an account may read. @default "joined" */
  history?: HistoryRule;
}

/** What the events amount to: the tables of a database, each of which is read by whoever wants to know. */
export class Projection implements Reader {
  readonly messages: MessageLog;
  readonly postings: Postings;
  readonly mailboxes: Mailboxes;
  readonly logins: LoginTable;
  readonly rooms: RoomTable;
  readonly operators: OperatorTable;
  readonly deletions: Deletions;
  readonly credentials: CredentialsTable;
  readonly erasures: Erasures;
  readonly position: Position;
  readonly #database: Database;
  readonly #stream: string | null;
  #last: number;
  /** Accounts that have gone, by events that are not on the disk yet. */
  #gone: string[] = [];
  /** Accounts that have another role, by events that are not on the disk yet. */
  #roles: [account: string, role: ServerRole][] = [];
  /** Which messages were deleted, by the numbers of events that are not on the disk yet. */
  readonly #deletions = new Map<number, Deletion>();
  /** What became of a cluster's accounts, by events that are not on the disk yet. */
  #accounts: AccountChange[] = [];
  /** Whether messages were deleted that the files may still hold. */
  #deleted = false;
  /** Whether messages after the last event may be in the database, which nobody got. */
  #unsure = false;

  /** Takes new messages in the order of their ids. */
  onMessages: (messages: readonly StoredMessage[]) => void = () => {};
  /** Takes what has changed in a room: after the messages before it, and before those after it. */
  onRoom: (number: number, event: RoomEvent) => void = () => {};
  /** Takes what an operator has done: after the messages before it, and before those after it. */
  onOperation: (event: OperationEvent) => void = () => {};
  /** Takes what was deleted of the messages: after those before it, and before those after it. */
  onDeletion: (deletion: Deletion) => void = () => {};
  /** Takes the key of an account that has another role on the server. */
  onRole: (account: string, role: ServerRole) => void = () => {};
  /** Takes the key of an account that has gone, before the messages of the same batch. */
  onGone: (account: string) => void = () => {};
  /** Is told that the client of a login has come to a server. */
  onMoved: (login: number, server: string) => void = () => {};
  /** Takes what became of a cluster's accounts, after who has gone and before the messages of the same batch. */
  onAccounts: (changes: readonly AccountChange[]) => void = () => {};

  /** @throws {ExitError} `refused`, where the tables know events of another stream */
  constructor(database: Database, { stream, history = "joined" }: ProjectionOptions = {}) {
    this.#database = database;
    this.#stream = stream ?? null;
    this.position = new Position(database, this.#stream);
    this.postings = new Postings(database);
    this.mailboxes = new Mailboxes(database, { history, postings: this.postings });
    this.rooms = new RoomTable(database);
    this.operators = new OperatorTable(database);
    this.messages = new MessageLog(database, this);
    this.deletions = new Deletions(database, this);
    this.logins = new LoginTable(database);
    this.credentials = new CredentialsTable(database);
    this.erasures = new Erasures(database);
    const { foreign } = this.position;
    if (foreign !== undefined) throw refuse(foreign.stream);
    this.#last = this.position.last;
    this.messages.publish(this.#last);
  }

  get last(): number {
    return this.#last;
  }

  apply(entries: readonly Entry[]): void {
    // What was refused is not there after the next start either.
    if (this.#unsure) {
      this.messages.takeBack();
      this.deletions.takeBack();
      this.rooms.takeBack();
      this.operators.takeBack();
    }
    this.#unsure = false;
    const newest = entries.at(-1);
    if (newest === undefined) return;
    // Before messages that may be taken back.
    this.postings.write();
    for (const entry of entries) this.#apply(entry, entry.event);
    // A message that is there says it as well: one page less to write.
    const said = newest.event.type === "message" && newest.outcome === newest.number;
    if (!said || this.#last === 0) this.position.advance(newest.number);
  }

  committed(entries: readonly Entry[]): void {
    const newest = entries.at(-1);
    if (newest === undefined) return;
    this.#last = newest.number;
    this.messages.publish(this.#last);
    this.rooms.keep();
    this.operators.keep();
    this.deletions.keep();
    if (this.#deleted) this.#database.scrub();
    this.#deleted = false;
    const gone = this.#gone;
    this.#gone = [];
    for (const account of gone) this.onGone(account);
    const roles = this.#roles;
    this.#roles = [];
    for (const [account, role] of roles) this.onRole(account, role);
    const accounts = this.#accounts;
    this.#accounts = [];
    if (accounts.length > 0) this.onAccounts(accounts);
    for (const { number, event, outcome } of entries) {
      if (event.type !== "login-moved" || outcome !== number) continue;
      this.onMoved(event.login, event.server);
    }
    this.#tell(entries);
    this.#deletions.clear();
  }

  /** Whether the tables are as they were after the newest event, which a failure of the disk may have changed. */
  get isSettled(): boolean {
    return !this.#unsure && this.position.last === this.#last;
  }

  /** The tables were filled from elsewhere. */
  reload(): void {
    this.#last = this.position.last;
    this.messages.publish(this.#last);
    this.messages.forgetRequests();
    this.mailboxes.forgetMet();
    this.postings.forget();
    this.operators.reload();
  }

  failed(): void {
    this.#unsure = true;
    this.#gone = [];
    this.#roles = [];
    this.#accounts = [];
    this.#deletions.clear();
    this.messages.forgetRequests();
    this.mailboxes.forgetMet();
    this.postings.forget();
  }

  abandon(): void {
    this.position.restore();
  }

  /** Whoever delivers messages knows who is in which room when each of them was sent. */
  #tell(entries: readonly Entry[]): void {
    let messages: StoredMessage[] = [];
    const deleted = new Map(
      this.#deletions.values().map((deletion) => [deletion.message, deletion]),
    );
    const flush = () => {
      if (messages.length > 0) this.onMessages(messages);
      messages = [];
    };
    for (const { number, event, outcome } of entries) {
      if (outcome !== number) continue;
      if (event.type === "message") {
        messages.push(this.#stored(number, event, deleted.get(number)));
      } else if (isRoomEvent(event)) {
        flush();
        this.onRoom(number, event);
      } else if (event.type === "operation") {
        flush();
        this.onOperation(event);
      } else if (event.type === "message-deleted") {
        flush();
        this.onDeletion(this.#deletions.get(number)!);
      }
    }
    flush();
  }

  #stored(id: number, event: MessageEvent, deletion: Deletion | undefined): StoredMessage {
    const { from, to, room, sent, announcement, origin } = event;
    const name = room === undefined ? undefined : this.rooms.nameOf(room);
    const message = {
      id,
      from,
      to,
      room: name,
      sent,
      text: deletion === undefined ? event.text : "",
      ...deletion && { deleted: deletion.by },
      ...announcement && { announcement },
    };
    return { message, login: origin?.login, room };
  }

  #apply(entry: Entry, event: JournalEvent): void {
    const { number } = entry;
    if (entry.outcome instanceof Error) return this.#disown(entry);
    switch (event.type) {
      case "message":
        entry.outcome = this.messages.insert(number, event);
        this.#disown(entry);
        if (event.announcement && entry.outcome === number) {
          this.operators.noteAnnouncement(event, number);
        }
        return;
      case "acknowledgement":
        return this.mailboxes.acknowledge(event.account, event.messages);
      case "account-made": {
        const { account, identity, since } = event;
        this.#remove(account, number);
        this.#share(event);
        return this.mailboxes.open(account, { identity, since, delivered: number });
      }
      case "account-changed": {
        const { account, identity, role, at = 0 } = event;
        if (this.mailboxes.isAnother(account, identity)) this.#remove(account, number);
        this.#share(event);
        if (role !== undefined && this.operators.setRole(account, role, { number, at })) {
          this.#roles.push([account, role]);
        }
        return this.mailboxes.open(account, { identity, since: number, delivered: number });
      }
      case "account-removed":
        this.credentials.remove(event.account);
        this.#accounts.push({ account: event.account, line: undefined });
        return this.#remove(event.account, number);
      case "account-seen":
        return this.mailboxes.see(event.account, event.last);
      case "login":
        if (this.logins.add(number, event)) this.messages.forgetRequests();
        return;
      case "login-extended":
        return this.logins.extend(event.login, event.expires);
      case "login-moved":
        return;
      case "login-renewed":
        return this.logins.renew(event.login, event.credential);
      case "login-ended":
        this.messages.forgetRequests(event.login);
        return this.logins.end(event.login);
      case "logins-expired":
        if (this.logins.expire(event.by)) this.messages.forgetRequests();
        return;
      case "messages-expired":
        if (this.messages.expire(event.before)) this.#deleted = true;
        this.operators.expire(event.before);
        return this.rooms.expire(event.before);
      case "rooms-heard":
        for (const [account, upTo] of event.accounts) this.mailboxes.hear(account, upTo);
        return;
      case "message-deleted":
        entry.outcome = this.#delete(number, event);
        return;
      case "operation":
        entry.outcome = this.operators.apply(number, event) ?? number;
        return;
      default:
        entry.outcome = this.operators.judgeRoom(event) ?? this.rooms.apply(number, event) ??
          number;
    }
  }

  /** An account of a cluster is known by its line. */
  #share({ account, identity, line, by }: AccountLine): void {
    if (line === undefined) return;
    this.credentials.put(account, line, identity);
    this.#accounts.push({ account, line, by });
    const parsed = parseCredentialsLine(line);
    if (by !== undefined && parsed !== undefined) this.logins.renew(by, credentialOf(parsed));
  }

  #delete(number: number, event: MessageDeletedEvent): number | ProtocolError {
    const deletion = this.deletions.apply(event);
    if (deletion instanceof ProtocolError) return deletion;
    this.operators.noteDeletion(event, { number, user: deletion.from });
    this.#deletions.set(number, deletion);
    this.#erase(event.message, number);
    this.#deleted = true;
    return number;
  }

  #remove(account: string, number: number): void {
    this.rooms.removeAccount(account, number);
    this.operators.removeAccount(account);
    if (this.mailboxes.close(account)) this.#gone.push(account);
    for (const id of this.messages.forgetDirect(account)) {
      this.#erase(id, number);
      this.#deleted = true;
    }
  }

  /** A message that came to nothing here shall not stay elsewhere. */
  #disown({ number, event, outcome }: Entry): void {
    if (event.type === "message" && outcome !== number) this.#erase(number, number);
  }

  /** The text of a message leaves the stream of a cluster too, since an event says so. */
  #erase(message: number, event: number): void {
    if (this.#stream !== null) this.erasures.add(message, event);
  }
}

type AccountLine = Pick<AccountChangedEvent, "account" | "identity" | "line" | "by">;

function refuse(stream: string | null): ExitError {
  return new ExitError(
    ExitCode.refused,
    stream === null
      ? "this data folder is a single server's: a server of a cluster begins with a folder of its own"
      : `this data folder belongs to the cluster whose stream is ${stream}: start the server with ` +
        "--cluster and that cluster's address, or take another data folder",
  );
}

function isRoomEvent(event: JournalEvent): event is RoomEvent {
  return event.type.startsWith("room-");
}
