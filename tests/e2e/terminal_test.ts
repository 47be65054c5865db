// The dialogues on a real terminal, and what only a terminal shows.
import { assert } from "@std/assert";
import { command, startServer, startServerAt } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { play, transcripts } from "../transcripts/transcript.ts";
import { Tmux, type TmuxScreen } from "./tmux.ts";

/** Runs a test with a server and a terminal. */
async function withTerminal(
  test: (
    start: (username: string, columns?: number) => Promise<TmuxScreen>,
    tmux: Tmux,
  ) => Promise<void>,
  serverFlags: readonly string[] = [],
): Promise<void> {
  await using folder = await TempFolder.create();
  const { server, clientArgs } = await startServer(folder.path, ...serverFlags);
  await using _server = server;
  await using tmux = new Tmux(folder.path);
  await test(
    (username, columns = 100) =>
      tmux.open([...command("client"), ...clientArgs(username)], { columns }),
    tmux,
  );
}

for await (const { name, text, serverFlags } of transcripts()) {
  Deno.test(`transcript ${name}, on a terminal`, async () => {
    await withTerminal((start) => play(text, { start, terminal: true }), serverFlags);
  });
}

/** Whether a text ends with another, wherever the terminal has wrapped it. */
function endsWith(text: string, end: string): boolean {
  return text.replaceAll(/\s/g, "").endsWith(end.replaceAll(/\s/g, ""));
}

async function register(screen: TmuxScreen): Promise<void> {
  await screen.until((text) => endsWith(text, "enter a new password:"), "the password prompt");
  await screen.typeText("geheim");
  await screen.press("Enter");
  await screen.until((text) => endsWith(text, "Repeat the password:"), "the password again");
  await screen.typeText("geheim");
  await screen.press("Enter");
  await screen.until((text) => endsWith(text, "logout of account"), "the command prompt");
  assert(!(await screen.text()).includes("geheim"));
}

