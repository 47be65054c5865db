import { assert, assertEquals, assertRejects } from "@std/assert";
import type { JournalEvent, Origin } from "../../lib/journal/events.ts";
import { ConflictError, type Entry, type Journal, type Reader } from "../../lib/journal/journal.ts";
import type { Projection } from "../../lib/journal/projection.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { texts } from "../helpers/test_store.ts";

/** A journal that has been opened, and what it gives the projection. */
export interface OpenJournal extends AsyncDisposable {
  journal: Journal;
  projection: Projection;
  recorder: Recorder;
}

/** Options of {@linkcode Implementation.open}. */
export interface OpenOptions {
  folder: TempFolder;
  /** Puts a file of the projection on the disk. */
  sync?: () => Promise<void>;
}

/** One implementation of the journal. */
export interface Implementation {
  name: string;
  /** Opens the journal of a folder; the same folder again is the same journal. */
  open: (options: OpenOptions) => Promise<OpenJournal>;
}

/** Writes down what a reader is given, and gives it on. */
export class Recorder implements Reader {
  /** The batches that are on the disk. */
  readonly batches: Entry[][] = [];
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  get last(): number {
    return this.#reader.last;
  }

  /** The events that are on the disk, one after another. */
  get entries(): Entry[] {
    return this.batches.flat();
  }

  apply(entries: readonly Entry[]): void {
    this.#reader.apply(entries);
  }

  committed(entries: readonly Entry[]): void {
    this.batches.push([...entries]);
    this.#reader.committed(entries);
  }

  failed(): void {
    this.#reader.failed();
  }

  abandon(): void {
    this.#reader.abandon();
  }
}

function message(text: string, origin?: Origin): JournalEvent {
  return { type: "message", from: "Joe", to: undefined, sent: 1, text, origin };
}

function made(account: string, identity: string): JournalEvent {
  return { type: "account-made", account, identity, since: 0 };
}

function textOf({ event }: Entry): string {
  return event.type === "message" ? event.text : event.type;
}

function assertAscending(numbers: readonly number[]): void {
  assert(numbers.every((number, i) => i === 0 || number > numbers[i - 1]!), numbers.join(" "));
}

