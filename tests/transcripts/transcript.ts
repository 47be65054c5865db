/**
 * Dialogues as text files: what each user types and sees, line by line.
 *
 *     # comment
 *     server $ --closed    the server is started with these flags
 *     server > users role joe operator
 *                          chatserver is run with these arguments, for the same data folder
 *     joe $                starts chatclient as joe
 *     joe > PM             joe types a line
 *     joe * geheim         joe types a line that must not show
 *     joe | Message:       a line on joe's standard output; <menu> stands for the command prompt
 *     joe ~ Sent: \\d+      the same, as a regular expression; what is typed later as $name is what its
 *                          group (?<name>...) had
 *     joe ! No.            a line on joe's standard error
 *     joe ? since \\d+      the same, as a regular expression
 *     joe = 0              joe's program ends with this exit code
 *     joe EOF              the input ends (Ctrl-D on a terminal)
 *     joe tty| Repeat:     any of these, on a terminal only
 *     joe pipe= 4          any of these, through pipes only
 *
 * @module
 */

export const MENU = [
  "Please enter a command:",
  "      PM - public message to all active users.",
  "      DM - direct message to a single user",
  "      EX - exit program and logout of account",
];

/** A user's screen: the program of one user, however it is run. */
export interface Screen extends AsyncDisposable {
  type(line: string, options: { secret: boolean }): Promise<void>;
  expect(line: string): Promise<void>;
  /** A line that matches as a whole. */
  expectMatch(pattern: RegExp): Promise<Record<string, string>>;
  expectError(line: string): Promise<void>;
  expectErrorMatch(pattern: RegExp): Promise<void>;
  endInput(): Promise<void>;
  expectExit(code: number): Promise<void>;
  /** Waits until all that is expected so far is there. */
  settle(): Promise<void>;
}

/** Plays a transcript. `start` runs the client of a user. */
export async function play(
  transcript: string,
  { start, terminal, administer }: {
    start: (username: string) => Promise<Screen>;
    terminal: boolean;
    administer: (args: readonly string[]) => Promise<void>;
  },
): Promise<void> {
  await using screens = new AsyncDisposableStack();
  const users = new Map<string, Screen>();
  const groups: Record<string, string> = {};
  for (const [index, line] of transcript.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const match = /^(\S+) (tty|pipe)?([$>*|~!?=]|EOF) ?(.*)$/.exec(line);
    if (match === null) throw new SyntaxError(`line ${index + 1}: ${line}`);
    const [, username = "", only, action, text = ""] = match;
    if (username === SERVER && action === "$") continue;
    if (only !== undefined && (only === "tty") !== terminal) continue;
    try {
      // Whoever acts next has seen what everybody was to see before.
      if (["$", ">", "*", "EOF"].includes(action!)) {
        for (const screen of users.values()) await screen.settle();
      }
      if (username === SERVER) await administer(text.split(" "));
      else if (action === "$") users.set(username, screens.use(await start(username)));
      else if (action === "~") {
        Object.assign(groups, await users.get(username)!.expectMatch(new RegExp(text)));
      } else {
        const typed = action === ">" ? text.replace(/\$(\w+)/, (_, name) => groups[name]!) : text;
        await act(users.get(username)!, action!, typed);
      }
    } catch (cause) {
      throw new Error(`line ${index + 1}: ${line}\n${(cause as Error).message}`, { cause });
    }
  }
}

async function act(screen: Screen, action: string, text: string): Promise<void> {
  switch (action) {
    case ">":
      return await screen.type(text, { secret: false });
    case "*":
      return await screen.type(text, { secret: true });
    case "|":
      for (const line of text === "<menu>" ? MENU : [text]) await screen.expect(line);
      return;
    case "!":
      return await screen.expectError(text);
    case "?":
      return await screen.expectErrorMatch(new RegExp(text));
    case "=":
      return await screen.expectExit(Number(text));
    case "EOF":
      return await screen.endInput();
  }
}

/** No user can have this name. */
const SERVER = "server";

/** The flags of the server that a transcript wants. */
function serverFlagsOf(transcript: string): string[] {
  const [, flags] = new RegExp(`^${SERVER} \\$ (.+)$`, "m").exec(transcript) ?? [];
  return flags?.split(" ") ?? [];
}

/** The transcripts beside this file, and the flags with which the server is started. */
export async function* transcripts(): AsyncGenerator<
  { name: string; text: string; serverFlags: string[] }
> {
  const folder = new URL("./", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".txt")) continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    yield { name, text, serverFlags: serverFlagsOf(text) };
  }
}
