import { assertEquals } from "@std/assert";
import { originOf } from "../../lib/net/connection.ts";
import { Admission } from "../../lib/server/admission.ts";

Deno.test("Admission.enter() counts per address and in all, until the place is given up", () => {
  const admission = new Admission({ pending: 3, pendingPerAddress: 2 });
  const first = admission.enter("a");
  admission.enter("a");
  assertEquals(admission.enter("a"), undefined);
  const other = admission.enter("b");
  assertEquals(admission.enter("c"), undefined);
  other![Symbol.dispose]();
  other![Symbol.dispose]();
  assertEquals(admission.pending, 2);
  first![Symbol.dispose]();
  assertEquals(admission.enter("a") === undefined, false);
  assertEquals(admission.enter("c") === undefined, false);
});

Deno.test("originOf() counts an IPv6 network as one", () => {
  assertEquals(originOf("192.0.2.7"), "192.0.2.7");
  assertEquals(originOf("::ffff:192.0.2.7"), "192.0.2.7");
  assertEquals(originOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assertEquals(originOf("2001:db8::1"), "2001:db8:0:0::/64");
  assertEquals(originOf("fe80::1%eth0"), "fe80:0:0:0::/64");
  assertEquals(originOf("::1"), "0:0:0:0::/64");
});
