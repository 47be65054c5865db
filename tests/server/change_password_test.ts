import { assert, assertEquals } from "@std/assert";
import { FakeServer } from "../helpers/fake_server.ts";

Deno.test("password changes the password, ends the other sessions, and lets this client come back", async () => {
  await using server = await FakeServer.start();
  const joe = await server.join("joe");
  const other = await server.join("joe");
  const answer = await joe.ask({ type: "password", id: 3, old: "joe", new: "secret" });
  assertEquals(answer, { type: "password", id: 3 });
  const farewell = await other.next();
  assertEquals([farewell["type"], farewell["code"]], ["farewell", "account-changed"]);
  assertEquals((await joe.ask({ type: "users", id: 4 }))["users"], ["joe"]);

  joe.connection.disconnect();
  assertEquals((await server.resume(joe)).welcome["type"], "welcome");
  assertEquals((await server.resume(other)).welcome["code"], "bad-token");
  for (const [password, type] of [["joe", "error"], ["secret", "welcome"]]) {
    const client = await server.greet();
    await client.ask({ type: "identify", id: 1, username: "joe" });
    assertEquals((await client.ask({ type: "authenticate", id: 2, password }))["type"], type);
  }
});

Deno.test("password refuses a wrong old one and a bad new one, and takes a request that comes again", async () => {
  await using server = await FakeServer.start();
  const joe = await server.join("joe");
  const wrong = await joe.ask({ type: "password", id: 3, old: "x", new: "secret" });
  assertEquals([wrong["code"], wrong["attempts"]], ["wrong-password", undefined]);
  const bad = await joe.ask({ type: "password", id: 4, old: "joe", new: "" });
  assertEquals(bad["code"], "bad-password");
  for (const id of [5, 5]) {
    const answer = await joe.ask({ type: "password", id, old: "joe", new: "secret" });
    assertEquals(answer["type"], "password");
  }
});

Deno.test("password does not replace one that the account was given after the old one was checked", async () => {
  await using server = await FakeServer.start();
  const joe = await server.join("joe");
  const { accounts } = server.services;
  const setPassword = accounts.setPassword.bind(accounts);
  accounts.setPassword = async (username, password, options) => {
    await setPassword(username, "given");
    return await setPassword(username, password, options);
  };
  const refused = await joe.ask({ type: "password", id: 3, old: "joe", new: "secret" });
  assertEquals(refused["code"], "not-stored");
  assert(await accounts.verify("joe", "given"));
});
