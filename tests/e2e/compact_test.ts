// The compact style on a real terminal: exact screens.
import { startServerAt } from "../helpers/programs.ts";
import { type Chat, withChat } from "./chat.ts";

function inCompact(
  test: (chat: Chat) => Promise<void>,
  options: { columns?: number; shell?: boolean; withThird?: boolean } = {},
): Promise<void> {
  return withChat(test, { style: "compact", columns: 40, ...options });
}

Deno.test("compact: what is being typed stays whole while ten messages arrive", async () => {
  await inCompact(async ({ joe, renew, shows }) => {
    await joe.typeText("half 世界 and e\u0301 so on, longer than a line");
    const typed = ["everybody> half 世界 and e\u0301 so on, long", "er than a line"];
    await shows(...typed);
    const messages = Array.from({ length: 10 }, (_, at) => `message ${at}`);
    for (const message of messages) await renew.type(`PM ${message}\n`);
    await shows(...messages.map((message) => `07:16 renew: ${message}`), ...typed);
    await joe.press("Enter");
    await renew.match(/\n {2}half 世界 and e\u0301 so on, longer than a line\n/);
  });
});

Deno.test("compact: the prompt says where text goes, and commands go with or without a slash", async () => {
  await inCompact(async ({ joe, renew, shows }) => {
    for (
      const [line, prompt] of [
        ["hello", "everybody"],
        ["DM renew", "renew"],
        ["only you", "renew"],
        ["/pm", "everybody"],
        ["@renew and you", "everybody"],
        ["/wave", "everybody"],
        ["//wave", "everybody"],
      ]
    ) {
      await joe.type(line!, { secret: true });
      await joe.until((text) => text.includes(line!) && text.endsWith(`\n${prompt}>`), line!);
    }
    await shows(
      "everybody> hello",
      "everybody> DM renew",
      "renew> only you",
      "renew> /pm",
      "everybody> @renew and you",
      "everybody> /wave",
      '! Unknown command "/wave": HE lists',
      "  the commands.",
      "everybody> //wave",
      "everybody>",
    );
    const shown =
      /Public[^]*\n {2}hello\n[^]*Direct[^]*\n {2}only you\n[^]*\n {2}and you\n[^]*\n {2}\/wave\n/;
    await renew.match(shown);
  });
});

Deno.test("compact: Tab completes names and commands, and lists what is not clear", async () => {
  await inCompact(async ({ joe, shows }) => {
    await joe.typeText("DM j");
    await joe.press("Tab");
    await shows("joe  jørgen", "everybody> DM j");
    await joe.typeText("ø");
    await joe.press("Tab");
    await joe.typeText("hi");
    await shows("joe  jørgen", "everybody> DM jørgen hi");
    await joe.press("C-u");
    await joe.typeText("/cl");
    await joe.press("Tab");
    await shows("joe  jørgen", "everybody> /classic");
  }, { withThird: true });
});

Deno.test("compact: a paste is one message; a large one is shown by its size", async () => {
  await inCompact(async ({ tmux, joe, renew, shows }) => {
    await tmux.run("set-buffer", "one\ntwo\n  three\n");
    await joe.paste();
    await shows("everybody> one␤two␤  three");
    await joe.press("Enter");
    await shows("everybody> one␤two␤  three", "everybody>");
    await renew.match(/\n {2}one\n {2}two\n {4}three\n/);
    const large = Array.from({ length: 300 }, (_, at) => `line ${at}`).join("\n");
    await tmux.run("set-buffer", large);
    await joe.paste();
    await shows(
      "everybody> one␤two␤  three",
      "A paste of 300 lines: Enter sends it",
      "  as one message, Ctrl-C drops it.",
      "everybody> [paste: 300 lines, 2589 char",
      "acters]",
    );
    await joe.press("Enter");
    await renew.match(/\n {2}line 0\n {2}line 1\n[^]*\n {2}line 299\n/);
  });
});

Deno.test("compact: lines that come at once, without marks, are a paste and no commands", async () => {
  await inCompact(async ({ joe, renew, shows }) => {
    await joe.typeText("one\nEX\nPM three\n");
    await shows("everybody> one␤EX␤PM three");
    await joe.press("Enter");
    await renew.match(/\n {2}one\n {2}EX\n {2}PM three\n/);
  });
});

