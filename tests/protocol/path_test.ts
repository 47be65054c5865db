import { assertEquals } from "@std/assert";
import { PathBinder, PathValidator } from "../../lib/protocol/path.ts";

function validator() {
  let tokens = 0;
  return new PathValidator<string>({ key: (address) => address, newToken: () => `t${++tokens}` });
}

Deno.test("PathValidator uses an address only after its challenge came back", () => {
  const path = validator();
  assertEquals(path.bind(0, "a"), { send: "challenge", token: "t1" });
  assertEquals(path.address, undefined);
  assertEquals(path.respond("t0"), false);
  assertEquals(path.respond("t1"), true);
  assertEquals(path.address, "a");
  assertEquals(path.respond("t1"), false);
});

Deno.test("PathValidator.bind() ignores numbers that are not the highest", () => {
  const path = validator();
  path.bind(5, "a");
  assertEquals(path.bind(5, "b"), undefined);
  assertEquals(path.bind(4, "b"), undefined);
  assertEquals(path.respond("t1"), true);
  assertEquals(path.address, "a");
});

Deno.test("PathValidator.bind() keeps the address in use until a new one is validated", () => {
  const path = validator();
  path.bind(0, "a");
  path.respond("t1");
  assertEquals(path.bind(1, "b"), { send: "challenge", token: "t2" });
  assertEquals(path.address, "a");
  assertEquals(path.bind(2, "a"), { send: "bound" });
  assertEquals(path.respond("t2"), false);
  assertEquals(path.bind(3, "b"), { send: "challenge", token: "t3" });
  assertEquals(path.respond("t3"), true);
  assertEquals(path.address, "b");
});

Deno.test("PathValidator.invalidate() has the same address challenged again", () => {
  const path = validator();
  path.bind(0, "a");
  path.respond("t1");
  path.invalidate();
  assertEquals(path.bind(1, "a"), { send: "challenge", token: "t2" });
});

Deno.test("PathValidator.recheck() challenges the address that fell silent, or the one that binds", () => {
  const path = validator();
  assertEquals(path.recheck(), undefined);
  path.bind(0, "a");
  path.respond("t1");
  assertEquals([path.recheck(), path.invalidate(), path.invalidate()], [undefined, true, false]);
  assertEquals(path.recheck(), { address: "a", token: "t2" });
  assertEquals(path.recheck(), { address: "a", token: "t3" });
  assertEquals(path.respond("t2"), false);
  assertEquals(path.respond("t3"), true);
  assertEquals(path.address, "a");
  path.invalidate();
  path.bind(1, "b");
  assertEquals(path.recheck(), { address: "b", token: "t5" });
});

Deno.test("PathBinder.due() waits twice as long each time, at most 20 s", () => {
  const binder = new PathBinder();
  const sent: number[] = [];
  for (let now = 0; now <= 80_000; now += 250) if (binder.due(now)) sent.push(now / 1_000);
  assertEquals(sent, [0, 0.25, 0.75, 1.75, 3.75, 7.75, 15.75, 31.75, 51.75, 71.75]);
  assertEquals(binder.bound, false);
});

Deno.test("PathBinder.confirm() sets the next bind 20 s later, and the waits back", () => {
  const binder = new PathBinder();
  binder.due(0);
  binder.due(250);
  binder.confirm(300);
  assertEquals(binder.bound, true);
  assertEquals(binder.deadline(), 20_300);
  assertEquals(binder.due(20_300), true);
  assertEquals(binder.deadline(), 20_550);
});
