import { bold, red } from "@std/fmt/colors";
import { legibleLine } from "../../console/foreign.ts";
import { hanging } from "../../console/layout.ts";
import type { Page } from "../../console/page.ts";
import { exitCodeOf, type Finding } from "./finding.ts";

const RESULTS = { good: "ok", note: "note", skipped: "-", wrong: "WRONG" } as const;

/** What is found stands in this column, where the page is wide enough. */
const COLUMN = 17;

/** A finding as people read it: what, and if it is wrong where, what it means, and what will help. */
export function formatFinding(
  { check, result, what, where, means, cures = [] }: Finding,
  page: Page,
): string {
  const head = `${RESULTS[result].padEnd(7)}${check.padEnd(COLUMN - 7)}`;
  const said = hanging(" ".repeat(COLUMN) + legibleLine(what), page);
  const text = said.startsWith(" ".repeat(COLUMN))
    ? head + said.slice(COLUMN)
    : hanging(head + legibleLine(what), page);
  const wrong = page.styled && result === "wrong";
  const details = [
    ...where === undefined ? [] : [`where: ${where}`],
    ...means === undefined ? [] : [`meaning: ${means}`],
    ...cures.map((cure) => `try: ${cure}`),
  ];
  return [wrong ? bold(red(text)) : text, ...details.map((line) => formatDetail(line, page))]
    .join("\n");
}

/** Commands, from the second line on, are not wrapped: they are there to be copied. */
function formatDetail(detail: string, page: Page): string {
  const [first = "", ...commands] = detail.split("\n");
  return [hanging(`         ${first}`, page), ...commands.map((line) => `           ${line}`)]
    .join("\n");
}

/** The last line. */
export function formatSummary(findings: readonly Finding[]): string {
  const wrong = findings.filter(({ result }) => result === "wrong").map(({ check }) => check);
  if (wrong.length === 0) return "Nothing is wrong.";
  return `Wrong: ${wrong.join(", ")} (exit code ${exitCodeOf(findings)}).`;
}
