// The compact style on a real terminal: exact screens.
import { command, makeAccounts, Program, startServer, startServerAt } from "../helpers/programs.ts";
import type { StartedServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { Tmux, type TmuxScreen } from "./tmux.ts";

/** What a test of a chat needs: joe sits at a terminal, renew at a pipe. */
interface Chat {
  folder: TempFolder;
  tmux: Tmux;
  joe: TmuxScreen;
  renew: Program;
  started: StartedServer;
}

async function withChat(
  test: (chat: Chat) => Promise<void>,
  { columns = 40, shell = false }: { columns?: number; shell?: boolean } = {},
): Promise<void> {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["joe", "renew", "jørgen"]);
  const started = await startServer(folder.path);
  await using _server = started.server;
  await using tmux = new Tmux(folder.path);
  await Deno.writeTextFile(`${folder.path}/config/settings.toml`, "joins = false\n");
  const client = [...command("client"), ...started.clientArgs("joe"), "--compact"];
  const run = shell ? ["bash", "--norc", "-i"] : client;
  await using joe = await tmux.open(run, { columns });
  if (shell) await joe.type(client.join(" "), { secret: true });
  await joe.until((text) => endsWith(text, "Please enter password:"), "the password prompt");
  await joe.typeText("geheim");
  await joe.press("Enter");
  await joe.until((text) => text.endsWith("* 1 here: joe\neverybody>"), "the prompt");
  await using renew = Program.start("client", started.clientArgs("renew"));
  await renew.type("geheim\n");
  await renew.match(/logout of account\n/);
  await test({ folder, tmux, joe, renew, started });
}

function endsWith(text: string, end: string): boolean {
  return text.replaceAll(/\s/g, "").endsWith(end.replaceAll(/\s/g, ""));
}

/** Waits until the screen shows just these lines after the login, whatever the time is. */
async function shows(screen: TmuxScreen, ...lines: string[]): Promise<void> {
  const expected = lines.join("\n");
  await screen.until((text) => afterLogin(text) === expected, expected);
}

function afterLogin(text: string): string {
  const begin = "* 1 here: joe\n";
  const shown = text.slice(text.lastIndexOf(begin) + begin.length);
  return shown.replaceAll(/^\d\d:\d\d /gm, "07:16 ");
}

Deno.test("compact: what is being typed stays whole while ten messages arrive", async () => {
  await withChat(async ({ joe, renew }) => {
    await joe.typeText("half 世界 and e\u0301 so on, longer than a line");
    const typed = ["everybody> half 世界 and e\u0301 so on, longer", "than a line"];
    const messages = Array.from({ length: 10 }, (_, at) => `07:16 renew: message ${at}`);
    for (let at = 0; at < 10; at++) await renew.type(`PM message ${at}\n`);
    const rows = (text: string) => afterLogin(text).split("\n");
    await joe.until(
      (text) =>
        rows(text).slice(0, 10).join() === messages.join() &&
        rows(text).slice(10).join("").replaceAll(" ", "") === typed.join("").replaceAll(" ", ""),
      [...messages, ...typed].join("\n"),
    );
    await joe.press("Enter");
    await renew.match(/\n {2}half 世界 and e\u0301 so on, longer than a line\n/);
  });
});

