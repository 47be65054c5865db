import { command, makeAccounts, Program, startServer } from "../helpers/programs.ts";
import type { StartedServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { MENU } from "../transcripts/transcript.ts";
import { Tmux, type TmuxScreen } from "./tmux.ts";

/** What a test of a chat needs: joe sits at a terminal, renew at a pipe. */
export interface Chat {
  folder: TempFolder;
  tmux: Tmux;
  joe: TmuxScreen;
  renew: Program;
  started: StartedServer;
  /** What joe's terminal shows after the login; all times are 07:16. */
  screen: () => Promise<string>;
  /** Waits until that is just these lines; `<menu>` stands for the command prompt. */
  shows: (...lines: string[]) => Promise<void>;
}

export interface ChatOptions {
  style: "classic" | "compact";
  columns: number;
  /** Whether joe's client is started from a shell. @default false */
  shell?: boolean;
  /** Whether jørgen is here, too, from before joe's login on. @default false */
  withThird?: boolean;
}

export async function withChat(
  test: (chat: Chat) => Promise<void>,
  { style, columns, shell = false, withThird = false }: ChatOptions,
): Promise<void> {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["joe", "renew", "jørgen"]);
  const started = await startServer(folder.path);
  await using _server = started.server;
  await using tmux = new Tmux(folder.path);
  await Deno.writeTextFile(`${folder.path}/config/settings.toml`, "joins = false\n");
  await using _third = withThird ? await logIn(started, "jørgen") : undefined;
  const client = [...command("client"), ...started.clientArgs("joe")];
  if (style === "compact") client.push("--compact");
  await using joe = await tmux.open(shell ? ["bash", "--norc", "-i"] : client, { columns });
  if (shell) await joe.type(client.join(" "), { secret: true });
  await joe.until((text) => endsWith(text, "Please enter password:"), "the password prompt");
  await joe.typeText("geheim");
  await joe.press("Enter");
  await joe.until(
    (text) => /logout of account$|j(?:oe|ørgen)\neverybody>$/.test(text),
    "the prompt",
  );
  await using renew = await logIn(started, "renew");

  // What ends the login: how joe's screen goes on is the test's.
  const here = withThird ? "* 2 here: joe, jørgen" : "* 1 here: joe";
  const loginEnd = style === "classic" ? MENU.join("\n") : here;
  const afterLogin = (text: string) =>
    text.slice(text.indexOf(`\n${loginEnd}\n`) + loginEnd.length + 2)
      .replaceAll(/^\d\d:\d\d /gm, "07:16 ");
  const shows = async (...lines: string[]) => {
    const expected = lines.flatMap((line) => line === "<menu>" ? MENU : [line]).join("\n");
    await joe.until((text) => afterLogin(text) === expected, expected);
  };
  const screen = async () => afterLogin(await joe.text());
  await test({ folder, tmux, joe, renew, started, screen, shows });
}

/** A client at a pipe. */
async function logIn({ clientArgs }: StartedServer, username: string): Promise<Program> {
  const client = Program.start("client", clientArgs(username));
  await client.type("geheim\n");
  await client.match(/logout of account\n/);
  return client;
}

/** Whether a text ends with another, wherever the terminal has wrapped it. */
function endsWith(text: string, end: string): boolean {
  return text.replaceAll(/\s/g, "").endsWith(end.replaceAll(/\s/g, ""));
}
