/**
 * How messages are read from their table: what history and the message log have in common.
 *
 * @module
 */
import type { Message } from "../protocol/records.ts";
import type { Part, Postings } from "./postings.ts";
import type { Row, Statement } from "./statement.ts";

/** So many ids are looked through for a page. */
export const PAGE_IDS = 1_000;

/** So many of an account's messages at most are looked at together. */
const TOGETHER = 4_096;

/** The columns that {@linkcode toMessage} needs. */
export const COLUMNS = `id, sender_name, addressee_name, sent, text, announcement, deleted_by,
    (SELECT name FROM rooms WHERE rooms.id = messages.room) AS room_name`;

/** A message is one of the given ones. */
export const LISTED = "id IN (SELECT value FROM json_each(:ids))";

/** The newest of the given messages that are of a kind. */
export function newestListed(columns: string, kind = "TRUE"): string {
  return `SELECT ${columns} FROM messages WHERE ${LISTED} AND ${kind} ORDER BY id DESC LIMIT :count`;
}

/** Ids as a statement takes them. */
export function toList(ids: readonly number[]): string {
  return `[${ids}]`;
}

/** The newest rows of several kinds, the newest first. */
export function newestOf(count: number, rows: Row[]): Row[] {
  return rows.sort((a, b) => b["id"] as number - (a["id"] as number)).slice(0, count);
}

/** Which of an account's messages {@linkcode newestRows} takes: so many, after an id, up to another one. */
export interface NewestOptions {
  account: string;
  part: Part;
  after: number;
  upTo: number;
  count: number;
  /** What the statement needs besides. */
  login?: number;
}

/** The newest of an account's messages that a statement of {@linkcode newestListed} takes, the newest first. */
export function newestRows(
  postings: Postings,
  statement: Statement,
  { account, part, after, upTo, count, ...parameters }: NewestOptions,
): Row[] {
  const rows: Row[] = [];
  // More each time, since a statement may take few of them.
  for (let limit = count; rows.length < count; limit = Math.min(2 * limit, TOGETHER)) {
    const ids = postings.newest(account, part, { after, upTo, limit });
    if (ids.length === 0) break;
    rows.push(...statement.all({ ids: toList(ids), count: count - rows.length, ...parameters }));
    upTo = ids.at(-1)! - 1;
  }
  return rows;
}

/** The message in a row. */
export function toMessage(row: Row): Message {
  return {
    id: row["id"] as number,
    from: row["sender_name"] as string,
    to: (row["addressee_name"] as string | null) ?? undefined,
    room: (row["room_name"] as string | null) ?? undefined,
    sent: row["sent"] as number,
    text: row["text"] as string,
    ...row["announcement"] === 1 && { announcement: true },
    ...row["deleted_by"] !== null && { deleted: row["deleted_by"] as string },
  };
}
