import { bold } from "@std/fmt/colors";
import { legible, legibleLine } from "../console/foreign.ts";
import { block, hanging } from "../console/layout.ts";
import type { Page } from "../console/page.ts";
import type { Message, Progress } from "../protocol/records.ts";
import type { LostError } from "./session.ts";

const PUBLIC = "Public Message (PM)";
const DIRECT = "Direct Message (DM)";
const ANNOUNCEMENT = "Announcement of an operator";
const ROOM = "Room Message (RM)";

/**
 * A message as its receiver sees it, with the empty line after it but without the last LF. One that
 * waited says when it was sent, one that the user sent in another session (`own`) to whom.
 */
export function formatMessage(
  message: Message,
  page: Page,
  { own = false }: { own?: boolean } = {},
): string {
  const title = "*** New Message ***";
  const details = [
    ...message.room !== undefined ? ["Room"] as const : [],
    ...own && message.to !== undefined ? ["To"] as const : [],
    ...message.late ? ["Sent"] as const : [],
    ...deletedOf(message),
  ];
  return format(message, { title: page.styled ? bold(title) : title, details, page });
}

/** A message of the past, the user's own too. */
export function formatPastMessage(message: Message, page: Page): string {
  const details = [
    ...message.room !== undefined ? ["Room"] as const : [],
    ...message.room === undefined && message.to !== undefined ? ["To"] as const : [],
    "Sent" as const,
    ...deletedOf(message),
  ];
  return format(message, { title: "*** Message ***", details, page });
}

/** A message that the user sent. */
export interface Sent {
  /** Its id. */
  message: number;
  /** Whom it went to, or the room; neither for everybody. */
  to?: string | undefined;
  room?: string | undefined;
  text: string;
}

/** So much of a text names the message, in UTF-16 code units. */
const EXCERPT_LENGTH = 40;

/** How far a message got, in one line. */
export function formatStatus({ to, room, text }: Sent, progress: Progress | undefined): string {
  const kind = room !== undefined
    ? `RM to #${legibleLine(room)}`
    : to === undefined
    ? "PM"
    : `DM to ${legibleLine(to)}`;
  const line = legibleLine(text);
  const excerpt = line.length > EXCERPT_LENGTH ? `${line.slice(0, EXCERPT_LENGTH)}…` : line;
  return `${kind} "${excerpt}": stored, ${formatProgress(to !== undefined, progress)}`;
}

/** That a connection was lost, and why, if that is known. */
export function formatLoss({ why }: LostError): string {
  return why === undefined ? "lost" : `lost (${why})`;
}

function formatProgress(direct: boolean, progress: Progress | undefined): string {
  if (progress === undefined) return "how far it got is not known any more";
  const { users, udp, tcp } = progress;
  if (users === 0) return "nobody else was here";
  const delivered = udp + tcp;
  const channels = delivered === 0 ? "" : ` (${udp} by UDP, ${tcp} by TCP)`;
  if (direct) return delivered === 0 ? "not delivered yet" : `delivered${channels}`;
  return `delivered to ${delivered} of ${users} ${users === 1 ? "user" : "users"}${channels}`;
}

interface Form {
  title: string;
  details: readonly ("Room" | "To" | "Sent" | "Deleted by")[];
  page: Page;
}

function deletedOf({ deleted }: Message) {
  return deleted === undefined ? [] : ["Deleted by"] as const;
}

function kindOf({ announcement = false, room, to }: Message): string {
  if (announcement) return ANNOUNCEMENT;
  return room !== undefined ? ROOM : to === undefined ? PUBLIC : DIRECT;
}

function format(message: Message, { title, details, page }: Form): string {
  const { from, to, room, sent, text, deleted } = message;
  const values = {
    Room: `#${legibleLine(room ?? "")}`,
    To: legibleLine(to ?? ""),
    Sent: localTime(sent),
    "Deleted by": legibleLine(deleted ?? ""),
  };
  return [
    title,
    `Message type: ${kindOf(message)}`,
    hanging(`From: ${legibleLine(from)}`, page),
    ...details.map((detail) => hanging(`${detail}: ${values[detail]}`, page)),
    "",
    // No text can look like another message, or like a question.
    ...deleted === undefined ? [block(legible(text), page), ""] : [],
  ].join("\n");
}

/** How long something took, roughly: `5 s`, `3 min`, `2 h`, `4 days`. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.floor(seconds / 3_600)} h`
    : `${Math.floor(seconds / 86_400)} days`;
}

/** The time where the user is, as 2026-01-31 10:30; "?" where there is no such time. */
export function localTime(sent: number): string {
  const time = new Date(sent);
  if (Number.isNaN(time.getTime())) return "?";
  const pad = (number: number) => `${number}`.padStart(2, "0");
  const date = [time.getFullYear(), pad(time.getMonth() + 1), pad(time.getDate())].join("-");
  return `${date} ${pad(time.getHours())}:${pad(time.getMinutes())}`;
}
