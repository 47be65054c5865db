import { legible, legibleLine } from "../console/foreign.ts";
import { hanging, under } from "../console/layout.ts";
import type { Page } from "../console/page.ts";
import type { Message } from "../protocol/records.ts";
import type { SettingValues } from "./settings.ts";

/** How a message is shown in one line. */
export interface LineForm {
  page: Page;
  times: SettingValues["times"];
  /** Whether the user sent it, in another session. */
  own: boolean;
  /** Gives the sender's name its colour. @default none */
  paint?: ((name: string) => string) | undefined;
}

/**
 * A message in a line, wrapped under its text: `07:16 anna: hello`. No other line of the compact style
 * begins with a name and a colon.
 */
export function formatLine(message: Message, { page, times, own, paint }: LineForm): string {
  const { from, to, room, sent, text, announcement = false, deleted } = message;
  // No name has a blank in it.
  const addressee = announcement
    ? " announces"
    : room !== undefined
    ? ` -> #${legibleLine(room)}`
    : to === undefined
    ? ""
    : ` -> ${own ? legibleLine(to) : "you"}`;
  const time = timeOf(sent, times);
  const name = legibleLine(from);
  // No text can look like it.
  if (deleted !== undefined) {
    return hanging(`* ${time}${name}${addressee}: deleted by ${legibleLine(deleted)}`, page);
  }
  const shown = under(`${time}${name}${addressee}:`, legible(text), page);
  return paint !== undefined && shown.startsWith(time + name)
    ? time + paint(name) + shown.slice(time.length + name.length)
    : shown;
}

function timeOf(sent: number, times: SettingValues["times"]): string {
  if (times === "off") return "";
  const time = new Date(sent);
  if (Number.isNaN(time.getTime())) return "--:-- ";
  const clock = [time.getHours(), time.getMinutes()].map(twoDigits).join(":");
  return times === "short"
    ? `${clock} `
    : `${dateOf(time)} ${clock}:${twoDigits(time.getSeconds())} `;
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** The day of a time, where the user is: as `Saturday, 2026-01-31`. */
export function dayOf(sent: number): string {
  const time = new Date(sent);
  return Number.isNaN(time.getTime()) ? "?" : `${WEEKDAYS[time.getDay()]}, ${dateOf(time)}`;
}

function dateOf(time: Date): string {
  return [time.getFullYear(), twoDigits(time.getMonth() + 1), twoDigits(time.getDate())].join("-");
}

function twoDigits(number: number): string {
  return `${number}`.padStart(2, "0");
}
