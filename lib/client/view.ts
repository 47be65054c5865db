import type { Clock } from "../clock.ts";
import type { Console } from "../console/console.ts";
import { legibleLine } from "../console/foreign.ts";
import { hanging } from "../console/layout.ts";
import { foldUsername } from "../protocol/names.ts";
import { formatEndpoint } from "../net/connection.ts";
import type {
  Crowd,
  Message,
  Overview,
  PresenceChange,
  ServerRecords,
} from "../protocol/records.ts";
import { Attention, mentions, notification } from "./attention.ts";
import { colored, emphasized } from "./colors.ts";
import { dayOf, formatLine } from "./compact.ts";
import type { Return } from "./client.ts";
import { formatLoss, formatMessage, formatPastMessage, localTime } from "./format.ts";
import { Here } from "./here.ts";
import { describeNews } from "./room_news.ts";
import type { LostError } from "./session.ts";
import type { Settings } from "./settings.ts";

/** What {@linkcode View} shows things on, and by. */
export interface ViewOptions {
  console: Console;
  settings: Settings;
  clock: Clock;
  /** Whether colours are not wanted, where nobody says otherwise. */
  noColor: boolean;
}

/** So many names of those who are here are shown at the login. */
const MAX_NAMES = 20;
/** So many who come or go at once are named. */
const MAX_CROWD = 5;
/** A notification has so much of a text, in UTF-16 code units. */
const NOTIFIED_LENGTH = 100;

/** What the user sees of the chat, in the style of the moment. */
export class View {
  readonly console: Console;
  readonly settings: Settings;
  /** The user's name, as the server writes it. */
  username = "";
  /** Who sent the last direct message that was shown. */
  lastDirect: string | undefined;
  /** Who is here, as far as it is known. */
  readonly here = new Here();
  /** The rooms that the user is known to be in, by their names. */
  readonly rooms = new Set<string>();
  /** The day of what was shown last. */
  #day: string;
  readonly #clock: Clock;
  readonly #noColor: boolean;
  readonly #attention = new Attention();

  constructor({ console, settings, clock, noColor }: ViewOptions) {
    this.console = console;
    this.settings = settings;
    this.#clock = clock;
    this.#noColor = noColor;
    this.#day = dayOf(clock.date().getTime());
  }

  get compact(): boolean {
    return this.settings.get("style") === "compact";
  }

