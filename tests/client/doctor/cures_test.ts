import { assert, assertEquals, assertMatch } from "@std/assert";
import { diagnose, isPrivate } from "../../../lib/client/doctor/cures.ts";
import { FINDINGS, type Problem, type Situation } from "../../../lib/client/doctor/finding.ts";

const situation: Situation = {
  server: { hostname: "chat.example", port: 1300 },
  address: "192.168.1.7",
  os: "linux",
};

const cures = (problem: Problem, more: Partial<Situation> = {}) =>
  diagnose(problem, { ...situation, ...more }).cures.join("\n");

Deno.test("diagnose() has a place and a cure for everything, and every exit code is another one", () => {
  const problems = Object.keys(FINDINGS) as Problem[];
  for (const problem of problems) {
    for (const os of ["linux", "darwin", "windows"] as const) {
      const { where, cures } = diagnose(problem, { ...situation, os });
      assert(where !== "" && cures.length > 0, problem);
    }
  }
  assertEquals(new Set(Object.values(FINDINGS)).size, problems.length);
});

Deno.test("diagnose() gives the firewall commands with port, protocol and this machine's system", () => {
  assertMatch(cures("udp-to-server"), /ufw allow 1300\/udp\n.*firewall-cmd --add-port=1300\/udp\n/);
  assertMatch(cures("udp-to-server"), /New-NetFirewallRule .* -Protocol UDP -LocalPort 1300/);
  assert(!cures("udp-to-server").includes("tcp"));
  assertMatch(cures("no-answer"), /ufw allow 1300\/tcp; sudo ufw allow 1300\/udp/);
  assertMatch(cures("udp-from-server"), /ufw allow proto udp from 192\.168\.1\.7 port 1300/);
  assertMatch(
    cures("udp-from-server", { os: "windows" }),
    /New-NetFirewallRule .* -RemoteAddress 192\.168\.1\.7 -RemotePort 1300/,
  );
  assertMatch(cures("udp-from-server", { os: "darwin" }), /System Settings, Network, Firewall/);
});

Deno.test("diagnose() names guest WLANs and macOS's permission in local networks alone", () => {
  assertMatch(cures("no-answer"), /guest WLANs/);
  assert(!cures("no-answer", { address: "203.0.113.7" }).includes("guest"));
  assertMatch(cures("route", { os: "darwin" }), /Local Network/);
  assert(!cures("route").includes("Local Network"));
  assert(!cures("route", { os: "darwin", address: "203.0.113.7" }).includes("Local Network"));
});

Deno.test("isPrivate() knows the addresses of local networks", () => {
  for (const address of ["10.0.0.1", "172.16.0.1", "172.31.9.9", "fd00::1", "fe80::1%en0"]) {
    assert(isPrivate(address), address);
  }
  for (const address of ["172.32.0.1", "11.0.0.1", "2001:db8::1", "chat.example", "127.0.0.1"]) {
    assert(!isPrivate(address), address);
  }
});
