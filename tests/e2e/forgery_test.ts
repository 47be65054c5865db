// Others write what looks like the program's own, on terminals of several widths.
import { assertEquals } from "@std/assert";
import { atTheEdge, forgeries } from "../helpers/forgeries.ts";
import { command, makeAccounts, Program, startServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { Tmux, type TmuxScreen } from "./tmux.ts";

const HARMLESS = "harmless";

Deno.test("nothing that others wrote stands at the left edge of a terminal", async () => {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["joe", "mallory"]);
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await using tmux = new Tmux(folder.path);
  await using mallory = Program.start("client", clientArgs("mallory"));
  await mallory.type("geheim\n");
  await mallory.match(/logout of account\n/);
  const found = [];
  for (const columns of [40, 80, 132]) {
    await using joe = await tmux.open([...command("client"), ...clientArgs("joe")], { columns });
    await joe.until((text) => text.endsWith("Please enter password:"), "the password prompt");
    await joe.typeText("geheim");
    await joe.press("Enter");
    await joe.until((text) => /logout of ac\s*count$/.test(text), "the command prompt");

    let sent = 0;
    /** Sends texts; how many lines more the screen then has at its edge. */
    const send = async (...texts: string[]) => {
      const before = await edges(joe);
      for (const text of [...texts, HARMLESS]) await mallory.type(`DM joe ${text}\n`);
      sent++;
      const last = new RegExp(`(?:^ *${HARMLESS}$[^]*){${sent}}logout of ac\\s*count$`, "m");
      await joe.until((text) => last.test(text), "the last message");
      return await edges(joe) - before;
    };
    const own = await send();
    let foreign = 0;
    for (const { text } of forgeries(columns)) foreign += await send(text) - 2 * own;
    console.log(`    ${columns} columns: ${foreign} lines of others at the left edge`);
    found.push({ columns, foreign });
    await joe.press("C-c", "C-c");
    await joe.until((text) => text.endsWith("exit code 0"), "the end");
  }
  assertEquals(found, [40, 80, 132].map((columns) => ({ columns, foreign: 0 })));
});

Deno.test("in the compact style each message has one line at the edge of a terminal, which names its sender", async () => {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["joe", "mallory"]);
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await using tmux = new Tmux(folder.path);
  await using mallory = Program.start("client", clientArgs("mallory"));
  await mallory.type("geheim\n");
  await mallory.match(/logout of account\n/);
  for (const columns of [40, 80]) {
    const args = [...clientArgs("joe"), "--compact"];
    await using joe = await tmux.open([...command("client"), ...args], { columns });
    await joe.until((text) => text.endsWith("Please enter password:"), "the password prompt");
    await joe.typeText("geheim");
    await joe.press("Enter");
    await joe.until((text) => text.endsWith("\neverybody>"), "the prompt");
    const before = atTheEdge((await joe.text()).split("\n")).length;
    let sent = 0;
    for (const { text } of forgeries(columns)) {
      await mallory.type(`DM joe ${text}\n`);
      sent++;
    }
    await mallory.type(`DM joe ${HARMLESS}\n`);
    await joe.until((text) => text.endsWith(`: ${HARMLESS}\neverybody>`), "the last message");
    const lines = atTheEdge((await joe.text()).split("\n"));
    const heads = lines.slice(before - 1, -1).map((line) =>
      /^\d\d:\d\d mallory -> you:/.test(line)
    );
    assertEquals(heads, Array(sent + 1).fill(true), lines.join("\n"));
    await joe.press("C-d");
    await joe.until((text) => text.endsWith("exit code 0"), "the end");
    // What waits for the next login would be in its overview.
    await mallory.type("PM next\n");
  }
});

Deno.test("a long name goes on away from the edge, in a message and in the list of users", async () => {
  const name = "世".repeat(32);
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["joe", name]);
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await using tmux = new Tmux(folder.path);
  await using joe = await tmux.open([...command("client"), ...clientArgs("joe")], { columns: 40 });
  await joe.until((text) => text.endsWith("Please enter password:"), "the password prompt");
  await joe.typeText("geheim");
  await joe.press("Enter");
  await joe.until((text) => /logout of ac\s*count$/.test(text), "the command prompt");
  await using other = Program.start("client", clientArgs(name));
  await other.type(`geheim\nPM ${HARMLESS}\n`);
  await other.match(/Message sent\n/);
  await joe.until((text) => text.includes(HARMLESS), "the message");
  await joe.typeText("DM");
  await joe.press("Enter");
  await joe.until((text) => text.endsWith("To:"), "the list of users");
  const text = await joe.text();
  assertEquals([text.match(/世/g)?.length, text.match(/^世/gm)?.length ?? 0], [64, 0]);
});

Deno.test("the line with which a program ends goes on away from the edge", async () => {
  await using folder = await TempFolder.create();
  await using tmux = new Tmux(folder.path);
  const args = ["127.0.0.1", "1", "no name"];
  await using screen = await tmux.open([...command("client"), ...args], { columns: 40 });
  await screen.until((text) => text.endsWith("exit code 4"), "the end");
  const lines = (await screen.text()).split("\n");
  assertEquals(atTheEdge(lines).map((line) => line.split(" ")[0]), ["chatclient:", "exit"]);
  assertEquals(lines.length > 2, true);
});

async function edges(screen: TmuxScreen): Promise<number> {
  const lines = (await screen.text()).split("\n");
  return atTheEdge(lines).filter((line) => line !== HARMLESS).length;
}
