import { assertEquals } from "@std/assert";
import { bold } from "@std/fmt/colors";
import { colored, NAME_COLORS } from "../../lib/client/colors.ts";
import { Settings } from "../../lib/client/settings.ts";
import { View } from "../../lib/client/view.ts";
import { Console, type LineSource } from "../../lib/console/console.ts";
import { UNWRAPPED } from "../../lib/console/page.ts";
import type { Message } from "../../lib/protocol/records.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const TODAY = new Date(2026, 0, 31, 9, 30).getTime();
const DAY_MS = 86_400_000;

function open({ noColor = true, ...values }: { noColor?: boolean } & Record<string, unknown> = {}) {
  const shown: string[] = [];
  const signals: string[] = [];
  const source: LineSource & { focused: boolean } = {
    focused: false,
    read: () => new Promise(() => {}),
    interrupt: (write) => write(),
    [Symbol.dispose]: () => {},
  };
  const console = new Console(source, {
    dialogue: (text) => shown.push(text),
    complaint: (text) => shown.push(`error: ${text}`),
    signal: (sequence) => signals.push(sequence),
    dialoguePage: () => ({ ...UNWRAPPED, styled: true }),
    complaintPage: () => UNWRAPPED,
  });
  const settings = new Settings();
  for (const [name, value] of Object.entries({ style: "compact", ...values })) {
    settings.set(name as "style", value);
  }
  const clock = new FakeClock();
  clock.error = TODAY - clock.date().getTime();
  const view = new View({ console, settings, clock, noColor });
  view.username = "renew";
  return {
    view,
    settings,
    source,
    clock,
    shown: () => shown.splice(0).join("").trimEnd().split("\n"),
    signals: () => signals.splice(0),
  };
}

function message(text: string, rest: Partial<Message> = {}): Message {
  return { id: 1, from: "anna", sent: TODAY, text, ...rest };
}

Deno.test("View.lastDirect is who sent the last direct message that was shown", () => {
  const { view } = open({ blocked: ["eve"] });
  const messages = [
    message("yours", { from: "bob", to: "renew" }),
    message("mine", { from: "renew", to: "joe" }),
    message("to all", { from: "joe" }),
    message("blocked", { from: "eve", to: "renew" }),
  ];
  view.welcome("renew", { here: { count: 1, users: ["renew"] }, messages });
  assertEquals(view.lastDirect, "bob");
  view.message(message("hi", { from: "anna", to: "renew" }));
  assertEquals(view.lastDirect, "anna");
});

Deno.test("View.welcome() shows the last messages, which of them are unread, and who is here", () => {
  const { view, shown } = open();
  view.welcome("renew", {
    here: { count: 2, users: ["renew", "anna"] },
    messages: [
      message("long ago", { id: 1, sent: TODAY - DAY_MS }),
      message("mine", { id: 2, from: "renew", to: "bob" }),
      message("mine too", { id: 4, from: "renew" }),
      message("new", { id: 5 }),
    ],
    seen: 3,
  });
  assertEquals(shown(), [
    "* Friday, 2026-01-30",
    "09:30 anna: long ago",
    "* Saturday, 2026-01-31",
    "09:30 renew -> bob: mine",
    "09:30 renew: mine too",
    "* Since you were here last:",
    "09:30 anna: new",
    "* 2 here: anna, renew",
  ]);
});

Deno.test("View.welcome() shows nothing in the classic style", () => {
  const { view, shown } = open({ style: "classic" });
  view.welcome("renew", {
    here: { count: 1, users: ["anna"] },
    messages: [message("hello")],
    seen: 0,
  });
  view.presence({ joined: { count: 1, users: ["bob"] }, left: { count: 0, users: [] } });
  assertEquals([shown(), view.here.names], [[""], ["anna", "bob"]]);
});

Deno.test("View.presence() names a few, counts many, and says nothing that is known", () => {
  const { view, settings, shown } = open();
  view.here.set(["renew", "anna"]);
  const of = (...users: string[]) => ({ count: users.length, users });
  view.presence({ joined: of("renew", "bob"), left: of("anna", "nobody") });
  assertEquals(shown(), ["* bob joined; anna left"]);
  view.presence({ joined: of("bob"), left: of() });
  view.presence({ joined: { count: 980, users: ["c", "d"] }, left: of() });
  view.presence({ joined: of("e", "f", "g", "h", "i", "j"), left: of() });
  assertEquals(shown(), ["* 980 joined", "* 6 joined"]);
  settings.set("joins", false);
  view.presence({ joined: of("k"), left: of() });
  assertEquals(shown(), [""]);
});

