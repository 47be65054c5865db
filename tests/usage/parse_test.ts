import { assertEquals, assertThrows } from "@std/assert";
import { CHATCLIENT } from "../../lib/client/usage.ts";
import { ExitError } from "../../lib/exit.ts";
import { CHATSERVER } from "../../lib/server/usage.ts";
import { parseProgram } from "../../lib/usage/parse.ts";

Deno.test("parseProgram() finds the command, its arguments and its flags", () => {
  const removal = parseProgram(
    ["users", "remove", "spam*", "--dry-run", "--data", "x"],
    CHATSERVER,
  )!;
  assertEquals(removal.command, "users remove");
  assertEquals(removal.arguments, { username: "spam*" });
  assertEquals([[...removal.flags], removal.options], [["dry-run"], { data: "x" }]);
  const server = parseProgram(["1300", "--keep", "5"], CHATSERVER)!;
  assertEquals([server.command, server.arguments, server.options], ["", { port: "1300" }, {
    keep: "5",
  }]);
});

Deno.test("parseProgram() takes flags of a command before its last word", () => {
  for (
    const args of [["--data", "x", "status"], ["--data=x", "status"], ["status", "--data", "x"]]
  ) {
    const { command, options } = parseProgram(["control", ...args, "--json"], CHATSERVER)!;
    assertEquals([command, options], ["control status", { data: "x" }]);
  }
});

Deno.test("parseProgram() takes as many arguments as there are", () => {
  for (const args of [[], ["lab"], ["lab", "1300"], ["lab", "1300", "joe"]]) {
    const given = parseProgram(args, CHATCLIENT)!.arguments;
    assertEquals(Object.values(given), args);
  }
});

Deno.test("parseProgram() takes a command's name for a host behind --", () => {
  for (const host of ["send", "doctor", "completions"]) {
    const { command, arguments: given } = parseProgram(["--", host, "1300", "joe"], CHATCLIENT)!;
    assertEquals([command, given["host"], given["username"]], ["", host, "joe"]);
  }
});

Deno.test("parseProgram() says what is wrong", () => {
  const wrong: [string[], string][] = [
    [["users"], "chatserver users takes one of add, list, passwd, remove"],
    [["users", "delete", "joe"], "chatserver users takes one of add, list"],
    [["users", "list", "joe"], "one argument too many: joe"],
    [["users", "list", "--dry-run"], "there is no flag --dry-run"],
    [["1300", "--closed=no"], "--closed takes no value"],
    [[""], "the port is empty"],
    [["1300", "-x"], "there is no flag -x"],
    [["1300", "-hx"], "there is no flag -hx"],
  ];
  for (const [args, problem] of wrong) {
    assertThrows(() => parseProgram(args, CHATSERVER), ExitError, problem);
  }
});
