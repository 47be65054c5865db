import { assertEquals } from "@std/assert";
import { formatPhc, hashPassword } from "../../lib/accounts/phc.ts";
import { Program, startServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const CLIENTS = 50;
const ROUNDS = 4;

/** The messages that a client has shown, as "kind from text". */
function shown(stdout: string): string[] {
  const form =
    /^\*\*\* New Message \*\*\*\nMessage type: (\w+) Message \(..\)\nFrom: (\S+)\n\n(.*)\n$/gm;
  return [...stdout.matchAll(form)].map(([, kind, from, text]) => `${kind} ${from} ${text}`);
}

Deno.test("fifty clients at once each show what is theirs, once, and nothing else", async () => {
  await using folder = await TempFolder.create();
  const names = Array.from({ length: CLIENTS }, (_, index) => `user${index}`);
  // Accounts with cheap hashes: this is not about logging in.
  const hash = formatPhc(await hashPassword("geheim", { ln: 1, r: 8, p: 1 }));
  const accounts = names.map((name) => `${name}:${hash}\n`).join("");
  await Deno.writeTextFile(folder.file("credentials.txt"), accounts);
  const { server, clientArgs } = await startServer(folder.path);
  await using clients = new AsyncDisposableStack();
  clients.use(server);

  const programs = names.map((name) => clients.use(Program.start("client", clientArgs(name))));
  await Promise.all(programs.map(async (program) => {
    await program.type("geheim\n");
    await program.match(/Please enter a command:/);
  }));

  const to = (sender: number, round: number) => names[(sender * 7 + round + 1) % CLIENTS]!;
  await Promise.all(programs.map(async (program, sender) => {
    for (let round = 0; round < ROUNDS; round++) {
      await program.type(`PM public ${round} of ${names[sender]}\n`);
      await program.type(`DM ${to(sender, round)} direct ${round} of ${names[sender]}\n`);
    }
  }));
  await Promise.all(
    programs.map((program) => program.match(new RegExp(`(Message sent[^]*){${2 * ROUNDS}}`))),
  );

  for (const [receiver, program] of programs.entries()) {
    await program.type("EX\n");
    assertEquals(await program.exitCode(), 0, program.stderr);
    const expected = names.flatMap((name, sender) =>
      Array.from({ length: ROUNDS }, (_, round) => [
        ...(sender === receiver ? [] : [`Public ${name} public ${round} of ${name}`]),
        ...(to(sender, round) === names[receiver]
          ? [`Direct ${name} direct ${round} of ${name}`]
          : []),
      ]).flat()
    );
    assertEquals(shown(program.stdout).toSorted(), expected.toSorted());
  }
});
