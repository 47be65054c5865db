import { assertEquals } from "@std/assert";
import { Ledger, type Planned, quantile } from "./ledger.ts";

const PUBLIC: Planned = { text: "one", sender: 0, to: undefined };
const DIRECT: Planned = { text: "two", sender: 0, to: 1 };
const STORED = new Map([["one", { id: 1, at: 110 }], ["two", { id: 2, at: 210 }]]);

/** Three clients, of which the first has typed both messages. */
function ledgerOf(...shown: [receiver: number, text: string, at: number][]): Ledger {
  const ledger = new Ledger(3);
  ledger.typed(PUBLIC, 100);
  ledger.typed(DIRECT, 200);
  for (const [receiver, text, at] of shown) ledger.shown(receiver, text, at);
  return ledger;
}

const ALL = [[1, "one", 120], [2, "one", 130], [1, "two", 215]] as const;

Deno.test("Ledger.figures() gives what came, and how long it took", async () => {
  const ledger = ledgerOf(...ALL.map((each) => [...each] as [number, string, number]));
  await ledger.complete();
  assertEquals(ledger.figures(STORED), {
    expected: 3,
    lost: 0,
    twice: 0,
    misplaced: 0,
    fromSender: [15, 20, 30],
    fromServer: [5, 10, 20],
  });
  const { expected, fromSender } = ledger.figures(
    STORED,
    (receiver, typedAt) => receiver === 1 && typedAt < 200,
  );
  assertEquals([expected, fromSender], [1, [20]]);
});

Deno.test("Ledger.figures() counts what is lost, comes twice, early, or to somebody else", () => {
  const count = (...shown: [number, string, number][]) => {
    const { lost, twice, misplaced } = ledgerOf(...shown).figures(STORED);
    return [lost, twice, misplaced];
  };
  assertEquals(count([1, "one", 120], [2, "one", 130]), [1, 0, 0]);
  assertEquals(count([1, "one", 1], [2, "one", 2], [1, "two", 3], [2, "one", 4]), [0, 1, 0]);
  assertEquals(count([1, "two", 1], [2, "one", 2], [1, "one", 3]), [0, 0, 1]);
  assertEquals(count([1, "one", 1], [2, "one", 2], [1, "two", 3], [2, "two", 4]), [0, 0, 1]);
  assertEquals(count([1, "one", 1], [2, "one", 2], [1, "two", 3], [2, "garbled", 4]), [0, 0, 1]);
});

Deno.test("quantile() gives the value that a share does not exceed", () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1);
  assertEquals([0.5, 0.99, 1].map((share) => quantile(values, share)), [50, 99, 100]);
  assertEquals(quantile([7], 0.99), 7);
});
