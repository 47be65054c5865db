import { assertEquals } from "@std/assert";
import { compare } from "../../lib/server/shared_accounts.ts";

Deno.test("compare() tells what an operator changed from what is not written yet", () => {
  const shared = (line: string | undefined, filed: boolean) => ({ line, identity: "1", filed });
  const filed = (line: string, identity = "1") => ({ line, identity });
  const cases: [
    ReturnType<typeof shared> | undefined,
    ReturnType<typeof filed> | undefined,
    string,
  ][] = [
    // Nothing to do.
    [undefined, undefined, "none"],
    [shared("a", true), filed("a"), "none"],
    [shared(undefined, true), undefined, "none"],
    // An operator has added, changed, removed it.
    [undefined, filed("a"), "publish"],
    [shared("a", true), filed("b"), "publish"],
    [shared("a", true), undefined, "publish"],
    [shared(undefined, true), filed("a", "2"), "publish"],
    // The events have, and the file does not know it yet: a crash, or a moment ago.
    [shared("b", false), filed("a"), "write"],
    [shared("b", false), undefined, "write"],
    [shared(undefined, false), filed("a"), "write"],
    // It has it, and the table did not know.
    [shared("b", false), filed("b"), "same"],
    [shared(undefined, false), undefined, "same"],
    // An account of the same name that was made in the file, after the cluster's had gone.
    [shared(undefined, false), filed("a", "2"), "publish"],
  ];
  for (const [one, other, expected] of cases) {
    assertEquals(compare(one, other), expected, JSON.stringify([one, other]));
  }
});
