// The bots of docs/JSON.md, exactly as they stand there.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { delimiter } from "node:path";
import { command, makeAccounts, Program, startServer } from "./helpers/programs.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

const page = await Deno.readTextFile(new URL("../docs/JSON.md", import.meta.url));

/** A folder to put on the PATH, in which `chatclient` is the client that the tests start. */
async function installClient(folder: TempFolder): Promise<string> {
  const bin = folder.file("bin");
  await Deno.mkdir(bin);
  const quoted = command("client").map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(`${bin}/chatclient`, `#!/bin/sh\nexec ${quoted} "$@"\n`);
  await Deno.chmod(`${bin}/chatclient`, 0o700);
  return bin;
}

const BOTS = [
  {
    file: "echo_bot.ts",
    run: [Deno.execPath(), "run", "--no-prompt", "--no-config", "--allow-run=chatclient"],
    say: "DM robot hello",
    answer: /Direct Message \(DM\)\nFrom: robot\n\n {2}You said: hello\n/,
  },
  {
    file: "roll_bot.py",
    run: ["python3"],
    say: "PM !roll",
    answer: /Public Message \(PM\)\nFrom: robot\n\n {2}joe rolls [1-6]\n/,
  },
];

/** Whether there is what a bot needs: not everybody who runs the tests has Python. */
async function isThere(program: string): Promise<boolean> {
  const run = new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" });
  return await run.output().then(({ success }) => success, () => false);
}

for (const { file, run, say, answer } of BOTS) {
  Deno.test({
    name: `${file} works as it stands in docs/JSON.md`,
    ignore: Deno.build.os === "windows" || !await isThere(run[0]!),
    async fn() {
      const bot = new URL(`../docs/bots/${file}`, import.meta.url).pathname;
      assertStringIncludes(
        page,
        `\n\`\`\`${file.endsWith(".py") ? "python" : "ts"}\n${await Deno.readTextFile(
          bot,
        )}\`\`\`\n`,
      );

      await using folder = await TempFolder.create();
      await makeAccounts(folder.path, ["joe", "robot"]);
      await Deno.writeTextFile(folder.file("pw"), "geheim\n", { mode: 0o600 });
      const { server, clientArgs } = await startServer(folder.path);
      await using _server = server;
      const path = `${await installClient(folder)}${delimiter}${Deno.env.get("PATH")}`;
      const password = ["--password-file", folder.file("pw")];
      await using joe = Program.start("client", [...clientArgs("joe"), ...password]);
      await joe.match(/Please enter a command:/);
      const process = new Deno.Command(run[0]!, {
        args: [...run.slice(1), bot, ...clientArgs("robot"), ...password],
        env: { PATH: path },
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      await server.matchError(/robot joined/);
      await joe.type(`${say}\n`);
      assertMatch((await joe.match(answer))[0], answer);
      server.kill("SIGINT");
      const { code, stderr } = await process.output();
      const problem = "chatclient: the server ended the connection: the server was shut down\n";
      assertEquals([code, new TextDecoder().decode(stderr)], [3, problem]);
    },
  });
}
