import { assert, assertEquals, assertThrows } from "@std/assert";
import { ExitError } from "../../lib/exit.ts";
import { DEFAULT_LIMITS, LIMITS, parseLimits } from "../../lib/server/limits.ts";

Deno.test("parseLimits() takes what flags say, and the defaults", () => {
  assertEquals(parseLimits({}), DEFAULT_LIMITS);
  const limits = parseLimits({ "login-seconds": "60", "max-accounts": "1" });
  assertEquals(limits, { ...DEFAULT_LIMITS, loginSeconds: 60, accounts: 1 });
});

Deno.test("parseLimits() names the range that a value is out of", () => {
  for (const text of ["4", "3601", "1e2", "-5", "x", "5.5"]) {
    assertThrows(
      () => parseLimits({ "login-seconds": text }),
      ExitError,
      "--login-seconds takes a number from 5 to 3600",
    );
  }
});

Deno.test("docs/OPERATING.md lists every limit with its default", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/OPERATING.md", import.meta.url));
  for (const { flag, default: normal, what } of Object.values(LIMITS)) {
    const row = page.split("\n").find((line) => line.includes(`\`--${flag}\``));
    assert(row !== undefined, flag);
    assert(row.includes(` ${normal.toLocaleString("en")} `) && row.includes(what), row);
  }
});