Deno.test("compact: the prompt says where text goes, and commands go with or without a slash", async () => {
  await withChat(async ({ joe, renew }) => {
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
      joe,
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
  await withChat(async ({ joe, renew, started }) => {
    await using other = Program.start("client", started.clientArgs("jørgen"));
    await other.type("geheim\n");
    await other.match(/logout of account\n/);
    await renew.type("PM both here\n");
    await shows(joe, "07:16 renew: both here", "everybody>");
    // Who is here is told once a second.
    await joe.type("WH", { secret: true });
    await joe.until((text) => afterLogin(text).includes("3 here"), "who is here");
    await joe.typeText("DM j");
    await joe.until(
      (text) => text.endsWith("everybody> DM j"),
      "what is typed",
    );
    for (;;) {
      await joe.press("Tab");
      const listed = await joe.text();
      if (listed.includes("joe  jørgen")) break;
      if (!listed.endsWith("DM joe")) continue;
      for (const _ of "oe ") await joe.press("BSpace");
    }
    await joe.typeText("ø");
    await joe.press("Tab");
    await joe.until((text) => text.endsWith("everybody> DM jørgen"), "the name");
    await joe.press("C-u");
    await joe.typeText("/cl");
    await joe.press("Tab", "Enter");
    await joe.until((text) => endsWith(text, "logout of account"), "the classic style");
  });
});

Deno.test("compact: a paste is one message; a large one is shown by its size", async () => {
  await withChat(async ({ tmux, joe, renew }) => {
    await tmux.run("set-buffer", "one\ntwo\n  three\n");
    await joe.paste();
    await shows(joe, "everybody> one␤two␤  three");
    await joe.press("Enter");
    await renew.match(/\n {2}one\n {2}two\n {4}three\n/);
    const large = Array.from({ length: 300 }, (_, at) => `line ${at}`).join("\n");
    await tmux.run("set-buffer", large);
    await joe.paste();
    await shows(
      joe,
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
  await withChat(async ({ joe, renew }) => {
    await joe.typeText("one\nEX\nPM three\n");
    await shows(joe, "everybody> one␤EX␤PM three");
    await joe.press("Enter");
    await renew.match(/\n {2}one\n {2}EX\n {2}PM three\n/);
  });
});

Deno.test("compact: wide, combining and joined characters can be edited anywhere", async () => {
  await withChat(async ({ joe, renew }) => {
    await joe.typeText("世界e\u0301👍🏽x");
    await joe.press("Left", "Left", "Left", "BSpace");
    await joe.typeText("!");
    await joe.press("End");
    await joe.typeText(".");
    await joe.press("Home", "DC", "C-e", "Enter");
    await renew.match(/\n {2}!e\u0301👍🏽x\.\n/u);
    await joe.until((text) => text.endsWith("\neverybody>"), "the next prompt");
  });
});

Deno.test("compact: what is being typed stays whole at 20 columns and back", async () => {
  await withChat(async ({ tmux, joe, renew }) => {
    const typed = "this line is typed at forty columns, 世界";
    await joe.typeText(typed);
    const whole = (text: string) =>
      afterLogin(text).replaceAll(/\s/g, "").endsWith(`everybody>${typed}`.replaceAll(" ", ""));
    await joe.until(whole, typed);
    for (const width of ["20", "40", "60"]) {
      await tmux.run("resize-window", "-t", "pane0", "-x", width);
      await renew.type(`PM at ${width}\n`);
      await joe.until(
        (text) => new RegExp(`renew:\\s*at\\s*${width}\n`).test(text) && whole(text),
        `the message at ${width} columns, and what is typed`,
      );
      const once = (await joe.text()).split("typed at").length - 1;
      if (width === "60" && once !== 1) throw new Error(`it is shown ${once} times`);
    }
    await joe.press("Enter");
    await renew.match(/\n {2}this line is typed at forty columns, 世界\n/);
  });
});

Deno.test("compact: what is typed goes out after a reconnect, and Enter says so", async () => {
  await withChat(async ({ folder, joe, started }) => {
    await joe.typeText("half");
    await joe.until((text) => text.endsWith("everybody> half"), "what is typed");
    started.server.kill("SIGKILL");
    await started.server.exitCode();
    const lost = [
      "! Connection lost, trying to come",
      "  back.",
    ];
    await shows(joe, ...lost, "everybody> half");
    await joe.typeText(" and half");
    await joe.press("Enter");
    const kept = [
      "everybody> half and half",
      "! Not connected: what you typed is",
      "  kept, and goes out later.",
    ];
    await shows(joe, ...lost, ...kept);
    await joe.typeText("next");
    await using next = (await startServerAt(started.port, folder.path)).server;
    await next.matchError(/joe came back/);
    await shows(joe, ...lost, ...kept, "! Connected again.", "everybody> next");
  });
});

Deno.test("compact: Ctrl-Z twice suspends, and fg brings everything back", async () => {
  await withChat(async ({ joe, renew }) => {
    await joe.typeText("half 世界");
    await joe.until((text) => text.endsWith("everybody> half 世界"), "what is typed");
    await joe.press("C-z");
    await joe.until(
      (text) => text.endsWith("Ctrl-Z once more suspends, Enter goes on.\neverybody> half 世界"),
      "how to go on",
    );
    await joe.press("C-z");
    await joe.until((text) => /Stopped/.test(text) && /[$#]$/.test(text), "the shell");
    await joe.type("fg", { secret: true });
    await joe.until((text) => text.endsWith("\neverybody> half 世界"), "the line again");
    await renew.type("PM still here?\n");
    await joe.until(
      (text) => /renew: still here\?\neverybody> half 世界$/.test(text),
      "a message, and the line",
    );
    await joe.typeText("!");
    await joe.press("Enter");
    await renew.match(/\n {2}half 世界!\n/);
  }, { columns: 200, shell: true });
});

Deno.test("compact: passwords are never on the screen, nor in the history", async () => {
  await withChat(async ({ joe }) => {
    await joe.type("PW", { secret: true });
    for (
      const [question, answer] of [["Old", "geheim"], ["New", "secret"], ["Repeat the", "secret"]]
    ) {
      await joe.until((text) => text.endsWith(`${question} password:`), question!);
      await joe.typeText(answer!);
      await joe.press("Enter");
    }
    await joe.until((text) => /You have a new password[^]*\neverybody>$/.test(text), "the change");
    await joe.press("Up", "Up", "Up");
    await joe.until((text) => text.endsWith("everybody> PW"), "the only line of the history");
    const text = await joe.text();
    if (/geheim|secret/.test(text)) throw new Error(text);
  });
});
