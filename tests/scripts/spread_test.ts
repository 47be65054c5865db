import { assert, assertEquals } from "@std/assert";
import { type Spread, tableOf } from "../../scripts/cluster/spread.ts";

const ALONE: Spread = {
  nats: 0,
  servers: 1,
  fanOut: { deliveriesPerSecond: 900_000, serverCpu: 0.5, loadCpu: 0.25 },
  direct: { p50Ms: 1.26, p99Ms: 8 },
};
const ONE: Spread = {
  nats: 1,
  servers: 1,
  fanOut: { deliveriesPerSecond: 800_000, serverCpu: 0.8, cpu2: 0.05, loadCpu: 0.15 },
  direct: { p50Ms: 1.5, p99Ms: 7 },
};
const TWO: Spread = {
  nats: 1,
  servers: 2,
  fanOut: { deliveriesPerSecond: 600_000, serverCpu: 0.6, cpu2: 0.4, cpu3: 0.1, loadCpu: 0.2 },
  direct: { p50Ms: 2, p99Ms: 9.96 },
};

Deno.test("tableOf() gives each process its row, also where a size has fewer", () => {
  const [head, line, ...rows] = tableOf([ALONE, ONE, TWO]).split("\n");
  const cellsOf = (row: string) => row.split("|").slice(1, -1).map((cell) => cell.trim());
  assertEquals(cellsOf(head!).slice(1), ["alone", "one on one NATS", "two on one NATS"]);
  assert(/^\|( -+ \|)+$/.test(line!), line);
  assertEquals(rows.map((row) => cellsOf(row).slice(1)), [
    ["900,000", "800,000", "600,000"],
    ["0.50", "0.80", "0.60"],
    ["", "", "0.40"],
    ["", "0.05", "0.10"],
    ["0.25", "0.15", "0.20"],
    ["1,800,000", "1,000,000", "600,000"],
    ["1.3 ms (8.0 ms)", "1.5 ms (7.0 ms)", "2.0 ms (10.0 ms)"],
  ]);
});
