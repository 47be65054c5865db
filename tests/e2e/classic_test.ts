// The classic style on a real terminal: exact screens.
import { startServerAt } from "../helpers/programs.ts";
import { type Chat, withChat } from "./chat.ts";

function inClassic(
  test: (chat: Chat) => Promise<void>,
  options: { columns?: number; shell?: boolean; withThird?: boolean } = {},
): Promise<void> {
  return withChat(test, { style: "classic", columns: 50, ...options });
}

/** A message of renew's as joe sees it, and the prompt after it. */
function message(...text: string[]): string[] {
  const lines = text.map((line) => `  ${line}`);
  const head = ["*** New Message ***", "Message type: Public Message (PM)", "From: renew"];
  return [...head, "", ...lines, "", "<menu>"];
}

Deno.test("classic: what is being typed stays whole while ten messages arrive", async () => {
  await inClassic(async ({ joe, renew, shows }) => {
    await joe.typeText("PM half 世界 and e\u0301 so on, which is longer than a row");
    const typed = ["PM half 世界 and e\u0301 so on, which is longer than a", " row"];
    await shows(...typed);
    const texts = Array.from({ length: 10 }, (_, at) => `message ${at}`);
    for (const text of texts) await renew.type(`PM ${text}\n`);
    await shows(...texts.flatMap((text) => message(text)), ...typed);
    await joe.press("Enter");
    await renew.match(/\n {2}half 世界 and e\u0301 so on, which is longer than a row\n/);
  });
});

Deno.test("classic: Tab completes names and commands, and lists what is not clear", async () => {
  await inClassic(async ({ joe, shows }) => {
    await joe.typeText("DM j");
    await joe.press("Tab");
    await shows("joe  jørgen", "DM j");
    await joe.typeText("ø");
    await joe.press("Tab");
    await joe.typeText("hi");
    await shows("joe  jørgen", "DM jørgen hi");
    await joe.press("C-u");
    await joe.typeText("/qu");
    await joe.press("Tab");
    await shows("joe  jørgen", "/query  /quit", "/qu");
    await joe.typeText("i");
    await joe.press("Tab");
    await shows("joe  jørgen", "/query  /quit", "/quit");
  }, { withThird: true });
});

Deno.test("classic: a paste is one message; a large one is shown by its size", async () => {
  await inClassic(async ({ tmux, joe, renew, shows }) => {
    await tmux.run("set-buffer", "PM one\ntwo\n  three\n");
    await joe.paste();
    await shows("PM one␤two␤  three");
    await joe.press("Enter");
    await renew.match(/\n {2}one\n {2}two\n {4}three\n/);
    const before = ["PM one␤two␤  three", "Message sent", "<menu>"];
    await shows(...before);
    const large = Array.from({ length: 300 }, (_, at) => `line ${at}`).join("\n");
    await tmux.run("set-buffer", large);
    await joe.typeText("PM ");
    await joe.paste();
    const asked = [
      "A paste of 300 lines: Enter sends it as one",
      "  message, Ctrl-C drops it.",
    ];
    const shown = "PM [paste: 300 lines, 2589 characters]";
    await shows(...before, ...asked, shown);
    await joe.press("Enter");
    await shows(...before, ...asked, shown, "Message sent", "<menu>");
    await renew.match(/\n {2}line 0\n {2}line 1\n[^]*\n {2}line 299\n/);
  });
});

Deno.test("classic: lines that come at once, without marks, are a paste and no commands", async () => {
  await inClassic(async ({ joe, renew, shows }) => {
    await joe.typeText("PM one\nEX\nPM three\n");
    await shows("PM one␤EX␤PM three");
    await joe.press("Enter");
    await shows("PM one␤EX␤PM three", "Message sent", "<menu>");
    await renew.match(/\n {2}one\n {2}EX\n {2}PM three\n/);
  });
});

