import { assertEquals, assertThrows } from "@std/assert";
import { ExitError } from "../../lib/exit.ts";
import { formatEndpoint } from "../../lib/net/connection.ts";
import { parseEndpoint, parseEndpoints } from "../../lib/net/endpoints.ts";

Deno.test("parseEndpoint() reads addresses as people write them", () => {
  for (
    const [text, hostname, port] of [
      ["lab", "lab", 1300],
      ["lab.example:80", "lab.example", 80],
      ["10.0.0.1", "10.0.0.1", 1300],
      ["10.0.0.1:65535", "10.0.0.1", 65_535],
      ["::1", "::1", 1300],
      ["fe80::1%eth0", "fe80::1%eth0", 1300],
      ["[::1]", "::1", 1300],
      ["[2001:db8::7]:1301", "2001:db8::7", 1301],
    ] as const
  ) {
    assertEquals(parseEndpoint(text, 1300), { hostname, port }, text);
  }
});

Deno.test("parseEndpoint() says what is no address", () => {
  for (
    const text of [
      "",
      "lab:",
      "lab:0",
      "lab:65536",
      "lab:x",
      ":80",
      "[::1",
      "[lab]:1",
      "a b",
      "[::1]:0",
    ]
  ) {
    assertThrows(() => parseEndpoint(text, 1300), ExitError, "is no address");
  }
});

Deno.test("parseEndpoints() takes several, and reads what formatEndpoint() writes", () => {
  const several = parseEndpoints("a, b:2,[::1]:3", 1);
  assertEquals(several.map(formatEndpoint).join(","), "a:1,b:2,[::1]:3");
  assertEquals(parseEndpoints(several.map(formatEndpoint).join(","), 9), several);
  assertThrows(() => parseEndpoints("a,,b", 1), ExitError, '"" is no address');
});
