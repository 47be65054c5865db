import { assertEquals } from "@std/assert";
import { originOf } from "../../lib/net/connection.ts";
import { Admission } from "../../lib/server/admission.ts";

Deno.test("Admission.enter() counts per address and in all, until the place is given up", () => {
  const admission = new Admission({ pending: 3, pendingPerAddress: 2 });
  const first = admission.enter("a", "strange");
  admission.enter("a", "strange");
  assertEquals(admission.enter("a", "strange"), undefined);
  const other = admission.enter("b", "strange");
  assertEquals(admission.enter("c", "strange"), undefined);
  other![Symbol.dispose]();
  other![Symbol.dispose]();
  assertEquals(admission.pending, 2);
  first![Symbol.dispose]();
  assertEquals(admission.enter("a", "strange") === undefined, false);
  assertEquals(admission.enter("c", "strange") === undefined, false);
});

Deno.test("Admission.enter() keeps places for addresses that are known", () => {
  const admission = new Admission({ pending: 100, pendingPerAddress: 50 });
  for (let stranger = 0; stranger < 1_000; stranger++) admission.enter(`${stranger}`, "strange");
  const owners = Array.from(
    { length: 40 },
    (_, owner) => admission.enter(`home ${owner}`, "known"),
  );
  const refused = owners.filter((place) => place === undefined).length;
  console.log(`    ${refused} of 40 known ones refused beside 1000 strangers`);
  assertEquals([refused, admission.pending], [0, 140]);
  for (const owner of owners) owner![Symbol.dispose]();
  assertEquals(admission.pending, 100);
  assertEquals(admission.enter("0", "strange"), undefined);
});

Deno.test("originOf() counts an IPv6 network as one", () => {
  assertEquals(originOf("192.0.2.7"), "192.0.2.7");
  assertEquals(originOf("::ffff:192.0.2.7"), "192.0.2.7");
  assertEquals(originOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assertEquals(originOf("2001:db8::1"), "2001:db8:0:0::/64");
  assertEquals(originOf("fe80::1%eth0"), "fe80:0:0:0::/64");
  assertEquals(originOf("::1"), "0:0:0:0::/64");
});
