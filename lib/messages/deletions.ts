import type { MessageDeletedEvent } from "../journal/events.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { foldUsername, SERVER_NAME } from "../protocol/names.ts";
import { may, outranks } from "../protocol/roles.ts";
import type { Database } from "./database.ts";
import type { OperatorTable } from "./operator_table.ts";
import type { RoomTable } from "./room_table.ts";

/** A message whose text was deleted. */
export interface Deletion {
  message: number;
  /** Who sent it, as the name was registered, and when. */
  from: string;
  sent: number;
  /** The number of its room; undefined for one to everybody. */
  room: number | undefined;
  /** Who has deleted it. */
  by: string;
  why: string | undefined;
}

/** A message as it is stored. */
interface StoredRow {
  sender: string;
  sender_name: string;
  addressee: string | null;
  room: number | null;
  sent: number;
  text: string;
  deleted_by: string | null;
}

/** Takes the texts of single messages out of the log; a mark stays in the place of each. */
export class Deletions {
  readonly #statements;
  readonly #rooms: RoomTable;
  readonly #operators: OperatorTable;
  /** The texts that were deleted, by their messages, until that is on the disk. */
  readonly #deleted = new Map<number, string>();

  constructor(
    database: Database,
    { rooms, operators }: { rooms: RoomTable; operators: OperatorTable },
  ) {
    this.#rooms = rooms;
    this.#operators = operators;
    this.#statements = database.prepare({
      find: `SELECT sender, sender_name, addressee, room, sent, text, deleted_by FROM messages
        WHERE id = ?`,
      mark: "UPDATE messages SET text = '', deleted_by = ? WHERE id = ?",
      restore: "UPDATE messages SET text = ?, deleted_by = NULL WHERE id = ?",
    });
  }

  /** Who sent a message to everybody or in a room, as the name was registered; undefined where there is none. */
  senderOf(message: number): string | undefined {
    return this.#find(message)?.sender_name;
  }

  /** Why an event can't come to pass; undefined where it can. */
  judge({ message, by }: MessageDeletedEvent): ProtocolError | undefined {
    const found = this.#find(message);
    const account = by === undefined ? undefined : foldUsername(by);
    if (account !== undefined && !this.#operators.isOperator(account)) {
      const refused = this.#judgeModerator(account, found);
      if (refused !== undefined) return refused;
    }
    if (found === undefined) {
      const why = `there is no message ${message} to everybody or in a room`;
      return new ProtocolError("no-such-message", why);
    }
    if (found.deleted_by === null) return undefined;
    return notAllowed(`message ${message} is deleted already, by ${found.deleted_by}`);
  }

  /** Takes an event in. @returns what was deleted; or why nothing was */
  apply(event: MessageDeletedEvent): Deletion | ProtocolError {
    const refused = this.judge(event);
    if (refused !== undefined) return refused;
    const { message, by = SERVER_NAME, why } = event;
    const { sender_name: from, sent, room, text } = this.#find(message)!;
    this.#statements.mark.run(by, message);
    this.#deleted.set(message, text);
    return { message, from, sent, room: room ?? undefined, by, why };
  }

  /** What was applied is on the disk. */
  keep(): void {
    this.#deleted.clear();
  }

  /** Takes back what was applied since then; what comes after is kept with that. */
  takeBack(): void {
    for (const [message, text] of this.#deleted) this.#statements.restore.run(text, message);
  }

  /** Nobody learns here whether there is a direct message, nor who is no moderator whether there is any. */
  #judgeModerator(account: string, found: StoredRow | undefined): ProtocolError | undefined {
    const room = found?.room ?? undefined;
    const role = room === undefined ? undefined : this.#rooms.roleIn(room, account);
    if (found === undefined || role === undefined || !may(role, "delete")) {
      return notAllowed(
        "this takes an operator of the server, or a moderator of the room where the message was said",
      );
    }
    if (found.sender === account) return undefined;
    const other = this.#rooms.roleIn(room!, found.sender) ?? "user";
    if (outranks(role, other)) return undefined;
    const what = other === "owner" ? "the owner" : `a ${other}`;
    return notAllowed(
      `delete a message of ${found.sender_name}: that is ${what} of #${this.#rooms.nameOf(room!)}`,
    );
  }

  /** A public message, or one of a room. */
  #find(message: number): StoredRow | undefined {
    const row = this.#statements.find.get(message) as StoredRow | undefined;
    return row?.addressee === null ? row : undefined;
  }
}

function notAllowed(why: string): ProtocolError {
  return new ProtocolError("not-allowed", why);
}
