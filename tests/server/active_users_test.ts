import { assertEquals } from "@std/assert";
import { type Elsewhere, NOWHERE, type RemoteUser } from "../../lib/cluster/elsewhere.ts";
import type { Member } from "../../lib/server/active_user.ts";
import { ActiveUsers } from "../../lib/server/active_users.ts";

const NOW = 1_000_000;

/** What a test is about needs no more of a session. */
function member(username: string): Member {
  return { username } as Member;
}

/** The users of other servers, and what these were told of this one's. */
function others(): Elsewhere & { users: Map<string, RemoteUser>; told: string[] } {
  const told: string[] = [];
  const note = (key: string, { sessions }: RemoteUser) => void told.push(`${key} ${sessions}`);
  return { ...NOWHERE, users: new Map(), told, note };
}

Deno.test("ActiveUsers lists a user once, however many sessions it has, in the order of the names", () => {
  const users = new ActiveUsers();
  const [first, second] = [member("Joe"), member("joe")];
  const joe = users.enter(first, NOW);
  users.enter(member("ann"), NOW);
  assertEquals(users.enter(second, NOW + 5), joe);
  assertEquals([users.names, users.count, users.sessionsOf("JOE")], [["ann", "Joe"], 2, 2]);
  assertEquals([joe.since, [...users.members()].length], [NOW, 3]);

  users.leave(joe, first);
  assertEquals([users.names, users.sessionsOf("joe"), users.find("JOE")], [
    ["ann", "Joe"],
    1,
    "Joe",
  ]);
  users.leave(joe, second);
  assertEquals([users.names, users.count, users.find("joe")], [["ann"], 1, undefined]);
  assertEquals(users.here("joe"), undefined);
});

Deno.test("ActiveUsers counts a user of several servers once", () => {
  const elsewhere = others();
  const users = new ActiveUsers(elsewhere);
  const one = member("ann");
  const come = (key: string, sessions: number) => {
    elsewhere.users.set(key, { username: key, sessions });
    users.noteElsewhere(key, "came");
  };
  const go = (key: string) => {
    elsewhere.users.delete(key);
    users.noteElsewhere(key, "went");
  };
  const ann = users.enter(one, NOW);
  come("ann", 2);
  come("bob", 1);
  assertEquals([users.count, users.countHere, users.names], [2, 1, ["ann", "bob"]]);
  assertEquals([users.sessionsOf("ann"), users.sessionsOf("bob")], [3, 1]);
  assertEquals([users.some(1), users.some(9)], [["ann"], ["ann", "bob"]]);

  users.leave(ann, one);
  assertEquals([users.count, users.countHere, users.find("ann")], [2, 0, "ann"]);
  users.enter(one, NOW);
  assertEquals([users.count, users.countHere], [2, 1]);
  go("ann");
  assertEquals([users.count, users.names], [2, ["ann", "bob"]]);
  users.leave(ann, one);
  assertEquals([users.count, users.names], [1, ["bob"]]);
  assertEquals(elsewhere.told, ["ann 1", "ann 0", "ann 1", "ann 0"]);
});

Deno.test("ActiveUsers keeps a user who has gone until what it acknowledged is written", () => {
  const users = new ActiveUsers();
  const one = member("ann");
  const ann = users.enter(one, NOW);
  ann.unread.hand({ delivered: 0, wentByTcp: () => false }, [7], 0);
  users.forgetGone(ann);
  users.leave(ann, one);
  users.forgetGone(ann);
  assertEquals([users.kept.size, users.count], [1, 0]);
  assertEquals([...users.some(9)], []);
  // Whoever comes back meanwhile is the same user.
  assertEquals(users.enter(one, NOW), ann);
  users.leave(ann, one);
  ann.unread.written([7]);
  users.forgetGone(ann);
  assertEquals(users.kept.size, 0);
});
