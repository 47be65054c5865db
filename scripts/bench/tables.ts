import { findResult, ratiosOf, type Report } from "./results.ts";
import { labelOf } from "./target.ts";
import { type Figure, type Workload, WORKLOADS } from "./workloads.ts";

const BEGIN = "<!-- figures: begin -->";
const END = "<!-- figures: end -->";
/** A load generator that is busier than this, of one core, has nothing to spare. */
const LOAD_LIMIT = 0.9;
/** A machine with a higher load average has more to do than to measure. */
const BUSY = 0.5;

/** Puts the tables between the two marks of a page. @throws {RangeError} where the marks are missing */
export function insertTables(page: string, tables: string): string {
  const from = page.indexOf(BEGIN), to = page.indexOf(END);
  if (from < 0 || to < from) throw new RangeError(`the page has no ${BEGIN} and ${END}`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${tables}\n${page.slice(to)}`;
}

/** All figures, as Markdown: first ours beside the peers, then what each server did. */
export function formatTables(report: Report): string {
  const { date, machine, versions, settings } = report;
  const facts = [...Object.entries(versions), ...Object.entries(machine)];
  const sections = [
    `Measured on ${date}: medians of ${settings.rounds}, ${settings.seconds} s each. ` +
    `${facts.map(([name, value]) => `${name}: ${value}`).join("; ")}.`,
    settings.rounds < 5 ? "Fewer than five rounds: a first impression, and no more." : "",
    report.loadAverage > BUSY
      ? `The machine was busy with other things (load average ${
        formatNumber(report.loadAverage)
      } ` +
        "before the first run), so these figures are noise in part."
      : "",
    ...report.skipped.map((what) => `Not measured: ${what}.`),
    formatRatios(report),
    ...WORKLOADS.filter(({ name }) => report.results.some(({ workload }) => workload === name))
      .map((workload) => formatWorkload(report, workload)),
    formatLog(report),
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

/** How ours compare with the peers: above 1 is better. */
function formatRatios({ results }: Report): string {
  const rows = WORKLOADS.flatMap((workload) => {
    const ratios = ratiosOf(results, workload);
    if (ratios.length === 0) return [];
    const cell = (tls: boolean, peer: string) =>
      ratios.find((ratio) => ratio.ours.tls === tls && ratio.peer === peer)?.ratio.toFixed(2) ?? "";
    return [[
      `${workload.title}: ${workload.figures[0]!.title}`,
      cell(true, "ngircd"),
      cell(true, "inspircd"),
      cell(false, "ngircd"),
      cell(false, "inspircd"),
    ]];
  });
  if (rows.length === 0) return "";
  const head = ["ours, compared with", "ngircd, TLS", "inspircd, TLS"];
  return `Above 1, ours is better.\n\n${
    formatTable([...head, "ngircd, plain", "inspircd, plain"], rows)
  }`;
}

function formatWorkload({ results }: Report, workload: Workload): string {
  const rows = workload.targets.flatMap((target) => {
    const result = results.find((result) =>
      result.workload === workload.name && labelOf(result.target) === labelOf(target)
    );
    if (result === undefined) return [];
    const medians = findResult(results, workload, target)?.medians;
    const { serverCpu, loadCpu, duplicates, deliveriesInAll, missing, twice } = medians ?? {};
    const problems = [
      result.problem ?? "",
      (missing ?? 0) + (twice ?? 0) > 0 ? "messages are missing or came twice" : "",
      (loadCpu ?? 0) > LOAD_LIMIT ? "the load generator may be the limit" : "",
    ];
    return [[
      labelOf(target),
      ...workload.figures.map((figure) => formatFigure(medians?.[figure.key], figure)),
      formatNumber(serverCpu),
      formatNumber(loadCpu),
      deliveriesInAll ? `${(100 * duplicates! / deliveriesInAll).toFixed(2)} %` : "",
      problems.filter((problem) => problem !== "").join("; "),
    ]];
  });
  const titles = workload.figures.map(({ title }) => title);
  const head = ["", ...titles, "server CPU", "load CPU", "duplicates", "problems"];
  // A column that says nothing is left out.
  const used = head.map((_, column) => rows.some((row) => row[column] !== ""));
  const kept = (row: readonly string[]) => row.filter((_, column) => used[column]);
  return `### ${workload.title}\n\n${formatTable(kept(head), rows.map(kept))}`;
}

function formatLog({ log }: Report): string {
  if (log.length === 0) return "";
  const rows = log.map(({ batch, messagesPerSecond }) =>
    [batch, messagesPerSecond].map((value) => formatNumber(value))
  );
  return `### the log alone\n\n${formatTable(["messages a commit", "messages a second"], rows)}`;
}

function formatFigure(value: number | undefined, { unit }: Figure): string {
  return value === undefined ? "" : `${formatNumber(value)}${unit === "" ? "" : ` ${unit}`}`;
}

/** Three digits that count. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined) return "";
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

/** A table of Markdown, as the formatter wants it. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) =>
    Math.max(3, cell.length, ...rows.map((row) => row[column]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
