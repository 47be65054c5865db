import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { Unread } from "../../lib/server/unread.ts";

const SESSIONS = 3;

interface Model {
  delivered: number;
  wentByTcp: () => boolean;
  /** What it has, by delivery number. */
  ids: number[];
}

/**
 * Sessions of one account get direct messages, acknowledge them, and leave; the log is told. Whatever they do, each
 * message is told of once, and is known to be somebody's as long as it is.
 */
Deno.test("Unread knows of each message who has it, until the log knows that it was acknowledged", () => {
  const session = fc.nat({ max: SESSIONS - 1 });
  const step = fc.oneof(
    fc.record({ do: fc.constant("live" as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ do: fc.constant("adopt" as const), session }),
    fc.record({ do: fc.constant("acknowledge" as const), session, count: fc.nat({ max: 4 }) }),
    fc.record({ do: fc.constant("leave" as const), session }),
    fc.record({ do: fc.constant("written" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const unread = new Unread();
      const fresh = (): Model => ({ delivered: 0, wentByTcp: () => false, ids: [] });
      const sessions = Array.from({ length: SESSIONS }, fresh);
      /** What the log takes for undelivered, and what it is being told of. */
      const undelivered = new Set<number>();
      let told: number[] = [];
      let last = 0;
      const holders = (id: number) =>
        sessions.filter(({ ids, delivered }) => ids.lastIndexOf(id) >= delivered).length;
      const acknowledge = (session: Model) => {
        for (const { id, number } of unread.acknowledged(session)) {
          assertEquals(session.ids[number], id);
          assertEquals(told.includes(id), false);
          told.push(id);
        }
      };
      for (const step of steps) {
        if (step.do === "live") {
          const ids = Array.from({ length: step.count }, () => ++last);
          for (const id of ids) undelivered.add(id);
          for (const session of sessions) {
            unread.hand(session, ids, session.ids.length);
            session.ids.push(...ids);
          }
        } else if (step.do === "adopt") {
          const ids = [...undelivered].filter((id) => !unread.has(id));
          for (const id of ids) assertEquals([holders(id), told.includes(id)], [0, false]);
          const session = sessions[step.session]!;
          unread.hand(session, ids, session.ids.length);
          session.ids.push(...ids);
        } else if (step.do === "acknowledge") {
          const session = sessions[step.session]!;
          session.delivered = Math.min(session.delivered + step.count, session.ids.length);
          acknowledge(session);
        } else if (step.do === "leave") {
          const session = sessions[step.session]!;
          acknowledge(session);
          const before = [...undelivered].filter((id) => unread.has(id));
          const orphans = unread.leave(session);
          assertEquals(orphans, before.some((id) => !unread.has(id)));
          sessions[step.session] = fresh();
        } else {
          unread.written(told);
          for (const id of told) undelivered.delete(id);
          told = [];
        }
      }
      for (const session of sessions) {
        acknowledge(session);
        unread.leave(session);
      }
      unread.written(told);
      assertEquals(unread.isEmpty, true);
    }),
    { numRuns: 2_000 },
  );
});
