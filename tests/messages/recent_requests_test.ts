import { assert, assertEquals } from "@std/assert";
import { RecentRequests } from "../../lib/messages/recent_requests.ts";

/** A log, and how often it was read. */
function log() {
  const stored = new Map<number, { request: number; id: number }[]>();
  const deleted = new Map<number, number>();
  let [reads, last] = [0, 0];
  const requests = new RecentRequests((login, limit) => {
    reads++;
    const requests = (stored.get(login) ?? []).slice(-limit).toReversed();
    return { requests, floor: deleted.get(login) ?? 0 };
  });
  const store = (login: number, request: number) => {
    const id = ++last;
    requests.add({ login, request }, id);
    stored.set(login, stored.get(login) ?? []);
    stored.get(login)!.push({ request, id });
    return id;
  };
  const forget = (login: number, upTo: number) => {
    stored.set(login, stored.get(login)!.filter(({ request }) => request > upTo));
    deleted.set(login, upTo);
    requests.forget();
  };
  return { requests, store, forget, reads: () => reads };
}

Deno.test("RecentRequests.find() does not take a request for new whose message was deleted", () => {
  const { requests, store, forget } = log();
  for (let request = 1; request <= 9; request++) store(1, request);
  forget(1, 4);
  assertEquals([4, 5, 10].map((request) => requests.find({ login: 1, request })), [
    0,
    5,
    undefined,
  ]);
});

Deno.test("RecentRequests.find() knows a login's last requests, and what it can't know", () => {
  const { requests, store } = log();
  const ids = Array.from({ length: 3_000 }, (_, index) => store(1, index + 1));
  const find = (request: number) => requests.find({ login: 1, request });
  for (let request = 1_977; request <= 3_000; request++) {
    assertEquals(find(request), ids[request - 1]);
  }
  assertEquals([find(1), find(3_001)], [0, undefined]);
  // The log knows the same.
  requests.forget();
  assertEquals([find(1_977), find(1), find(3_001)], [ids[1_976], 0, undefined]);
});

Deno.test("RecentRequests keeps a bounded number, and finds the others in the log", () => {
  const { requests, store, reads } = log();
  const logins = 600;
  for (let login = 1; login <= logins; login++) {
    for (let request = 1; request <= 1_500; request++) store(login, request);
  }
  const before = reads();
  for (let login = 1; login <= logins; login++) {
    assert(requests.find({ login, request: 1_500 })! > 0);
  }
  assert(reads() - before > 200);
});
