import { assertEquals, assertMatch } from "@std/assert";
import { Classroom, type Place, ProgramUser, withoutTimes } from "./classroom.ts";
import { administerServer, Program } from "./programs.ts";

/** All come from one address. */
const ADDRESS = "127.0.0.1";
const PEOPLE = 30;

/**
 * Thirty people come from one address at once, one of them a nuisance, whom an operator mutes, kicks, bans, and
 * bans by address when a new name comes; then the chat is quiet, and something is announced. The others
 * go on talking all the time, and nothing of it reaches them.
 *
 * @param places the server, or those of a cluster: the operator is at the first one, the nuisance at the last one
 */
export async function dealWithNuisance(places: readonly Place[]): Promise<void> {
  const [first, last] = [places[0]!, places.at(-1)!];
  const began = performance.now();
  const others = Array.from({ length: PEOPLE - 4 }, (_, i) => `user${i}`);
  const [room, bobsFirst] = await Promise.all([
    Classroom.gather(places, { programs: ["ann", "carl", "dora"], others }),
    ProgramUser.join(last, "bob"),
  ]);
  await using _room = room;
  await using bob = bobsFirst;
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`    ${PEOPLE} people have made their accounts after ${seconds} s`);
  const [ann, carl, dora] = room.programs as [ProgramUser, ProgramUser, ProgramUser];
  await accountStored(first, "ann");
  await administerServer(first.folder, ["users", "role", "ann", "operator"]);
  await ann.program.matchError(/you are an operator\n/);
  const spam = async (user: ProgramUser) => {
    for (let i = 1; i <= 5; i++) {
      await user.say(`buy ${i}`);
      await room.heard(user.name, `buy ${i}`);
    }
  };

  await room.talk();
  await spam(bob);
  await order(ann, "MU bob 10m spam", /^bob is muted until .*\.$/m);
  await bob.program.matchError(/The server says: you are muted until .*: spam\n/);
  await bob.type("PM buy more");
  await bob.program.matchError(/^You are muted until .*: spam\.\n/m);
  await room.talk();

  await order(ann, "KI bob enough", /^bob was sent away\.$/m);
  await sentAway(bob, /you were sent away by an operator: enough\n$/);
  await using bobAgain = await ProgramUser.join(last, "bob");
  await bobAgain.type("PM I am back");
  await bobAgain.program.matchError(/^You are muted until .*: spam\.\n/m);
  await room.talk();

  await order(ann, "BA bob 2h spam", /^bob is banned until .*\.$/m);
  await sentAway(bobAgain, /you are banned until .*: spam\n$/);
  for (const place of places) await refused(place, "bob", /you are banned until .*: spam\n$/);
  await using bob2 = await ProgramUser.join(last, "bob2");
  await spam(bob2);
  await order(ann, "BA bob2 2h spam again", /^bob2 is banned until .*\.$/m);
  await sentAway(bob2, /you are banned until .*: spam again\n$/);
  await order(ann, `BA ${ADDRESS} 1d new names`, /^New accounts from .* are refused until .*\.$/m);
  // Whoever hears what was said since, has a server that knows of the ban.
  await room.talk();
  for (const place of places) await refused(place, "bob3", /no new accounts .*: new names\n$/);

  // Who was here before comes and goes as ever.
  await room.others.at(-1)!.comeBack();
  await using dorasSecond = await ProgramUser.join(last, "dora");
  await dorasSecond.leave();
  await room.talk();

  await order(ann, "MU all 45m exam", /^Only operators may write until .*\.$/m);
  await carl.type("PM is it over?");
  await carl.program.matchError(
    /^The chat is quiet for everybody but operators until .*: exam\.$/m,
  );
  await ann.say("Silence, please");
  await room.heard("ann", "Silence, please");
  await order(ann, "AN Hand in your work", /^Announced\.$/m);
  await room.heard("ann", "Hand in your work");
  await order(ann, "MU all off", /^Everybody may write again\.$/m);
  await room.talk();

  assertEquals(await control(last, "unban-address", ADDRESS), [`done: unban-address ${ADDRESS}`]);
  await room.talk();
  await using eve = await ProgramUser.join(first, "eve");
  await eve.leave();

  const done = [
    "TIME the server's own machine: operator ann",
    "TIME ann: mute bob until TIME: spam",
    "TIME ann: kick bob: enough",
    "TIME ann: ban bob until TIME: spam",
    "TIME ann: ban bob2 until TIME: spam again",
    `TIME ann: ban-address ${ADDRESS} until TIME: new names`,
    "TIME ann: quiet until TIME: exam",
    "TIME ann: announce: Hand in your work",
    "TIME ann: unquiet",
    `TIME the server's own machine: unban-address ${ADDRESS}`,
  ];
  await ann.type("AU");
  const [, listed] = await ann.program.match(
    new RegExp(`^What operators did:\n((?: {2}.*\n){${done.length}})`, "m"),
  );
  assertEquals(listed!.trimEnd().split("\n").map((line) => withoutTimes(line.trim())), done);
  const holds = [
    "bob is muted until TIME, by ann: spam",
    "bob is banned until TIME, by ann: spam",
    "bob2 is banned until TIME, by ann: spam again",
  ];
  for (const place of places) {
    assertEquals((await control(place, "operations")).map(withoutTimes), done);
    assertEquals((await control(place, "restrictions")).map(withoutTimes), holds);
  }
  const all = [
    "the chat is quiet for everybody but operators until TIME: exam",
    "everybody may write again",
  ];
  assertMatch(dora.program.stderr, /^(?:The server says: .*\n){2}$/);
  await room.end({ all, ann: ["you are an operator", ...all] });
}

/** Waits until an account is in its server's file: in a cluster that is soon after the login. */
async function accountStored({ folder }: Place, name: string): Promise<void> {
  while (!(await Deno.readTextFile(`${folder}/credentials.txt`)).includes(`${name}:`)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Has an operator do something. */
async function order(operator: ProgramUser, command: string, done: RegExp): Promise<void> {
  await operator.type(command);
  await operator.program.match(done);
}

/** Waits until a program ends because its user is not wanted any more. */
async function sentAway({ program }: ProgramUser, why: RegExp): Promise<void> {
  assertEquals(await program.exitCode(), 4);
  assertMatch(program.stderr, why);
}

/** Sees a login refused. */
async function refused(place: Place, name: string, why: RegExp): Promise<void> {
  await using user = ProgramUser.start(place, name);
  await sentAway(user, why);
}

/** What `chatserver control` prints. */
async function control({ folder }: Place, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await Program.run("server", [
    ...["control", ...args, "--data", folder],
  ]);
  assertEquals([code, stderr], [0, ""]);
  return stdout.trimEnd().split("\n");
}