Deno.test("the first login in the classic style says once what /compact does", async () => {
  await using folder = await TempFolder.create();
  const { server, port, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await using tmux = new Tmux(folder.path);
  const args = ["--config", folder.file("new")];
  const hint = "/compact shows each message in one line; SE style compact keeps that.";
  await using nowhere = await tmux.open([...command("client"), "127.0.0.1", "1", "joe", ...args]);
  await nowhere.until((text) => text.endsWith("exit code 3"), "that nobody listens");
  assert(!(await nowhere.text()).includes(hint));
  const [host, , username] = clientArgs("joe");
  const joining = [...command("client"), host!, port, username!, ...args];
  await using first = await tmux.open(joining);
  const question = "Welcome new user: joe please enter a new password:";
  await first.until((text) => text.endsWith(`\n${hint}\n${question}`), hint);
  await using second = await tmux.open(joining);
  await second.until((text) => text.endsWith(question), question);
  assert(!(await second.text()).includes(hint));
});

Deno.test("what is being typed survives a message, wide and wrapped", async () => {
  await withTerminal(async (start) => {
    await using joe = await start("joe", 40);
    await register(joe);
    await using renew = await start("renew");
    await register(renew);
    const typed = `PM half 世界 ${"typed ".repeat(10)}`;
    await joe.typeText(typed);
    await joe.until((text) => endsWith(text, typed), typed);
    await renew.typeText("PM hello");
    await renew.press("Enter");
    await joe.until(
      (text) => text.includes("hello\n\nPlease enter a command:") && endsWith(text, typed),
      `the message, and then ${typed}`,
    );
    const once = (await joe.text()).split("half").length - 1;
    assert(once === 1, `what is typed is shown ${once} times`);
    await joe.press("Enter");
    await renew.until((text) => text.includes("half 世界 typed"), "the message that was typed");
  });
});

Deno.test("a paste is one message, and waits for Enter", async () => {
  await withTerminal(async (start, tmux) => {
    await using joe = await start("joe");
    await register(joe);
    await using renew = await start("renew");
    await register(renew);
    await tmux.run("set-buffer", "PM one\ntwo\n  three\n");
    await joe.paste();
    await joe.until((text) => text.endsWith("PM one␤two␤  three"), "the paste in one line");
    await joe.press("Enter");
    await joe.until((text) => text.includes("Message sent"), "one message sent");
    await renew.until(
      (text) => text.includes("From: joe\n\n  one\n  two\n    three\n\nPlease enter a command:"),
      "one message of three lines",
    );
  });
});

Deno.test("a password does not show when it is typed again while the server hashes", async () => {
  await withTerminal(async (start) => {
    await using joe = await start("joe");
    await joe.until((text) => endsWith(text, "enter a new password:"), "the password prompt");
    await joe.typeText("geheim");
    await joe.press("Enter");
    await joe.until((text) => endsWith(text, "Repeat the password:"), "the password again");
    await joe.typeText("geheim");
    await joe.press("Enter");
    await joe.typeText("geheim");
    await joe.press("Enter", "C-z");
    await joe.until((text) => endsWith(text, "logout of account"), "the command prompt");
    await joe.press("Up", "Enter");
    await joe.until((text) => text.split("Please enter a command:").length === 3, "two prompts");
    assert(!(await joe.text()).includes("geheim"));
  });
});

Deno.test("two passwords that differ are asked for again", async () => {
  await withTerminal(async (start) => {
    await using joe = await start("joe");
    for (const password of ["geheim", "gehiem"]) {
      await joe.until((text) => text.endsWith("password:"), "a password prompt");
      await joe.typeText(password);
      await joe.press("Enter");
      await joe.until((text) => text.includes("Repeat the password:"), "the second prompt");
    }
    await joe.until(
      (text) => /The two passwords differ\.\nWelcome new user: joe.*$/.test(text),
      "the first prompt again",
    );
  });
});

Deno.test("a password is not in the history of lines", async () => {
  await withTerminal(async (start) => {
    await using joe = await start("joe");
    await register(joe);
    await joe.press("Up", "Up", "Enter");
    await joe.until((text) => text.split("Please enter a command:").length === 3, "two prompts");
    assert(!(await joe.text()).includes("geheim"));
  });
});

Deno.test("Ctrl-C drops what was typed, and a second one leaves as EX does", async () => {
  await withTerminal(async (start) => {
    await using joe = await start("joe");
    await register(joe);
    await joe.typeText("PM not me");
    await joe.until((text) => text.endsWith("PM not me"), "what was typed");
    await joe.press("C-c");
    await joe.until((text) => endsWith(text, "logout of account"), "the line without it");
    await joe.press("C-c");
    await joe.until(
      (text) => text.endsWith("exit code 0"),
      "the end",
    );
    assert(!(await joe.text()).includes("not me"));
  });
});

Deno.test("what is being typed survives a restart of the server, and is sent after it", async () => {
  await using folder = await TempFolder.create();
  const { server, port, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await using tmux = new Tmux(folder.path);
  await using joe = await tmux.open([...command("client"), ...clientArgs("joe")], { columns: 60 });
  await register(joe);
  await joe.typeText("DM joe half 世界");
  await joe.until((text) => text.endsWith("DM joe half 世界"), "what is typed");
  server.kill("SIGKILL");
  await server.exitCode();
  await joe.until(
    (text) => /^Connection lost, trying to come back\.\nDM joe half 世界$/m.test(text),
    "one line, and what is typed below it",
  );
  await joe.typeText(" and");
  await using next = (await startServerAt(port, folder.path)).server;
  await next.matchError(/joe came back/);
  await joe.until(
    (text) => text.endsWith("come back.\nConnected again.\nDM joe half 世界 and"),
    "another line, and what is typed below it",
  );
  await joe.typeText(" half");
  await joe.press("Enter");
  await joe.until((text) => text.includes("From: joe\n\n  half 世界 and half\n"), "the message");
});

Deno.test("Tab completes names and commands", async () => {
  await withTerminal(async (start) => {
    await using joe = await start("joe");
    await register(joe);
    await joe.typeText("DM jo");
    await joe.press("Tab");
    await joe.typeText("hello");
    await joe.until((text) => text.endsWith("\nDM joe hello"), "the name");
    await joe.press("C-u");
    await joe.typeText("/qu");
    await joe.press("Tab");
    await joe.until((text) => /query {2}\/quit\n\/qu$/.test(text), "what it may be");
    await joe.typeText("i");
    await joe.press("Tab", "Enter");
    await joe.until((text) => text.endsWith("exit code 0"), "the end");
  });
});

Deno.test("what is being typed stays whole at 20 columns and back", async () => {
  await withTerminal(async (start, tmux) => {
    await using joe = await start("joe", 60);
    await register(joe);
    const typed = "PM this is typed at sixty columns, and is longer than twenty";
    await joe.typeText(typed);
    const rows = (width: number) => typed.match(new RegExp(`.{1,${width - 1}}`, "g"))!.join("\n");
    for (const width of [20, 60, 30, 80]) {
      await tmux.run("resize-window", "-t", "pane0", "-x", `${width}`);
      await joe.until((text) => text.endsWith(`\n${rows(width)}`), rows(width));
      const once = (await joe.text()).split("PM this").length - 1;
      assert(once === 1, `what is typed is shown ${once} times at ${width} columns`);
    }
    await joe.press("Enter");
    await joe.until((text) => text.includes(`\n${typed}\nMessage sent\n`), "it is sent");
  });
});

Deno.test("a suspended client leaves the terminal to a shell that mends nothing", async () => {
  await using folder = await TempFolder.create();
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await using tmux = new Tmux(folder.path);
  await using joe = await tmux.open(["sh", "-i"], { columns: 200 });
  await joe.type([...command("client"), ...clientArgs("joe")].join(" "), { secret: true });
  await register(joe);
  await joe.typeText("PM half");
  await joe.press("C-z");
  await joe.until((text) => text.endsWith("Enter goes on.\nPM half"), "how to go on");
  await joe.press("C-z");
  await joe.until((text) => /Stopped/.test(text) && /[$#]$/.test(text), "the shell");
  await joe.type("echo what is ''typed", { secret: true });
  await joe.until(
    (text) => /[$#] echo what is ''typed\nwhat is typed\n/.test(text),
    "what is typed",
  );
  await joe.type("fg", { secret: true });
  await joe.until((text) => text.endsWith("\nPM half"), "the line again");
  await joe.press("Enter");
  await joe.until((text) => /\nPM half\nMessage sent\n/.test(text), "it is sent");
});

Deno.test("Ctrl-Z twice suspends, and fg brings the line back; a fg after one is not sent", async () => {
  await using folder = await TempFolder.create();
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await using tmux = new Tmux(folder.path);
  await using joe = await tmux.open(["bash", "--norc", "-i"], { columns: 200 });
  await joe.type([...command("client"), ...clientArgs("joe")].join(" "), { secret: true });
  await register(joe);
  await joe.press("C-z");
  await joe.until(
    (text) => text.endsWith("\nCtrl-Z once more suspends, Enter goes on."),
    "how to go on",
  );
  await joe.type("fg", { secret: true });
  await joe.until(
    (text) => text.endsWith('\n"fg" is for your shell, so it was not sent.'),
    "that it was not sent",
  );
  await joe.typeText("PM half");
  await joe.press("C-z");
  await joe.until((text) => text.endsWith("goes on.\nPM half"), "how to go on");
  await joe.press("C-z");
  await joe.until((text) => /Stopped/.test(text) && /[$#]$/.test(text), "the shell");
  await joe.type("fg", { secret: true });
  await joe.until((text) => text.endsWith("\nPM half"), "the line again");
  await joe.press("Enter");
  await joe.until((text) => /\nPM half\nMessage sent\n/.test(text), "it is sent");
});
