import { assert, assertEquals, assertRejects } from "@std/assert";
import { KnownAddresses } from "../../lib/accounts/known_addresses.ts";
import { LoginThrottle } from "../../lib/accounts/login_throttle.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const { signal } = new AbortController();

/** Lets every promise that can go on go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Lets time pass until the promise is fulfilled. @returns how much, in seconds */
async function secondsUntil(clock: FakeClock, promise: Promise<void>): Promise<number> {
  let done = false;
  promise.then(() => done = true);
  const start = clock.now();
  for (await settle(); !done; await settle()) clock.advance(100);
  return (clock.now() - start) / 1_000;
}

Deno.test("LoginThrottle.admit() lets people mistype, then waits longer and longer", async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock, new KnownAddresses());
  const waits: number[] = [];
  for (let attempt = 0; attempt < 12; attempt++) {
    waits.push(Math.round(await secondsUntil(clock, throttle.admit("joe", "a", signal))));
    throttle.failed("joe", "a");
  }
  assertEquals(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

Deno.test("LoginThrottle: a right password costs nothing and clears the wrong ones", async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock, new KnownAddresses());
  for (let attempt = 0; attempt < 100; attempt++) {
    assertEquals(await secondsUntil(clock, throttle.admit("joe", "a", signal)), 0);
    throttle.succeeded("joe", "a");
  }
  for (let attempt = 0; attempt < 5; attempt++) throttle.failed("joe", "a");
  throttle.succeeded("joe", "a");
  assertEquals(await secondsUntil(clock, throttle.admit("joe", "a", signal)), 0);
});

Deno.test("LoginThrottle: guessing from a thousand addresses gets one guess each 5 s", async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock, new KnownAddresses());
  let guesses = 0;
  const guess = async (address: string) => {
    await throttle.admit("joe", address, signal);
    guesses++;
    throttle.failed("joe", address);
  };
  const all = Array.from({ length: 1_000 }, (_, index) => guess(`address ${index}`));
  for (let s = 0; s < 3_600; s++) {
    clock.advance(1_000);
    await settle();
  }
  console.log(`    ${guesses} guesses in an hour`);
  assert(guesses >= 700 && guesses <= 730, `${guesses}`);
  assertEquals(all.length, 1_000);
});

Deno.test("LoginThrottle: the owner goes before those who have failed", async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock, new KnownAddresses());
  for (let address = 0; address < 200; address++) {
    throttle.failed("joe", `bad ${address}`);
    throttle.admit("joe", `bad ${address}`, signal).catch(() => {});
  }
  await settle();
  const waited = await secondsUntil(clock, throttle.admit("joe", "home", signal));
  assert(waited <= 5, `${waited} s`);
});

Deno.test("LoginThrottle: many attempts of one address at once do not keep the owner out", async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock, new KnownAddresses());
  for (let attempt = 0; attempt < 245; attempt++) {
    throttle.admit("joe", "bad", signal).then(() => throttle.failed("joe", "bad"), () => {});
  }
  clock.advance(3_000);
  await settle();
  const waited = await secondsUntil(clock, throttle.admit("joe", "home", signal));
  console.log(`    the owner waits ${waited} s beside 245 guesses`);
  assert(waited <= 5, `${waited} s`);
});

Deno.test("LoginThrottle.admit() gives up its place with the signal", async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock, new KnownAddresses());
  for (let i = 0; i < 10; i++) await throttle.admit("joe", `${i}`, signal);
  const gone = new AbortController();
  const waiting = throttle.admit("joe", "x", gone.signal);
  const next = throttle.admit("joe", "y", signal);
  gone.abort(new RangeError("gone"));
  await assertRejects(() => waiting, RangeError, "gone");
  assertEquals(await secondsUntil(clock, next), 5);
});

Deno.test("LoginThrottle: nobody's guesses make an address wait that the owner came from before", async () => {
  for (const [home, least, most] of [["home", 0, 0], ["new", 5, 2_000]] as const) {
    const clock = new FakeClock();
    const known = new KnownAddresses();
    known.add("joe", "home");
    const throttle = new LoginThrottle(clock, known);
    // 50 a second from 200 addresses, for ten seconds.
    for (let guess = 0; guess < 500; guess++) {
      const address = `bad ${guess % 200}`;
      throttle.admit("joe", address, signal).then(() => throttle.failed("joe", address));
      clock.advance(20);
      await settle();
    }
    const waited = await secondsUntil(clock, throttle.admit("joe", home, signal));
    console.log(`    from ${home}: the owner waits ${waited} s beside 50 guesses a second`);
    assert(waited >= least && waited <= most);
  }
});

Deno.test("LoginThrottle: guessing from an address that is known is no faster", async () => {
  const guessesFrom = async (address: string) => {
    const clock = new FakeClock();
    const known = new KnownAddresses();
    known.add("joe", "home");
    const throttle = new LoginThrottle(clock, known);
    let guesses = 0;
    const guess = async () => {
      for (;;) {
        await throttle.admit("joe", address, signal);
        guesses++;
        throttle.failed("joe", address);
      }
    };
    for (let guesser = 0; guesser < 50; guesser++) guess();
    for (let s = 0; s < 3_600; s++) {
      clock.advance(1_000);
      await settle();
    }
    return guesses;
  };
  const [known, unknown] = [await guessesFrom("home"), await guessesFrom("elsewhere")];
  console.log(`    in an hour ${known} guesses from a known address, ${unknown} from another`);
  assertEquals(known, unknown);
});

Deno.test("LoginThrottle counts what is tried at other servers, and knows how to do without them", async () => {
  const clock = new FakeClock();
  const throttles = Array.from({ length: 3 }, () => new LoginThrottle(clock, new KnownAddresses()));
  let isAway = false;
  for (const throttle of throttles) {
    throttle.onPassword = (password) => {
      const others = isAway ? [] : throttles.filter((other) => other !== throttle);
      for (const other of others) other.countElsewhere(password);
    };
  }
  const waits: number[] = [];
  for (let attempt = 0; attempt < 9; attempt++) {
    const throttle = throttles[attempt % 3]!;
    waits.push(Math.round(await secondsUntil(clock, throttle.admit("joe", "a", signal))));
    throttle.failed("joe", "a");
  }
  assertEquals(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32]);
  // A right password clears them everywhere.
  throttles[0]!.succeeded("joe", "a");
  assertEquals(await secondsUntil(clock, throttles[1]!.admit("joe", "a", signal)), 0);
  throttles[1]!.succeeded("joe", "a");
  clock.advance(60_000);
  // From many addresses: ten at once in all, then one each five seconds.
  for (let attempt = 0; attempt < 12; attempt++) throttles[0]!.failed("joe", `b${attempt}`);
  assertEquals(await secondsUntil(clock, throttles[1]!.admit("joe", "home", signal)), 15);
  // Each counts alone while nobody can tell.
  clock.advance(600_000);
  isAway = true;
  for (let attempt = 0; attempt < 5; attempt++) throttles[0]!.failed("joe", "c");
  assertEquals(await secondsUntil(clock, throttles[1]!.admit("joe", "c", signal)), 0);
  assertEquals(await secondsUntil(clock, throttles[0]!.admit("joe", "c", signal)), 4);
});