  /** A message that has come. */
  message(message: Message): void {
    if (this.#isBlocked(message.from)) return;
    const own = this.#isSent(message);
    this.#noteDirect(message);
    if (message.room !== undefined) this.rooms.add(message.room);
    if (this.compact) this.#line(message);
    else this.console.print(formatMessage(message, this.console.page, { own }));
    if (message.deleted !== undefined) return;
    if (!this.#isOwn(message.from) && this.#isForUser(message)) this.#alert(message);
  }

  /** The login is done. */
  welcome(username: string, overview: Overview | undefined): void {
    this.username = username;
    if (overview === undefined) return;
    this.here.set(overview.here.users);
    for (const room of overview.rooms ?? []) this.rooms.add(room);
    if (!this.compact) return;
    overview.messages.forEach((message) => this.#noteDirect(message));
    const { messages, seen = Infinity, here } = overview;
    const unread = messages.findIndex(({ id, from }) => id > seen && !this.#isOwn(from));
    this.past(unread < 0 ? messages : messages.slice(0, unread));
    if (unread >= 0) {
      this.notice("Since you were here last:");
      this.past(messages.slice(unread));
    }
    const names = here.users.toSorted().slice(0, MAX_NAMES);
    const more = here.count > names.length ? ` and ${here.count - names.length} more` : "";
    this.notice(`${here.count} here: ${listed(names)}${more}`);
    if (this.rooms.size > 0) {
      this.notice(
        `You are in ${[...this.rooms].map((room) => `#${legibleLine(room)}`).join(", ")}`,
      );
    }
  }

  /** Who has come and gone. */
  presence(presence: PresenceChange): void {
    const { joined, left } = this.here.change(presence);
    if (!this.compact || !this.settings.get("joins")) return;
    const parts = [describe(joined, "joined"), describe(left, "left")].filter((part) =>
      part !== ""
    );
    if (parts.length > 0) this.notice(parts.join("; "));
  }

  /** What was done in a room; in the classic style only what was done to the user. */
  room(news: ServerRecords["room"]): void {
    const { what, by, user } = news;
    if (this.#isOwn(by)) return;
    const isForUser = user !== undefined && this.#isOwn(user);
    // Who is blocked can be in charge all the same.
    if (this.#isBlocked(by) && (!isForUser || what === "invite")) return;
    if (isForUser && (what === "kick" || what === "ban")) this.rooms.delete(news.room);
    const text = describeNews(news, isForUser);
    if (text === undefined) return;
    if (!this.compact) {
      if (isForUser) this.complain(`${text}.`);
    } else if (this.settings.get("joins") || isForUser || what !== "joined" && what !== "left") {
      this.notice(text);
    }
  }

  /** The text of a message was deleted, which may have been shown. */
  deleted({ from, sent, room, by, why }: ServerRecords["deleted"]): void {
    // Whoever did it was answered.
    if (this.#isOwn(by) || this.#isBlocked(from)) return;
    const whose = this.#isOwn(from) ? "your message" : `${legibleLine(from)}'s message`;
    const where = room === undefined ? "" : ` in #${legibleLine(room)}`;
    const reason = why === undefined ? "" : `: ${legibleLine(why)}`;
    const text = `${legibleLine(by)} deleted ${whose} of ${localTime(sent)}${where}${reason}`;
    if (this.compact) this.notice(text);
    else this.complain(`${text}.`);
  }

  /** Messages of the past, in order. */
  past(messages: readonly Message[]): void {
    for (const message of messages) {
      if (this.#isBlocked(message.from)) continue;
      if (this.compact) this.#line(message);
      else this.console.print(formatPastMessage(message, this.console.page));
    }
  }

  /** A quiet line of the compact style, which no message can begin as. */
  notice(text: string): void {
    this.console.print(hanging(`* ${text}`, this.console.page));
  }

  /** What the user asked for, in lines; those that begin with blanks stand back. */
  tell(lines: readonly string[]): void {
    const { page } = this.console;
    const marked = lines.map((line) => this.compact && !line.startsWith(" ") ? `* ${line}` : line);
    this.console.print(marked.map((line) => hanging(line, page)).join("\n"));
  }

  /** What is wrong, or becomes of what the user did. */
  complain(problem: string): void {
    this.console.complain(this.compact ? `! ${problem}` : problem);
  }

  lost(reason: LostError): void {
    this.complain(`Connection ${formatLoss(reason)}, trying to come back.`);
  }

  serverSays(message: string): void {
    this.complain(`The server says: ${legibleLine(message)}`);
  }

  back({ overview, server, sent }: Return): void {
    if (overview !== undefined) this.here.set(overview.here.users);
    const where = server && formatEndpoint(server);
    if (where === undefined) this.complain("Connected again.");
    else if (sent) this.complain(`Now at ${where}, since the server before is stopping.`);
    else this.complain(`Connected again, to ${where}.`);
  }

  #line(message: Message): void {
    const times = this.settings.get("times");
    const day = dayOf(message.sent);
    if (times === "short" && day !== this.#day) this.notice(day);
    this.#day = day;
    const own = this.#isSent(message);
    const paint = this.#isColored ? colored : undefined;
    const line = formatLine(message, { page: this.console.page, times, own, paint });
    const standsOut = paint !== undefined && !own && mentions(message.text, this.username);
    this.console.print(standsOut ? emphasized(line) : line);
  }

  get #isColored(): boolean {
    const color = this.settings.get("color");
    return color === "always" || color === "auto" && this.console.page.styled && !this.#noColor;
  }

  #isForUser({ to, text }: Message): boolean {
    return to !== undefined || mentions(text, this.username);
  }

  /** Bell and notification, at most once in a while. */
  #alert({ from, text }: Message): void {
    const bell = this.settings.get("bell");
    const kind = this.settings.get("notifications");
    if (!bell && kind === "off" || !this.#attention.ask(this.#clock.now())) return;
    if (bell) this.console.alert("\x07");
    if (kind === "off") return;
    const said = legibleLine(`${from}: ${text}`).slice(0, NOTIFIED_LENGTH).toWellFormed();
    this.console.alert(notification(kind, said));
  }

  /** Whom an answer goes to now. */
  #noteDirect(message: Message): void {
    if (message.to === undefined || this.#isSent(message) || this.#isBlocked(message.from)) return;
    this.lastDirect = message.from;
  }

  /** Whether the user sent it, and not to this very user. */
  #isSent({ from, to }: Message): boolean {
    return this.#isOwn(from) && (to === undefined || !this.#isOwn(to));
  }

  #isOwn(username: string): boolean {
    return foldUsername(username) === foldUsername(this.username);
  }

  #isBlocked(username: string): boolean {
    const key = foldUsername(username);
    return this.settings.get("blocked").some((name) => foldUsername(name) === key);
  }
}

/** Names, for a line of the program's. */
export function listed(names: readonly string[]): string {
  return names.map(legibleLine).join(", ");
}

/** Who came or went: by name where they are few, otherwise how many. */
function describe({ count, users }: Crowd, change: string): string {
  if (count === 0) return "";
  return count > users.length || count > MAX_CROWD
    ? `${count} ${change}`
    : `${listed(users)} ${change}`;
}