Deno.test("View.message() hides who is blocked, and rings for the user, at most once in 10 s", () => {
  const { view, source, clock, shown, signals } = open({
    blocked: ["BOB"],
    notifications: "osc777",
  });
  view.message(message("hello", { from: "bob", to: "renew" }));
  assertEquals([shown(), signals()], [[""], []]);
  view.message(message("hello all"));
  view.message(message("renewal", {}));
  view.message(message("prerenew", {}));
  view.message(message("mine", { from: "renew", to: "anna" }));
  assertEquals(signals(), []);
  view.message(message("Renew; look", {}));
  assertEquals(signals(), ["\x07", "\x1b]777;notify;chat;anna: Renew, look\x07"]);
  clock.advance(9_999);
  view.message(message("hi", { to: "renew" }));
  assertEquals(signals(), []);
  clock.advance(1);
  source.focused = true;
  view.message(message("hi", { to: "renew" }));
  assertEquals(signals(), []);
});

Deno.test("View.message() gives names a colour where it may, and lets a mention stand out", () => {
  const { view, shown, settings } = open({ noColor: false });
  const name = colored("anna");
  view.message(message("hello"));
  view.message(message("hello @renew!"));
  assertEquals(shown(), [`09:30 ${name}: hello`, `\x1b[1m09:30 ${name}: hello @renew!\x1b[22m`]);
  settings.set("color", "never");
  view.message(message("hello renew"));
  assertEquals(shown(), ["09:30 anna: hello renew"]);
  const plain = open();
  plain.view.message(message("hello renew"));
  plain.settings.set("color", "always");
  plain.view.message(message("hello"));
  assertEquals(plain.shown(), ["09:30 anna: hello renew", `09:30 ${name}: hello`]);
});

Deno.test("View.room() hides what who is blocked does in rooms, but for what is done to the user", () => {
  const { view, shown } = open({ blocked: ["eve"] });
  const room = { type: "room", room: "lab", by: "Eve" } as const;
  view.room({ ...room, what: "topic", text: "spam" });
  view.room({ ...room, what: "invite", user: "renew" });
  view.room({ ...room, what: "mute", user: "joe" });
  assertEquals(shown(), [""]);
  view.room({ ...room, what: "kick", user: "renew" });
  view.room({ ...room, by: "joe", what: "topic", text: "exam" });
  assertEquals(shown(), ["* Eve kicked you out of #lab", "* joe set the topic of #lab: exam"]);
});

Deno.test("View shows that a message was deleted so as no text can look, in either style", () => {
  const { view, shown, signals, settings } = open({ blocked: ["eve"], bell: true });
  const deletion = { type: "deleted", message: 1, from: "anna", sent: TODAY, by: "bob" } as const;
  const seen = () => {
    view.message(message("", { deleted: "bob", to: "renew" }));
    view.past([message("", { deleted: "bob", room: "lab" })]);
    view.deleted({ ...deletion, room: "lab", why: "spam" });
    view.deleted({ ...deletion, from: "Renew" });
    view.deleted({ ...deletion, by: "renew" });
    view.deleted({ ...deletion, from: "eve" });
    return shown();
  };
  const time = "2026-01-31 09:30";
  assertEquals(seen(), [
    "* 09:30 anna -> you: deleted by bob",
    "* 09:30 anna -> #lab: deleted by bob",
    `* bob deleted anna's message of ${time} in #lab: spam`,
    `* bob deleted your message of ${time}`,
  ]);
  settings.set("style", "classic");
  assertEquals(seen(), [
    bold("*** New Message ***"),
    "Message type: Direct Message (DM)",
    "From: anna",
    "Deleted by: bob",
    "",
    "*** Message ***",
    "Message type: Room Message (RM)",
    "From: anna",
    "Room: #lab",
    `Sent: ${time}`,
    "Deleted by: bob",
    "",
    `error: bob deleted anna's message of ${time} in #lab: spam.`,
    `error: bob deleted your message of ${time}.`,
  ]);
  assertEquals(signals(), []);
});

Deno.test("colored() gives a name one colour, in any case, that can be read on dark and on light", () => {
  assertEquals(colored("Anna").replace("Anna", ""), colored("ANNA").replace("ANNA", ""));
  const names = Array.from({ length: 200 }, (_, at) => colored(`user${at}`).split("m")[0]);
  assertEquals(new Set(names).size, NAME_COLORS.length);
  for (const color of NAME_COLORS) {
    const light = luminance(color);
    assertEquals(1.05 / (light + 0.05) >= 3, true, `${color} on white`);
    assertEquals((light + 0.05) / 0.05 >= 3, true, `${color} on black`);
  }
});

/** Relative luminance (WCAG 2) of a colour of the 6 by 6 by 6 cube. */
function luminance(color: number): number {
  const steps = [0, 95, 135, 175, 215, 255];
  const cube = color - 16;
  const [r = 0, g = 0, b = 0] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6]
    .map((step) => steps[step]! / 255)
    .map((value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
