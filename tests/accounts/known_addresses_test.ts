import { assertEquals } from "@std/assert";
import { KnownAddresses } from "../../lib/accounts/known_addresses.ts";

Deno.test("KnownAddresses knows the last eight of each account, until they are forgotten", () => {
  const known = new KnownAddresses();
  for (let address = 0; address < 8; address++) known.add("joe", `${address}`);
  known.add("joe", "0");
  known.add("joe", "8");
  const of = (account: string) =>
    Array.from({ length: 9 }, (_, address) => `${address}`)
      .filter((address) => known.has(account, address)).join("");
  assertEquals(of("joe"), "02345678");
  assertEquals(of("ann"), "");
  known.add("ann", "2");
  assertEquals(["1", "2", "3"].map((address) => known.hasAddress(address)), [false, true, true]);
  known.forget("joe");
  assertEquals([of("joe"), of("ann")], ["", "2"]);
  assertEquals(["2", "3"].map((address) => known.hasAddress(address)), [true, false]);
  known.forget("ann");
  assertEquals(known.hasAddress("2"), false);
});