Deno.test("classic: wide, combining and joined characters can be edited anywhere", async () => {
  await inClassic(async ({ joe, renew, shows }) => {
    await joe.typeText("PM 世界e\u0301👍🏽x");
    await shows("PM 世界e\u0301👍🏽x");
    await joe.press("Left", "Left", "Left", "BSpace");
    await joe.typeText("!");
    await shows("PM 世!e\u0301👍🏽x");
    await joe.press("C-e");
    await joe.typeText(".");
    await joe.press("C-a", "Right", "Right", "Right", "DC");
    await shows("PM !e\u0301👍🏽x.");
    await joe.press("Enter");
    await shows("PM !e\u0301👍🏽x.", "Message sent", "<menu>");
    await renew.match(/\n {2}!e\u0301👍🏽x\.\n/u);
  });
});

Deno.test("classic: what is being typed stays whole at 20 columns and back", async () => {
  await inClassic(async ({ tmux, joe, renew, shows }) => {
    const typed = "PM this is typed at fifty columns, and is longer than that, 世界";
    const rows = ["PM this is typed at fifty columns, and is longer", "than that, 世界"];
    await joe.typeText(typed);
    await shows(...rows);
    await tmux.run("resize-window", "-t", "pane0", "-x", "20");
    const narrow = ["PM this is typed at", " fifty columns, and", " is longer than tha", "t, 世界"];
    await joe.until((text) => text.endsWith(`\n${narrow.join("\n")}`), "it at 20 columns");
    await tmux.run("resize-window", "-t", "pane0", "-x", "50");
    await shows(...rows);
    await joe.press("Enter");
    await shows(...rows, "Message sent", "<menu>");
    await renew.match(/\n {2}this is typed at fifty columns, and is longer than that, 世界\n/);
  });
});

Deno.test("classic: what is typed goes out after a reconnect, and Enter says so", async () => {
  await inClassic(async ({ folder, joe, started, shows }) => {
    await joe.typeText("PM half");
    await shows("PM half");
    started.server.kill("SIGKILL");
    await started.server.exitCode();
    const lost = ["Connection lost, trying to come back."];
    await shows(...lost, "PM half");
    await joe.typeText(" and half");
    await joe.press("Enter");
    const kept = [
      "PM half and half",
      "Not connected: what you typed is kept, and",
      "  goes out later.",
    ];
    await shows(...lost, ...kept);
    await joe.typeText("PM next");
    await using next = (await startServerAt(started.port, folder.path)).server;
    await next.matchError(/joe came back/);
    await shows(
      ...[...lost, ...kept, "Connected again.", "Message sent", "<menu>"],
      "PM next",
    );
  });
});

Deno.test("classic: Ctrl-Z twice suspends, and fg brings everything back", async () => {
  await inClassic(async ({ joe, renew, screen, shows }) => {
    await joe.typeText("PM half 世界");
    await joe.press("C-z");
    await shows("Ctrl-Z once more suspends, Enter goes on.", "PM half 世界");
    await joe.press("C-z");
    await joe.until((text) => /Stopped/.test(text) && /[$#]$/.test(text), "the shell");
    await joe.type("fg", { secret: true });
    await joe.until((text) => text.endsWith("\nPM half 世界"), "the line again");
    const before = (await screen()).split("\n").slice(0, -1);
    await renew.type("PM still here?\n");
    await shows(...before, ...message("still here?"), "PM half 世界");
    await joe.typeText("!");
    await joe.press("Enter");
    await shows(...before, ...message("still here?"), "PM half 世界!", "Message sent", "<menu>");
    await renew.match(/\n {2}half 世界!\n/);
  }, { columns: 200, shell: true });
});

Deno.test("classic: passwords are never on the screen, nor in the history", async () => {
  await inClassic(async ({ joe, shows }) => {
    await joe.type("PW", { secret: true });
    const shown = ["PW"];
    for (
      const [question, answer] of [["Old", "geheim"], ["New", "secret"], ["Repeat the", "secret"]]
    ) {
      shown.push(`${question} password:`);
      await shows(...shown);
      await joe.typeText(answer!);
      await joe.press("Enter");
      shown.push("");
    }
    shown.push("You have a new password. Your other sessions", "  have ended.");
    await shows(...shown, "<menu>");
    await joe.press("Up", "Up", "Up");
    await shows(...shown, "<menu>", "PW");
  });
});
