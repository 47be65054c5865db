import { assertEquals, assertMatch } from "@std/assert";
import { explainDialError } from "../../lib/client/dial_error.ts";

const server = { hostname: "lab.example", port: 1300 };

/** What is said of an error with the code and the message that Deno and Node give. */
function said(message: string, properties: { code?: string; name?: string } = {}): string {
  return explainDialError(server, Object.assign(new Error(message), properties));
}

Deno.test("explainDialError() says what is wrong and what to look at", () => {
  const cases: [string, RegExp][] = [
    [
      said("connect ECONNREFUSED 10.0.0.1:1300", { code: "ECONNREFUSED" }),
      /^nobody listens at lab\.example:1300: is the server running, is the port right\?$/,
    ],
    [said("failed to lookup address information: Name or service not known"), /^there is no host/],
    [said("getaddrinfo ENOTFOUND lab.example", { code: "ENOTFOUND" }), /no host "lab\.example"$/],
    [said("getaddrinfo EAI_AGAIN lab.example", { code: "EAI_AGAIN" }), /connected to a network\?$/],
    [said("received corrupt message of type InvalidContentType"), /^lab\.example:1300 is no chat/],
    [said("Client network socket disconnected before secure TLS connection"), /another program/],
    [said("read ECONNRESET", { code: "ECONNRESET" }), /another program answers there/],
    [said("The operation was aborted", { code: "ABORT_ERR", name: "AbortError" }), /firewall/],
    [said("Signal timed out.", { name: "TimeoutError" }), /^nobody answers at lab\.example:1300/],
    [said("connect ENETUNREACH 10.0.0.1", { code: "ENETUNREACH" }), /no network that leads there$/],
    [said("No route to host (os error 113)", { code: "EHOSTUNREACH" }), /is it on, .*network\?$/],
  ];
  for (const [text, expected] of cases) {
    assertMatch(text, expected);
    // Nothing for programmers is left in it.
    assertEquals(/os error|InvalidContentType|E[A-Z]{4,}|abort/.test(text), false, text);
  }
});
