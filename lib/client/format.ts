import { bold } from "@std/fmt/colors";
import { visible, visibleLine } from "../protocol/visible.ts";
import type { Message } from "../protocol/records.ts";

const KINDS: Record<Message["kind"], string> = {
  public: "Public Message (PM)",
  direct: "Direct Message (DM)",
};

/**
 * A message as its receiver sees it, with the empty line after it but without the last LF. One that
 * waited says when it was sent.
 *
 * @param styled whether the output is a terminal
 */
export function formatMessage(message: Message, styled: boolean): string {
  const title = "*** New Message ***";
  return format(styled ? bold(title) : title, message, message.late ? ["Sent"] : []);
}

/** A message of the past, the user's own too. */
export function formatPastMessage(message: Message): string {
  return format("*** Message ***", message, message.to === undefined ? ["Sent"] : ["To", "Sent"]);
}

function format(title: string, message: Message, details: readonly ("To" | "Sent")[]): string {
  const { kind, from, to, sent, text } = message;
  const values = { To: visibleLine(to ?? ""), Sent: localTime(sent) };
  return [
    title,
    `Message type: ${KINDS[kind]}`,
    `From: ${visibleLine(from)}`,
    ...details.map((detail) => `${detail}: ${values[detail]}`),
    "",
    // Further lines stand back, so that no text can look like another message.
    visible(text).replaceAll("\n", "\n  "),
    "",
  ].join("\n");
}

/** The time where the user is, as 2026-01-31 10:30; what can't be read as a time is shown as it is. */
function localTime(sent: string): string {
  const time = new Date(sent);
  if (Number.isNaN(time.getTime())) return visibleLine(sent);
  const pad = (number: number) => `${number}`.padStart(2, "0");
  const date = [time.getFullYear(), pad(time.getMonth() + 1), pad(time.getDate())].join("-");
  return `${date} ${pad(time.getHours())}:${pad(time.getMinutes())}`;
}
