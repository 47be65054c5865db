import { assertEquals } from "@std/assert";
import { parseTime, selectAccounts, type Selection } from "../../lib/accounts/selection.ts";

const ACCOUNTS = [
  { username: "Joe", created: new Date("2026-01-30T12:00:00Z") },
  { username: "spam1", created: new Date("2026-01-31T00:00:00Z") },
  { username: "Spam22", created: new Date("2026-02-01T00:00:00Z") },
  { username: "old.spam", created: undefined },
];

function select(pattern: string, created: Omit<Selection, "pattern"> = {}): string {
  const { accounts, undated } = selectAccounts(ACCOUNTS, { pattern, ...created });
  return [...accounts.map(({ username }) => username), undated].join(" ");
}

Deno.test("selectAccounts() takes a name, or any that a pattern fits", () => {
  assertEquals(select("jOE"), "Joe 0");
  assertEquals(select("spam"), "0");
  assertEquals(select("SPAM*"), "spam1 Spam22 0");
  assertEquals(select("spam?"), "spam1 0");
  assertEquals(select("*.sp*m"), "old.spam 0");
  assertEquals(select("old?spam"), "old.spam 0");
  assertEquals(select("(o|joe).*"), "0");
  assertEquals(select("*"), "Joe spam1 Spam22 old.spam 0");
});

Deno.test("selectAccounts() takes those of a time, and none that could be of another", () => {
  const [first, second] = ["2026-01-31", "2026-02-01"].map((text) => parseTime(text));
  assertEquals(select("*", { createdAfter: first }), "spam1 Spam22 1");
  assertEquals(select("*", { createdBefore: first }), "Joe 1");
  assertEquals(select("*", { createdAfter: first, createdBefore: second }), "spam1 1");
  assertEquals(select("joe", { createdAfter: first }), "0");
});

Deno.test("parseTime() takes days and times in UTC, and nothing else", () => {
  const times = {
    "2026-01-31": "2026-01-31T00:00:00.000Z",
    "2026-01-31T09:30Z": "2026-01-31T09:30:00.000Z",
    "2026-01-31T09:30:15Z": "2026-01-31T09:30:15.000Z",
    "2026-01-31T09:30:15.250Z": "2026-01-31T09:30:15.250Z",
  };
  for (const [text, time] of Object.entries(times)) {
    assertEquals(parseTime(text)?.toISOString(), time);
  }
  const wrong = ["", "today", "2026", "2026-02-31", "2026-13-01", "2026-01-31T09:30", "31.1.2026"];
  for (const text of wrong) assertEquals(parseTime(text), undefined, text);
});
