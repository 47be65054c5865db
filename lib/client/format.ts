import { bold } from "@std/fmt/colors";
import { visible, visibleLine } from "../protocol/visible.ts";
import type { Message } from "../protocol/records.ts";

const KINDS: Record<Message["kind"], string> = {
  public: "Public Message (PM)",
  direct: "Direct Message (DM)",
};

/**
 * A message as its receiver sees it, with the empty line after it but without the last LF.
 *
 * @param styled whether the output is a terminal
 */
export function formatMessage({ kind, from, text }: Message, styled: boolean): string {
  const title = "*** New Message ***";
  return [
    styled ? bold(title) : title,
    `Message type: ${KINDS[kind]}`,
    `From: ${visibleLine(from)}`,
    "",
    // Further lines stand back, so that no text can look like another message.
    visible(text).replaceAll("\n", "\n  "),
    "",
  ].join("\n");
}
