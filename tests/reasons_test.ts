import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { reasonOf } from "../lib/reasons.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

/** What an action fails with. */
async function failure(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error("it went well");
}

Deno.test("reasonOf() has a sentence for what the system really throws", async () => {
  await using folder = await TempFolder.create();
  const file = folder.file("file");
  await Deno.writeTextFile(file, "");
  const expected: [() => unknown, RegExp][] = [
    [() => Deno.readFile(folder.file("none")), /no such file/],
    [() => Deno.mkdir(`${file}/below`, { recursive: true }), /a file stands where a folder/],
    [() => Deno.listen({ hostname: "203.0.113.7", port: 0 }), /does not have that address/],
    [() => new DatabaseSync(folder.path), /no permission/],
    [() => new Promise((_, reject) => AbortSignal.timeout(0).onabort = reject), /./],
  ];
  for (const [action, reason] of expected) {
    const error = await failure(action);
    const said = reasonOf(error instanceof Event ? (error.target as AbortSignal).reason : error);
    assert(reason.test(said), said);
    assert(!/os error|[A-Z]{4}/.test(said), said);
  }
});

Deno.test("reasonOf() knows codes of Node's and classes of Deno's", () => {
  const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  assertEquals(reasonOf(reset), "the connection was cut off by the other side");
  const denied = new Deno.errors.PermissionDenied("Zugriff verweigert (os error 5)");
  assertEquals(reasonOf(denied), "this user has no permission for it");
  const late = new DOMException("The operation was aborted due to timeout", "TimeoutError");
  assert(reasonOf(late).startsWith("nobody answers"));
});

Deno.test("reasonOf() leaves out the number and the call of what it does not know", () => {
  const error = new Error("Bad message (os error 74): readfile '/x'");
  assertEquals(reasonOf(error), "Bad message");
  assertEquals(reasonOf("what?"), "what?");
});
