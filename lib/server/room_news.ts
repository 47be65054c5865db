import { stayChangeOf } from "../messages/room_table.ts";
import type { RoomEvent } from "../journal/events.ts";
import type { RoomTable } from "../messages/room_table.ts";
import { encodeRecord } from "../protocol/records.ts";
import type { ActiveUser } from "./active_user.ts";
import type { Crowds } from "./crowds.ts";
import type { Presence } from "./presence.ts";

/** In a room with more active members than this nobody is told who joins or leaves it. */
const MAX_TOLD = 50;

/** What those are told who are in a room, where it is no act. */
const WORDS = { "room-made": "made", "room-joined": "joined", "room-left": "left" } as const;

/** Options of {@linkcode RoomNews}. */
export interface RoomNewsOptions {
  rooms: Pick<RoomTable, "nameOf" | "takeHeir">;
  crowds: Crowds;
  /** Which sessions want to be told. */
  presence: Presence;
  /** An active user. */
  active: (username: string) => ActiveUser | undefined;
}

/** Keeps the crowds of rooms as events have it, and tells those who are in a room what was done there. */
export class RoomNews {
  readonly #options: RoomNewsOptions;

  constructor(options: RoomNewsOptions) {
    this.#options = options;
  }

  /** Something has changed in a room. @param number the event's */
  note(number: number, event: RoomEvent): void {
    const { rooms, crowds, active } = this.#options;
    const change = stayChangeOf(number, event);
    const user = change && active(change.account);
    const room = event.type === "room-made" ? number : event.room;
    if (change?.isIn === true && user !== undefined) {
      crowds.add(room, user);
      user.heard.isNeeded = true;
    }
    this.#tell(room, event, rooms.takeHeir(number));
    if (change?.isIn === false && user !== undefined) crowds.remove(room, user);
  }

  /** @param heir who owns the room from then on, if its owner left */
  #tell(number: number, event: RoomEvent, heir: string | undefined): void {
    const { rooms, crowds, presence, active } = this.#options;
    const crowd = new Set(crowds.of(number));
    const isAct = event.type === "room-act";
    // Who is invited, or banned beforehand, is not in the room.
    const other = isAct && event.user !== undefined ? active(event.user) : undefined;
    if (other !== undefined) crowd.add(other);
    const room = crowd.size === 0 ? undefined : rooms.nameOf(number);
    // In a large crowd who comes and goes is no news, and would cost each of them as much as a message.
    const isNews = isAct || heir !== undefined || crowd.size <= MAX_TOLD;
    if (room === undefined || !isNews) return;
    const what = isAct ? event.what : WORDS[event.type];
    const { user, text } = isAct ? event : { user: heir };
    const line = encodeRecord({ type: "room", room, what, by: event.by, user, text });
    for (const { members } of crowd) {
      for (const member of members) if (presence.tells(member)) member.notify(line);
    }
  }
}
