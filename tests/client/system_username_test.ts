import { assertEquals } from "@std/assert";
import { systemUsername } from "../../lib/client/system_username.ts";

Deno.test("systemUsername() is the first name that a chat takes", () => {
  const cases: [Record<string, string>, string | undefined][] = [
    [{ USER: "joe" }, "joe"],
    [{ LOGNAME: "joe", USERNAME: "windows" }, "joe"],
    [{ USER: "", USERNAME: "Ann-Lee" }, "Ann-Lee"],
    [{ USERNAME: "Ann Lee" }, undefined],
    [{ USER: "DOMAIN\\ann", LOGNAME: "ann" }, "ann"],
    [{}, undefined],
  ];
  for (const [env, expected] of cases) assertEquals(systemUsername((name) => env[name]), expected);
});
