// The dialogues on a real terminal, and what only a terminal shows.
import { assert } from "@std/assert";
import { administerServer, command, startServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { play, transcripts } from "../transcripts/transcript.ts";
import { Tmux, type TmuxScreen } from "./tmux.ts";

/** Runs a test with a server and a terminal. */
async function withTerminal(
  test: (
    start: (username: string, columns?: number) => Promise<TmuxScreen>,
    tmux: Tmux,
    folder: string,
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
    folder.path,
  );
}

for await (const { name, text, serverFlags } of transcripts()) {
  Deno.test(`transcript ${name}, on a terminal`, async () => {
    await withTerminal((start, _, folder) => {
      const administer = (args: readonly string[]) => administerServer(folder, args);
      return play(text, { start, terminal: true, administer });
    }, serverFlags);
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
