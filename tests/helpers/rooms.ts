import { assert, assertEquals } from "@std/assert";
import type { RoomEvent } from "../../lib/journal/events.ts";
import type { RoomTable } from "../../lib/messages/room_table.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import type { Act, Role } from "../../lib/protocol/roles.ts";
import { TestStore } from "./test_store.ts";

/** An event without who did it and when. */
type Deed = RoomEvent extends infer E ? E extends RoomEvent ? Omit<E, "by" | "at"> : never : never;

/** A store in which people do things to rooms. */
export class Rooms implements Disposable {
  readonly store = new TestStore();
  at = 0;

  get table(): RoomTable {
    return this.store.projection.rooms;
  }

  /** @returns the event's number; the code where it was refused */
  async do(by: string, deed: Deed): Promise<number | string> {
    const event = { ...deed, by, at: ++this.at } as RoomEvent;
    const foreseen = this.table.judge(event)?.code;
    const done = this.store.journal.append(event).catch((error) => {
      assert(error instanceof ProtocolError, `${error}`);
      return error.code;
    });
    this.store.clock.endTurn();
    const outcome = await done;
    assertEquals(typeof outcome === "string" ? outcome : undefined, foreseen);
    return outcome;
  }

  async make(by: string, name: string): Promise<number> {
    return await this.do(by, { type: "room-made", name }) as number;
  }

  join(room: number, ...users: string[]) {
    return Promise.all(users.map((user) => this.do(user, { type: "room-joined", room })));
  }

  leave(room: number, user: string) {
    return this.do(user, { type: "room-left", room });
  }

  act(by: string, what: Act, { room, user, text }: { room: number; user?: string; text?: string }) {
    return this.do(by, { type: "room-act", room, what, user, text });
  }

  async say(room: number, from: string, text: string): Promise<number | string> {
    const said = this.store.journal.append(
      { type: "message", from, room, sent: ++this.at, text, origin: undefined },
    ).catch(({ code }) => code);
    this.store.clock.endTurn();
    return await said;
  }

  roles(room: number): Record<string, Role> {
    return Object.fromEntries(this.table.membersOf(room).map(({ name, role }) => [name, role]));
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
  }
}
