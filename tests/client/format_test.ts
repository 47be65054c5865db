import { assertEquals } from "@std/assert";
import { visibleLine } from "../../lib/protocol/visible.ts";
import { formatMessage, formatPastMessage, formatStatus } from "../../lib/client/format.ts";
import { UNWRAPPED } from "../../lib/console/page.ts";

const message = {
  id: 1,
  from: "renew",
  to: undefined,
  sent: Date.UTC(2026, 0, 31, 9, 30),
  text: "Hello guys",
} as const;

Deno.test("formatMessage() gives the public message's form to the letter", () => {
  assertEquals(
    formatMessage(message, UNWRAPPED),
    "*** New Message ***\nMessage type: Public Message (PM)\nFrom: renew\n\n  Hello guys\n",
  );
});

Deno.test("formatMessage() lets no text look like another message, or act on the terminal", () => {
  const text = "x\n\n*** New Message ***\nFrom: joe\x1b[2J";
  assertEquals(
    formatMessage({ ...message, from: "re\x07new", text }, UNWRAPPED).split("\n").slice(2),
    [
      "From: re<U+0007>new",
      "",
      "  x",
      "  ",
      "  *** New Message ***",
      "  From: joe<U+001B>[2J",
      "",
    ],
  );
});

Deno.test("formatMessage() gives the direct message's form to the letter", () => {
  assertEquals(
    formatMessage({ ...message, to: "joe" }, UNWRAPPED).split("\n")[1],
    "Message type: Direct Message (DM)",
  );
});

Deno.test("formatMessage() lays out for the width that the terminal has now", () => {
  const text = "one two three";
  const shown = (columns: number) =>
    formatMessage({ ...message, text }, { ...UNWRAPPED, columns }).split("\n").slice(4);
  assertEquals(shown(17), ["  one two three", ""]);
  assertEquals(shown(16), ["  one two", "  three", ""]);
});

Deno.test("formatPastMessage() has the text, and the names of others, stand back too", () => {
  const from = "世".repeat(20);
  assertEquals(
    formatPastMessage({ ...message, from, sent: 8.64e15 + 1 }, { ...UNWRAPPED, columns: 40 }).split(
      "\n",
    ),
    [
      "*** Message ***",
      "Message type: Public Message (PM)",
      "From:",
      `  ${"世".repeat(18)}`,
      "  世世",
      "Sent: ?",
      "",
      "  Hello guys",
      "",
    ],
  );
});

Deno.test("formatStatus() says in one line how far a message got", () => {
  const everybody = { message: 1, to: undefined, text: "Hello guys" };
  const joe = { message: 2, to: "joe", text: `two\nlines, ${"x".repeat(50)}` };
  const excerpt = visibleLine(joe.text).slice(0, 40);
  const cases = [
    [everybody, { users: 3, udp: 1, tcp: 1 }, "delivered to 2 of 3 users (1 by UDP, 1 by TCP)"],
    [everybody, { users: 1, udp: 0, tcp: 0 }, "delivered to 0 of 1 user"],
    [everybody, { users: 0, udp: 0, tcp: 0 }, "nobody else was here"],
    [joe, { users: 1, udp: 0, tcp: 0 }, "not delivered yet"],
    [joe, { users: 1, udp: 1, tcp: 0 }, "delivered (1 by UDP, 0 by TCP)"],
    [joe, undefined, "how far it got is not known any more"],
  ] as const;
  for (const [sent, progress, text] of cases) {
    const name = sent === joe ? `DM to joe "${excerpt}…"` : 'PM "Hello guys"';
    assertEquals(formatStatus(sent, progress), `${name}: stored, ${text}`);
  }
});
