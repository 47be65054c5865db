/**
 * Draws the README's picture, `docs/picture.svg`, from a real session: the executables in `dist/`, on
 * terminals of tmux, in a network of this session's own (`unshare -rnu`, which `deno task picture` does).
 *
 * @module
 */
import { join } from "node:path";
import { ExitCode, ExitError } from "../lib/exit.ts";
import { runProgram } from "../lib/program.ts";
import { Tmux, type TmuxScreen } from "../tests/e2e/tmux.ts";
import { drawTerminals } from "./picture/svg.ts";
import { ROOT } from "./release/bundle.ts";
import { workFolder } from "./release/folders.ts";
import { run } from "./release/run.ts";

const SIZE = { columns: 66, rows: 40 };
const ADDRESS = "10.0.0.114";
const PORT = "1300";
const PASSWORD = "correct horse";
const PROMPT = /\neverybody>$/;
const SENT = /Message sent[^]*EX - [^]*$/;

async function main(): Promise<void> {
  await makeNetwork();
  await using work = await workFolder();
  await using tmux = new Tmux(work.path);
  await using server = await openShell(tmux, work.path, "lab");
  await using anna = await openShell(tmux, work.path, "anna");
  await using bob = await openShell(tmux, work.path, "bob");
  await using renew = await openShell(tmux, work.path, "renew");
  await using joe = await openShell(tmux, work.path, "joe");

  await enter(server, `chatserver ${PORT}`, /to join: chatclient/);
  const atServer = await server.text();
  await register(joe, "joe");
  await enter(joe, "EX", /successfully logged out[^]*\$$/);
  await register(anna, "anna");
  await enter(anna, "PM hello everybody", /Message sent[^]*EX - [^]*$/);
  const atAnna = await anna.text();

  await register(bob, "bob");
  await enter(
    bob,
    "PM is anybody working on the second exercise? My capture has a packet twice, and I don't see why",
    SENT,
  );
  await enter(joe, "chatclient --compact", /Join it\? \(Enter\)$/);
  await enter(joe, "", /Username \(joe\):$/);
  await enter(joe, "", /Please enter password:$/);
  await enter(joe, PASSWORD, PROMPT);
  await enter(joe, "the first one got lost, so it was sent again", PROMPT);
  await enter(bob, "PM joe: so that is what it is, thanks!", SENT);
  await shows(joe, /thanks!/);
  await shows(anna, /thanks!/);
  await enter(anna, "DM joe how did you find that out?", SENT);
  await shows(joe, /find that out\?/);
  await enter(joe, "ST", /PM "the first one[^]*2 of 2[^]*everybody>$/);
  await enter(joe, "RE the packets have numbers; ST counts them", /To anna/);
  await register(renew, "renew");
  await shows(joe, /renew joined/);
  await enter(renew, "PM hi, what have I missed?", SENT);
  await shows(joe, /missed\?/);
  await enter(joe, "DM renew", /renew>$/);
  await enter(joe, "exercise 2; HI shows it", /HI shows it\nrenew>$/);
  await enter(bob, "PM joe, which filter do you use?", SENT);
  await shows(joe, /filter/);
  await enter(joe, "/pm", PROMPT);
  await joe.typeText("udp port 1300, it sh");
  await shows(joe, /it sh$/);

  const atJoe = await joe.text({ styled: true });
  await server.press("C-c");
  // Nothing writes to the folder any more when it is removed.
  for (const screen of [server, anna, bob, renew, joe]) await shows(screen, /^\$$(?![^]*\n)/m);

  const picture = drawTerminals([
    [
      { title: "the server, on one machine", columns: SIZE.columns, text: atServer },
      { title: "a client, on another", columns: SIZE.columns, text: atAnna },
    ],
    [{
      title: "a client in the compact style",
      columns: SIZE.columns,
      text: atJoe.slice(atJoe.lastIndexOf("$ chatclient")),
    }],
  ]);
  await Deno.writeTextFile(join(ROOT, "docs", "picture.svg"), picture);
}

/** An address as a machine in a local network has it, of which nothing leads anywhere. */
async function makeNetwork(): Promise<void> {
  const addresses = await run(["ip", "-oneline", "address", "show"]);
  if (addresses !== "") {
    throw new ExitError(ExitCode.usage, "it needs a network of its own: deno task picture");
  }
  await run(["hostname", "lab"]);
  await run(["ip", "link", "add", "lan", "type", "veth", "peer", "name", "other"]);
  await run(["ip", "address", "add", `${ADDRESS}/24`, "dev", "lan"]);
  for (const device of ["lo", "lan", "other"]) await run(["ip", "link", "set", device, "up"]);
}

async function openShell(tmux: Tmux, folder: string, user: string): Promise<TmuxScreen> {
  const home = join(folder, user);
  await Deno.mkdir(home, { mode: 0o700 });
  const path = `PATH=${join(ROOT, "dist")}:${Deno.env.get("PATH")}`;
  const shell = ["bash", "--norc", "--noprofile", "-i"];
  const variables = [`HOME=${home}`, `USER=${user}`, path, "PS1=$ "];
  const screen = await tmux.open(
    ["env", "-u", "NO_COLOR", "-C", home, ...variables, ...shell],
    SIZE,
  );
  await shows(screen, /^\$$/m);
  return screen;
}

async function register(screen: TmuxScreen, name: string): Promise<void> {
  await enter(screen, `chatclient ${ADDRESS} ${PORT} ${name}`, /enter a new password:/);
  await enter(screen, PASSWORD, /Repeat the password:/);
  await enter(screen, PASSWORD, /EX - /);
}

async function enter(screen: TmuxScreen, line: string, then: RegExp): Promise<void> {
  await screen.typeText(line);
  await screen.press("Enter");
  await shows(screen, then);
}

async function shows(screen: TmuxScreen, pattern: RegExp): Promise<void> {
  await screen.until((text) => pattern.test(text), `${pattern}`);
}

await runProgram("picture", main);