Deno.test("compact: wide, combining and joined characters can be edited anywhere", async () => {
  await inCompact(async ({ joe, renew, shows }) => {
    await joe.typeText("世界e\u0301👍🏽x");
    await shows("everybody> 世界e\u0301👍🏽x");
    await joe.press("Left", "Left", "Left", "BSpace");
    await joe.typeText("!");
    await shows("everybody> 世!e\u0301👍🏽x");
    await joe.press("End");
    await joe.typeText(".");
    await joe.press("Home", "DC", "C-e");
    await shows("everybody> !e\u0301👍🏽x.");
    await joe.press("Enter");
    await shows("everybody> !e\u0301👍🏽x.", "everybody>");
    await renew.match(/\n {2}!e\u0301👍🏽x\.\n/u);
  });
});

Deno.test("compact: what is being typed stays whole at 20 columns and back", async () => {
  await inCompact(async ({ tmux, joe, renew, shows }) => {
    await joe.typeText("this line is typed at forty columns, 世界");
    const rows = ["everybody> this line is typed at forty", "columns, 世界"];
    await shows(...rows);
    await tmux.run("resize-window", "-t", "pane0", "-x", "20");
    const narrow = ["everybody> this lin", "e is typed at forty", " columns, 世界"];
    await joe.until((text) => text.endsWith(`\n${narrow.join("\n")}`), "it at 20 columns");
    await renew.type("PM at twenty columns\n");
    const message = ["07:16 renew: at", "  twenty columns"];
    await joe.until((text) => text.endsWith(narrow.join("\n")) && text.includes("twenty"), "both");
    await tmux.run("resize-window", "-t", "pane0", "-x", "40");
    await shows(...message, ...rows);
    await joe.press("Enter");
    await renew.match(/\n {2}this line is typed at forty columns, 世界\n/);
  });
});

Deno.test("compact: what is typed goes out after a reconnect, and Enter says so", async () => {
  await inCompact(async ({ folder, joe, started, shows }) => {
    await joe.typeText("half");
    await joe.until((text) => text.endsWith("everybody> half"), "what is typed");
    started.server.kill("SIGKILL");
    await started.server.exitCode();
    const lost = ["! Connection lost, trying to come", "  back."];
    await shows(...lost, "everybody> half");
    await joe.typeText(" and half");
    await joe.press("Enter");
    const kept = [
      "everybody> half and half",
      "! Not connected: what you typed is",
      "  kept, and goes out later.",
    ];
    await shows(...lost, ...kept);
    await joe.typeText("next");
    await using next = (await startServerAt(started.port, folder.path)).server;
    await next.matchError(/joe came back/);
    await shows(...lost, ...kept, "! Connected again.", "everybody> next");
  });
});

Deno.test("compact: Ctrl-Z twice suspends, and fg brings everything back", async () => {
  await inCompact(async ({ joe, renew, screen, shows }) => {
    await joe.typeText("half 世界");
    await joe.press("C-z");
    await shows("Ctrl-Z once more suspends, Enter goes on.", "everybody> half 世界");
    await joe.press("C-z");
    await joe.until((text) => /Stopped/.test(text) && /[$#]$/.test(text), "the shell");
    await joe.type("fg", { secret: true });
    await joe.until((text) => text.endsWith("\neverybody> half 世界"), "the line again");
    const before = (await screen()).split("\n").slice(0, -1);
    await renew.type("PM still here?\n");
    await shows(...before, "07:16 renew: still here?", "everybody> half 世界");
    await joe.typeText("!");
    await joe.press("Enter");
    await shows(...before, "07:16 renew: still here?", "everybody> half 世界!", "everybody>");
    await renew.match(/\n {2}half 世界!\n/);
  }, { columns: 200, shell: true });
});

Deno.test("compact: passwords are never on the screen, nor in the history", async () => {
  await inCompact(async ({ joe, shows }) => {
    await joe.type("PW", { secret: true });
    const shown = ["everybody> PW"];
    for (
      const [question, answer] of [["Old", "geheim"], ["New", "secret"], ["Repeat the", "secret"]]
    ) {
      shown.push(`${question} password:`);
      await shows(...shown);
      await joe.typeText(answer!);
      await joe.press("Enter");
      shown.push("");
    }
    shown.push("* You have a new password. Your", "  other sessions have ended.");
    await shows(...shown, "everybody>");
    await joe.press("Up", "Up", "Up");
    await shows(...shown, "everybody> PW");
  });
});
