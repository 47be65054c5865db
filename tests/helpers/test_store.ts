import type { Origin } from "../../lib/journal/events.ts";
import { LocalJournal } from "../../lib/journal/local_journal.ts";
import { Projection } from "../../lib/journal/projection.ts";
import { Database, type DatabaseOptions } from "../../lib/messages/database.ts";
import { forgetBefore } from "../../lib/messages/expiry.ts";
import type { HistoryRule } from "../../lib/messages/mailboxes.ts";
import { reconcile } from "../../lib/server/reconcile.ts";
import type { Message } from "../../lib/protocol/records.ts";
import { FakeClock } from "./fake_clock.ts";

/** A message that has no id and no time yet. */
export type Draft = Pick<Message, "from" | "to" | "text">;

export const pub = (from: string, text: string): Draft => ({ from, to: undefined, text });
export const direct = (from: string, to: string, text: string): Draft => ({ from, to, text });

/** The texts of messages. */
export const texts = (messages: readonly Message[]) => messages.map(({ text }) => text);

/** What a server stores, with a clock that a test moves; nothing is committed before the turn ends. */
export class TestStore implements Disposable {
  readonly clock = new FakeClock();
  readonly database: Database;
  readonly projection: Projection;
  readonly journal: LocalJournal;
  /** The messages that were given to those who are here. */
  readonly delivered: Message[] = [];
  /** The accounts that have gone, one after another. */
  readonly gone: string[] = [];

  constructor(
    path = ":memory:",
    { history = "joined", ...options }: Partial<DatabaseOptions> & { history?: HistoryRule } = {},
  ) {
    this.database = new Database(path, { clock: this.clock, ...options });
    this.projection = new Projection(this.database, { history });
    this.journal = new LocalJournal(this.database, this.projection);
    this.projection.onMessages = (messages) =>
      this.delivered.push(...messages.map(({ message }) => message));
    this.projection.onGone = (account) => this.gone.push(account);
  }

  get messages() {
    return this.projection.messages;
  }

  send(draft: Draft, origin?: Origin): Promise<number> {
    const sent = this.clock.date().getTime();
    return this.journal.append({ type: "message", ...draft, sent, origin });
  }

  append(...drafts: Draft[]): Promise<number>[] {
    return drafts.map((draft) => this.send(draft));
  }

  /** An account is there, and has this identity. */
  enter(account: string, identity: string): Promise<number> {
    return this.journal.append({ type: "account-changed", account, identity });
  }

  leave(account: string): Promise<number> {
    return this.journal.append({ type: "account-removed", account });
  }

  acknowledge(account: string, messages: readonly number[]): Promise<number> {
    return this.journal.append({ type: "acknowledgement", account, messages });
  }

  reconcile(identities: ReadonlyMap<string, string>): Promise<void> {
    const { mailboxes } = this.projection;
    return reconcile(identities, { journal: this.journal, mailboxes });
  }

  forgetBefore(time: Date): Promise<void> {
    return forgetBefore(time, this);
  }

  /** Has what was asked for done, and what is to be done when the turn is over. */
  async done(...changes: Promise<unknown>[]): Promise<void> {
    this.clock.endTurn();
    await Promise.all(changes);
    this.clock.endTurn();
  }

  [Symbol.dispose](): void {
    this.database[Symbol.dispose]();
  }
}
