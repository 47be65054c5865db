import { assertEquals } from "@std/assert";
import { makeAccounts, Program, shownMessages, startServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const CLIENTS = 50;
const ROUNDS = 4;

Deno.test("fifty clients at once each show what is theirs, once, and nothing else", async () => {
  await using folder = await TempFolder.create();
  const names = Array.from({ length: CLIENTS }, (_, index) => `user${index}`);
  // This is not about logging in.
  await makeAccounts(folder.path, names);
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
    programs.map((program) => program.count("Message sent\n", 2 * ROUNDS)),
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
    assertEquals(shownMessages(program.stdout).toSorted(), expected.toSorted());
  }
});
