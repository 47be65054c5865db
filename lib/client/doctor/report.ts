import { bold, red } from "@std/fmt/colors";
import { legibleLine } from "../../console/foreign.ts";
import { hanging } from "../../console/layout.ts";
import type { Page } from "../../console/page.ts";
import { exitCodeOf, type Finding } from "./finding.ts";

const RESULTS = { good: "ok", note: "note", skipped: "-", wrong: "WRONG" } as const;

/** A finding as people read it: what, and if it is wrong where, what it means, and what will help. */
export function formatFinding(
  { check, result, what, where, means, cures = [] }: Finding,
  page: Page,
): string {
  const paint = page.styled && result === "wrong" ? (text: string) => bold(red(text)) : String;
  const head = hanging(`${RESULTS[result].padEnd(7)}${check.padEnd(10)}${legibleLine(what)}`, page);
  const rest = [
    where && `where: ${where}`,
    means && `meaning: ${means}`,
    ...cures.map((cure) => `try: ${cure}`),
  ];
  return [paint(head), ...rest.filter(Boolean).map((line) => hanging(`         ${line}`, page))]
    .join("\n");
}

/** The last line. */
export function formatSummary(findings: readonly Finding[]): string {
  const wrong = findings.filter(({ result }) => result === "wrong").map(({ check }) => check);
  if (wrong.length === 0) return "Nothing is wrong.";
  return `Wrong: ${wrong.join(", ")} (exit code ${exitCodeOf(findings)}).`;
}
