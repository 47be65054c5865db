import { assertEquals, assertThrows } from "@std/assert";
import { MAX_DURATION, parseDuration } from "../../lib/protocol/durations.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";

Deno.test("parseDuration() gives seconds", () => {
  const durations = { "1s": 1, "90s": 90, "10m": 600, "2H": 7_200, "1d": 86_400, "007m": 420 };
  for (const [text, seconds] of Object.entries(durations)) {
    assertEquals(parseDuration(text), seconds, text);
  }
  assertEquals(parseDuration("3650d"), MAX_DURATION);
});

Deno.test("parseDuration() says what would be one", () => {
  const wrong = [
    "",
    "10",
    "m",
    "0m",
    "-1h",
    "+1h",
    "1.5h",
    "1e3s",
    "10 m",
    "1w",
    "3651d",
    "9999999999s",
  ];
  for (const text of wrong) {
    const error = assertThrows(() => parseDuration(text), ProtocolError, "such as 10m, 2h or 1d");
    assertEquals(error.code, "bad-duration");
  }
});
