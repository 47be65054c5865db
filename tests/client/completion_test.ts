import { assertEquals } from "@std/assert";
import { COMMANDS } from "../../lib/client/commands/table.ts";
import { completionOf } from "../../lib/client/completion.ts";

const names = ["anna", "Joe", "john"];
const rooms = ["lab", "Lounge"];

function complete(before: string): [number, ...string[]] {
  const { from, candidates } = completionOf(before, { commands: COMMANDS, names, rooms });
  return [from, ...candidates];
}

Deno.test("completionOf() completes commands at the beginning, and names anywhere", () => {
  assertEquals(complete("DM j"), [3, "Joe", "john"]);
  assertEquals(complete("DM JOH"), [3, "john"]);
  assertEquals(complete("@a"), [0, "@anna"]);
  assertEquals(complete("hello @J"), [6, "@Joe", "@john"]);
  assertEquals(complete("hello a"), [6, "anna"]);
  assertEquals(complete("an"), [0, "anna"]);
  assertEquals(complete("/comp"), [0, "/compact"]);
  assertEquals(complete("H"), [0, "HE", "HI"]);
  assertEquals(complete("hello x"), [6]);
  assertEquals(complete("JO #"), [3, "#Lounge", "#lab"]);
  assertEquals(complete("RM #LO"), [3, "#Lounge"]);
  assertEquals(complete("#x"), [0]);
});
