import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { drawChart } from "../../scripts/bench/chart.ts";
import {
  median,
  mediansOf,
  ratiosOf,
  type Report,
  type Result,
} from "../../scripts/bench/results.ts";
import { formatNumber, formatTables, insertTables } from "../../scripts/bench/tables.ts";
import type { Target } from "../../scripts/bench/target.ts";
import { WORKLOADS } from "../../scripts/bench/workloads.ts";

const CHAT: Target = { server: "chatserver", tls: true, udp: true };
const NGIRCD: Target = { server: "ngircd", tls: true };

/** A result of one round. */
function result(workload: string, target: Target, figures: Record<string, number>): Result {
  return { workload, target, rounds: [figures], medians: figures };
}

function report(results: Result[]): Report {
  return {
    date: "2026-01-31",
    machine: { cores: 2 },
    versions: { chatserver: "1.2.3" },
    loadAverage: 2.5,
    settings: { rounds: 5, seconds: 5 },
    results,
    log: [{ batch: 100, messagesPerSecond: 12_345 }],
    skipped: ["inspircd, which is not installed"],
  };
}

function workload(name: string) {
  return WORKLOADS.find((workload) => workload.name === name)!;
}

const FAN_OUT = workload("fan-out-200-10-32-100");
const LATENCY = workload("fan-out-latency");

Deno.test("every workload has a name of its own", () => {
  const names = WORKLOADS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
});

Deno.test("median() is the middle one, or between the two middle ones", () => {
  assertEquals(median([5, 100, 1]), 5);
  assertEquals(median([4, 1, 100, 2]), 3);
});

Deno.test("mediansOf() takes each figure by itself", () => {
  const rounds = [{ a: 1, b: 30 }, { a: 2, b: 10 }, { a: 3, b: 20 }];
  assertEquals(mediansOf(rounds), { a: 2, b: 20 });
});

Deno.test("ratiosOf() is above 1 where ours is better, whichever way the figure goes", () => {
  const fanOut = [
    result(FAN_OUT.name, CHAT, { deliveriesPerCpuSecond: 300 }),
    result(FAN_OUT.name, NGIRCD, { deliveriesPerCpuSecond: 100 }),
  ];
  assertEquals(ratiosOf(fanOut, FAN_OUT), [{ ours: CHAT, peer: "ngircd", ratio: 3 }]);
  const latency = [
    result(LATENCY.name, CHAT, { p50Ms: 4 }),
    result(LATENCY.name, NGIRCD, { p50Ms: 2 }),
  ];
  assertEquals(ratiosOf(latency, LATENCY), [{ ours: CHAT, peer: "ngircd", ratio: 0.5 }]);
});

Deno.test("ratiosOf() compares TLS with TLS only, and nothing that was not measured", () => {
  const plain = { ...NGIRCD, tls: false };
  const results = [
    result(FAN_OUT.name, CHAT, { deliveriesPerCpuSecond: 300 }),
    result(FAN_OUT.name, plain, { deliveriesPerCpuSecond: 100 }),
    { ...result(FAN_OUT.name, NGIRCD, {}), rounds: [], problem: "it took too long" },
  ];
  assertEquals(ratiosOf(results, FAN_OUT), []);
});

Deno.test("formatTables() says what went wrong and what was not measured", () => {
  const text = formatTables(report([
    result(FAN_OUT.name, CHAT, { deliveriesPerCpuSecond: 1, deliveriesPerSecond: 1, missing: 1 }),
    { ...result(FAN_OUT.name, NGIRCD, {}), rounds: [], problem: "it took too long" },
  ]));
  assertStringIncludes(text, "Not measured: inspircd, which is not installed.");
  assertStringIncludes(text, "busy with other things (load average 2.5");
  assertStringIncludes(text, "messages are missing or came twice");
  assertStringIncludes(text, "it took too long");
  assertStringIncludes(text, "12,300");
});

Deno.test("formatNumber() gives three digits that count", () => {
  assertEquals([1_234_567, 0.012345, 0].map(formatNumber), ["1,230,000", "0.0123", "0"]);
});

Deno.test("insertTables() replaces what stands between the marks, and nothing else", () => {
  const page = "a\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nb\n";
  const expected = "a\n<!-- figures: begin -->\n\nnew\n\n<!-- figures: end -->\nb\n";
  assertEquals(insertTables(page, "new\n"), expected);
  assertEquals(insertTables(expected, "new\n"), expected);
  assertThrows(() => insertTables("no marks", "new\n"), RangeError);
});

Deno.test("drawChart() draws a ratio above 1 to the right of 1, and one below to the left", () => {
  const bars = (own: number) => {
    const svg = drawChart(report([
      result(FAN_OUT.name, CHAT, { deliveriesPerCpuSecond: own }),
      result(FAN_OUT.name, NGIRCD, { deliveriesPerCpuSecond: 100 }),
    ]));
    const [, x, width] = /<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="14"/.exec(svg)!;
    return { from: Number(x), to: Number(x) + Number(width) };
  };
  const better = bars(200), worse = bars(50);
  assertEquals(better.from, worse.to);
  assertEquals(better.to > better.from && worse.to > worse.from, true);
});
