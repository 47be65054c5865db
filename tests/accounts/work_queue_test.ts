import { assertEquals, assertRejects } from "@std/assert";
import { WorkQueue } from "../../lib/accounts/work_queue.ts";

Deno.test("WorkQueue.run() runs so many at a time, first come, first served", async () => {
  const queue = new WorkQueue(2);
  const started: number[] = [];
  const jobs = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const results = jobs.map((job, index) =>
    queue.run(async () => {
      started.push(index);
      await job.promise;
      return index;
    })
  );
  assertEquals(started, [0, 1]);
  jobs[1]!.resolve();
  assertEquals(await results[1], 1);
  assertEquals(started, [0, 1, 2]);
  jobs[0]!.resolve();
  jobs[2]!.resolve();
  jobs[3]!.resolve();
  assertEquals(await Promise.all(results), [0, 1, 2, 3]);
});

Deno.test("WorkQueue.run() does not begin a job whose signal is aborted by then", async () => {
  const queue = new WorkQueue(1);
  const first = Promise.withResolvers<void>();
  const running = queue.run(() => first.promise);
  const gone = new AbortController();
  let begun = false;
  const waiting = queue.run(() => Promise.resolve(begun = true), gone);
  gone.abort(new RangeError("gone"));
  first.resolve();
  await running;
  await assertRejects(() => waiting, RangeError, "gone");
  assertEquals(begun, false);
  assertEquals(await queue.run(() => Promise.resolve("on")), "on");
});

Deno.test("WorkQueue.run() goes on after a job that failed", async () => {
  const queue = new WorkQueue(1);
  const failing = queue.run(() => Promise.reject(new TypeError("no")));
  const next = queue.run(() => Promise.resolve("yes"));
  await assertRejects(() => failing, TypeError, "no");
  assertEquals(await next, "yes");
});

Deno.test("WorkQueue.run() gives every second turn to those that are preferred", async () => {
  const queue = new WorkQueue(1);
  const order: string[] = [];
  const job = (name: string) => () => {
    order.push(name);
    return Promise.resolve();
  };
  const others = Array.from(
    { length: 200 },
    (_, index) => queue.run(job("other"), { owner: `bad ${index}` }),
  );
  const preferred = ["a", "b", "a"].map((owner) =>
    queue.run(job(owner), { owner, preferred: true })
  );
  await Promise.all([...others, ...preferred]);
  console.log(`    one who is preferred waits for ${order.indexOf("a")} of 200 others`);
  assertEquals(order.slice(0, 7), ["other", "a", "other", "b", "other", "a", "other"]);
  assertEquals(order.length, 203);
  // Those that are preferred may have all turns when nobody else waits.
  const rest = ["c", "d", "c"].map((owner) => queue.run(job(owner), { owner, preferred: true }));
  await Promise.all(rest);
  assertEquals(order.slice(203), ["c", "d", "c"]);
});
