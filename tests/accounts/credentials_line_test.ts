import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import {
  formatCredentialsLine,
  parseCredentialsLine,
} from "../../lib/accounts/credentials_line.ts";
import { formatPhc, parsePhc } from "../../lib/accounts/phc.ts";

const phc = formatPhc({
  cost: { ln: 4, r: 8, p: 1 },
  salt: new Uint8Array(16).fill(1),
  hash: new Uint8Array(32).fill(2),
});

Deno.test("parseCredentialsLine() reads a hash", () => {
  assertEquals(parseCredentialsLine(`joe:${phc}`), {
    username: "joe",
    secret: { hash: parsePhc(phc)! },
  });
});

Deno.test("parseCredentialsLine() reads when the account was made, and whatever a crash left of it", () => {
  const account = { username: "joe", secret: { hash: parsePhc(phc)! } };
  const created = new Date("2026-01-31T09:30:00Z");
  const line = formatCredentialsLine({ ...account, created });
  assertEquals(line, `joe:${phc} 2026-01-31T09:30:00Z`);
  assertEquals(parseCredentialsLine(line), { ...account, created });
  for (let cut = 1; cut <= 21; cut++) {
    assertEquals(parseCredentialsLine(line.slice(0, -cut)), account, `${cut}`);
  }
  const operator = { ...account, created, role: "operator" } as const;
  const written = formatCredentialsLine(operator);
  assertEquals(written, `${line} operator`);
  assertEquals(parseCredentialsLine(written), operator);
  for (let cut = 1; cut <= 9; cut++) {
    assertEquals(parseCredentialsLine(written.slice(0, -cut)), { ...account, created }, `${cut}`);
  }
  assertEquals(parseCredentialsLine(`joe:${phc} operator`), { ...account, role: "operator" });
  assertEquals(parseCredentialsLine(`${written}s`), undefined);
  for (const time of ["2026-01-31T99:30:00Z", "----------T--------Z", "2026"]) {
    assertEquals(parseCredentialsLine(`joe:${phc} ${time}`), account);
  }
  assertEquals(parseCredentialsLine(`joe:${phc} yesterday`), undefined);
});

Deno.test("parseCredentialsLine() cuts a line of the older program at its first separator", () => {
  const lines = {
    "joe secret": "secret",
    "joe:secret": "secret",
    "joe,secret": "secret",
    "joe two words": "two words",
    "joe:a:b,c d": "a:b,c d",
    "joe: secret": " secret",
    "joe secret\r": "secret",
    "joe $1$money": "$1$money",
  };
  for (const [line, password] of Object.entries(lines)) {
    assertEquals(parseCredentialsLine(line), { username: "joe", secret: { password } });
  }
});

Deno.test("parseCredentialsLine() can't read other lines", () => {
  for (const line of ["", "joe", "joe:", ":x", " x", "j/oe:x", "joe:$scrypt$x", "\r"]) {
    assertEquals(parseCredentialsLine(line), undefined, line);
  }
});

Deno.test("parseCredentialsLine() takes no beginning of a torn hash for a password", () => {
  const line = `joe:${phc}`;
  for (let length = 0; length < line.length; length++) {
    assertEquals(parseCredentialsLine(line.slice(0, length)), undefined, `${length}`);
  }
  assertEquals(parseCredentialsLine(line)?.username, "joe");
});

Deno.test("parseCredentialsLine() survives any line", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (line) => {
    parseCredentialsLine(line);
  }));
});
