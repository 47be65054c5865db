// A terminal that goes away, as when its window is closed: the client logs out, and nothing of it stays.
import { assertEquals } from "@std/assert";
import { command, makeAccounts, startServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { Tmux } from "./tmux.ts";

Deno.test("a terminal that goes away while something is typed means EX, exit code 0", async () => {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["joe"]);
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await Deno.writeTextFile(folder.file("pw"), "geheim\n", { mode: 0o600 });
  const ended = folder.file("ended");
  await new Deno.Command("mkfifo", { args: [ended] }).output();
  const script = folder.file("run");
  await Deno.writeTextFile(script, `trap "" HUP\n"$@" 2>'${ended}.err'\necho "$?" >'${ended}'\n`);
  await using tmux = new Tmux(folder.path);
  const password = ["--password-file", folder.file("pw")];
  const client = [...command("client"), ...clientArgs("joe"), ...password];
  const joe = await tmux.open(["sh", script, ...client]);
  await using _joe = joe;
  await joe.until((text) => text.includes("Please enter a command:"), "the prompt");
  await joe.typeText("PM half");
  await joe.until((text) => text.endsWith("PM half"), "what is typed");
  await tmux.run("kill-server");
  assertEquals(await Deno.readTextFile(ended), "0\n");
  assertEquals(await Deno.readTextFile(`${ended}.err`), "");
  await server.matchError(/joe left: logged out/);
});