/** What holds of every implementation. */
export function testJournal({ name, open }: Implementation): void {
  async function opened(test: (opened: OpenJournal, folder: TempFolder) => Promise<void>) {
    await using folder = await TempFolder.create();
    await using journal = await open({ folder });
    await test(journal, folder);
  }

  Deno.test(`${name} gives its reader each event once, in order, before it answers`, () =>
    opened(async ({ journal, recorder }) => {
      const numbers = await Promise.all(Array.from({ length: 500 }, async (_, i) => {
        const number = await journal.append(message(`${i}`));
        assert(journal.last >= number);
        assertEquals(recorder.entries.find((entry) => entry.number === number)?.number, number);
        return number;
      }));
      assertAscending(numbers);
      assertEquals(recorder.entries.map(({ number }) => number), numbers);
      assertEquals(recorder.entries.map(textOf), numbers.map((_, i) => `${i}`));
    }));

  Deno.test(`${name} gives what comes at once in few batches, none of them empty`, () =>
    opened(async ({ journal, recorder }) => {
      await Promise.all(Array.from({ length: 500 }, (_, i) => journal.append(message(`${i}`))));
      assert(recorder.batches.every((batch) => batch.length > 0));
      assert(recorder.batches.length <= 100, `${recorder.batches.length} batches`);
    }));

  Deno.test(`${name} appends one of several events whose conditions exclude each other`, () =>
    opened(async ({ journal, recorder }) => {
      for (let round = 0; round < 20; round++) {
        const since = journal.last;
        const claims = await Promise.allSettled(
          ["a", "b", "c"].map((identity) =>
            journal.append(made(`joe${round}`, identity), { since })
          ),
        );
        const refused = claims.filter(({ status }) => status === "rejected");
        assertEquals(refused.length, 2);
        for (const claim of refused) {
          assert((claim as PromiseRejectedResult).reason instanceof ConflictError);
        }
      }
      assertEquals(recorder.entries.length, 20);
    }));

  Deno.test(`${name} holds an event's condition against its own subject, after the number given`, () =>
    opened(async ({ journal, projection }) => {
      const before = journal.last;
      const first = await journal.append(made("joe", "first"), { since: before });
      await journal.append(made("ann.b", "other"), { since: before });
      await journal.append(message("in between"));
      await assertRejects(
        () => journal.append(made("joe", "second"), { since: before }),
        ConflictError,
      );
      assertEquals(projection.mailboxes.identity("joe"), "first");
      await journal.append({ type: "account-removed", account: "joe" }, { since: first });
      await assertRejects(() => journal.append(made("joe", "x"), { since: first }), ConflictError);
      await journal.append(made("joe", "second"), { since: journal.last });
      // Without a condition there is none.
      await journal.append(made("joe", "third"));
      assertEquals(projection.mailboxes.identity("joe"), "third");
    }));

  Deno.test(`${name} takes a request that comes again for what it is, also after a restart`, async () => {
    await using folder = await TempFolder.create();
    const again = async ({ journal, projection }: OpenJournal, login: number, first?: number) => {
      const appended = await Promise.all(
        [1, 2].map(() => journal.append(message("once", { login, request: 7 }))),
      );
      assertEquals(appended, [first ?? appended[0], first ?? appended[0]]);
      const another = journal.append(message("another", { login, request: 7 }));
      assertEquals((await assertRejects(() => another, ProtocolError)).code, "duplicate-id");
      const own = await journal.append(message("another's", { login: login + 1_000, request: 7 }));
      assert(own > appended[0]!);
      assertEquals(texts(projection.messages.history.of("ann", { count: 9 }))[0], "once");
      return appended[0]!;
    };
    let login: number, first: number;
    {
      await using journal = await open({ folder });
      await journal.journal.append(made("ann", "1"));
      login = await journal.journal.append({
        ...{ type: "login", account: "joe", credential: "c", token: "00".repeat(32) },
        ...{ last: 0, expires: 1 },
      });
      first = await again(journal, login);
    }
    await using opened = await open({ folder });
    await again(opened, login, first);
    // A message that was forgotten since is not stored again.
    const next = { login, request: 8 };
    const old = await opened.journal.append(message("old", next));
    await opened.journal.append({ type: "messages-expired", before: old + 1 });
    const late = await assertRejects(
      () => opened.journal.append(message("old", next)),
      ProtocolError,
    );
    assertEquals(late.code, "duplicate-id");
    // Who has forgotten the login and who has not must come to the same.
    await opened.journal.append({ type: "login-ended", login });
    const anew = await opened.journal.append(message("once", { login, request: 7 }));
    assertEquals(opened.recorder.entries.at(-1)?.number, anew);
  });

  Deno.test(`${name} goes on after a restart: nothing is lost, and nothing comes again`, async () => {
    await using folder = await TempFolder.create();
    const numbers: number[] = [];
    for (let round = 0; round < 3; round++) {
      await using opened = await open({ folder });
      const { journal, recorder, projection } = opened;
      assertEquals(journal.last, numbers.at(-1) ?? 0);
      if (round === 0) numbers.push(await journal.append(made("ann", "1")));
      const before = numbers.length;
      for (const text of ["a", "b"]) numbers.push(await journal.append(message(`${round}${text}`)));
      assertEquals(
        recorder.entries.map(({ number }) => number).slice(round === 0 ? 1 : 0),
        numbers.slice(before),
      );
      const history = projection.messages.history.of("ann", { count: 9 });
      assertEquals(history.map(({ id }) => id), numbers.slice(1));
    }
    assertAscending(numbers);
  });

  Deno.test(`${name} answers nothing that is not stored, and goes on when the disk does`, async () => {
    await using folder = await TempFolder.create();
    let failures = 0;
    const sync = () => failures-- > 0 ? Promise.reject(new Error("no disk")) : Promise.resolve();
    await using opened = await open({ folder, sync });
    const { journal, recorder, projection } = opened;
    await journal.append(made("ann", "1"));
    failures = 2;
    const results = await Promise.allSettled(
      ["one", "two", "three"].map((text) => journal.append(message(text))),
    );
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      assert(result.reason instanceof ProtocolError);
      assertEquals(result.reason.code, "not-stored");
    }
    failures = 0;
    const last = await journal.append(message("last"));
    const stored = results.flatMap((result) => result.status === "fulfilled" ? result.value : []);
    const expected = [...stored, last];
    assertEquals(recorder.entries.slice(1).map(({ number }) => number), expected);
    const history = projection.messages.history.of("ann", { count: 9 });
    assertEquals(history.map(({ id }) => id), expected);
  });

  Deno.test(`${name} gives a room's name to one of those who want it, and judges by the order of the events`, async () => {
    await using folder = await TempFolder.create();
    let room: number;
    {
      await using opened = await open({ folder });
      const { journal, projection } = opened;
      const told: string[] = [];
      projection.onMessages = (messages) =>
        told.push(...messages.map(({ message }) => `${message.room}: ${message.text}`));
      projection.onRoom = (_, event) => told.push(`${event.type} by ${event.by}`);
      await Promise.all(["joe", "ann"].map((account) => journal.append(made(account, account))));
      const claim = (by: string) =>
        journal.append({ type: "room-made", name: "Lab", by, at: 1 }).catch(({ code }) => code);
      const claims = await Promise.all([claim("joe"), claim("ann")]);
      assertEquals(claims[1], "name-taken");
      room = claims[0] as number;
      const say = (from: string, text: string) =>
        journal.append({ ...message(text), type: "message", from, room } as JournalEvent)
          .catch(({ code }) => code);
      const outcomes = await Promise.all([
        say("ann", "too early"),
        journal.append({ type: "room-joined", room, by: "ann", at: 2 }),
        say("ann", "one"),
        journal.append({ type: "room-act", what: "kick", room, by: "joe", user: "ann", at: 3 }),
        say("ann", "too late"),
        say("joe", "two"),
      ]);
      assertEquals(outcomes.filter((outcome) => typeof outcome === "string"), [
        "not-in-room",
        "not-in-room",
      ]);
      assertEquals(told, [
        "room-made by joe",
        "room-joined by ann",
        "Lab: one",
        "room-act by joe",
        "Lab: two",
      ]);
    }
    await using again = await open({ folder });
    const { rooms, messages } = again.projection;
    assertEquals(rooms.find("lab")?.id, room);
    assertEquals(rooms.membersOf(room).map(({ name, role }) => `${name} ${role}`), ["joe owner"]);
    assertEquals(texts(messages.history.ofRoom(room, { count: 9, after: 0 })), ["one", "two"]);
    await again.journal.append({ type: "account-removed", account: "joe" });
    assertEquals(rooms.find("lab"), undefined);
  });

  Deno.test(`${name} says when too much waits to be stored`, () =>
    opened(async ({ journal }) => {
      const large = "x".repeat(400_000);
      const appended = [1, 2, 3].map(() => journal.append(message(large)));
      const backpressure = journal.backpressure();
      assert(backpressure !== undefined);
      await backpressure;
      await Promise.all(appended);
      assertEquals(journal.backpressure(), undefined);
    }));
}
