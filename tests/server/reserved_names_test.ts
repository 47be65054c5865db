import { assertEquals } from "@std/assert";
import { isReserved } from "../../lib/server/reserved_names.ts";
import { FakeServer } from "../helpers/fake_server.ts";

const KEPT = [
  ...["admin", "Administrator", "ROOT", "server", "System", "operator", "op", "host", "owner"],
  ...["moderator", "support", "help", "everyone", "all"],
  ...["admın", "ADMİN", "ádmin", "adm1n", "r00t", "a11", "ad.min", "_admin_", "sys-op"],
];

Deno.test("isReserved() finds names of who runs the server, however they are spelt", () => {
  for (const name of KEPT) assertEquals(isReserved(name), true, name);
  for (
    const name of ["joe", "ali", "adam", "Allan", "opal", "hostess", "rooter", "1", "-", "админ"]
  ) {
    assertEquals(isReserved(name), false, name);
  }
});

Deno.test("attack: registering the names of who runs the server, and names like flags", async () => {
  await using server = await FakeServer.start();
  const { accounts } = server.services;
  const names = [...KEPT, "-joe", "--help"];
  let registered = 0;
  for (const username of names) {
    const client = await server.greet();
    const answer = await client.ask({ type: "identify", id: 1, username });
    if (answer["type"] === "identified") registered++;
    else assertEquals(answer["code"], "bad-username");
  }
  console.log(`    ${registered} of ${names.length} names could be registered`);
  assertEquals(registered, 0);

  // The operator may give them away, and who had one keeps it.
  for (const name of ["admin", "-joe"]) {
    await accounts.create(name, name);
    assertEquals((await server.join(name)).welcome["type"], "welcome");
  }
});
