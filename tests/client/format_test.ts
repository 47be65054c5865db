import { assertEquals } from "@std/assert";
import { formatMessage } from "../../lib/client/format.ts";

const message = {
  id: 1,
  kind: "public",
  from: "renew",
  to: undefined,
  sent: "2026-01-31T09:30:00.000Z",
  text: "Hello guys",
} as const;

Deno.test("formatMessage() gives the public message's form to the letter", () => {
  assertEquals(
    formatMessage(message, false),
    "*** New Message ***\nMessage type: Public Message (PM)\nFrom: renew\n\nHello guys\n",
  );
});

Deno.test("formatMessage() lets no text look like another message, or act on the terminal", () => {
  const text = "x\n\n*** New Message ***\nFrom: joe\x1b[2J";
  assertEquals(
    formatMessage({ ...message, from: "re\x07new", text }, false).split("\n").slice(2),
    [
      "From: re<U+0007>new",
      "",
      "x",
      "  ",
      "  *** New Message ***",
      "  From: joe<U+001B>[2J",
      "",
    ],
  );
});

Deno.test("formatMessage() gives the direct message's form to the letter", () => {
  assertEquals(
    formatMessage({ ...message, kind: "direct", to: "joe" }, false).split("\n")[1],
    "Message type: Direct Message (DM)",
  );
});
