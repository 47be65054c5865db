import { systemClock } from "../../clock.ts";
import type { CommandLine } from "../../command_line.ts";
import { pageOf } from "../../console/page.ts";
import { formatEndpoint } from "../../net/connection.ts";
import { writeText } from "../../program.ts";
import { examine } from "../doctor/examine.ts";
import { exitCodeOf, type Finding } from "../doctor/finding.ts";
import { formatFinding, formatSummary } from "../doctor/report.ts";
import { judgeTerminal, showsUtf8 } from "../doctor/terminal.ts";
import { encodeJsonLine } from "../json_lines.ts";
import { Leaving } from "../leaving.ts";
import { serversOf, trustOf } from "./joining.ts";

/** Examines servers, one after another, and writes what is found to standard output. @returns the exit code */
export async function runDoctor(commandLine: CommandLine): Promise<number> {
  const servers = serversOf(commandLine)!;
  const trust = await trustOf(commandLine);
  const json = commandLine.flags.has("json");
  const { signal } = new Leaving("stopped");
  const write = (text: string) => writeText(Deno.stdout, text);
  const findings: Finding[] = [];
  const show = (finding: Finding) => {
    findings.push(finding);
    write(
      json
        ? encodeJsonLine({ type: "finding", ...finding })
        : `${formatFinding(finding, pageOf(Deno.stdout))}\n`,
    );
  };
  const { os } = Deno.build;
  const options = { clock: systemClock, trust, os, signal };
  for (const server of servers) {
    const name = formatEndpoint(server);
    const several = servers.length > 1;
    if (several && !json) write(`${name}\n`);
    for await (const finding of examine(server, options)) {
      show(several ? { server: name, ...finding } : finding);
    }
  }
  const server = servers[0]!;
  show(judgeTerminal(await askTerminal(), { server, address: server.hostname, os }));

  const exitCode = exitCodeOf(findings);
  const why = formatSummary(findings);
  write(json ? encodeJsonLine({ type: "ended", exitCode, why }) : `${why}\n`);
  return exitCode;
}

/** Whether the terminal shows UTF-8; undefined where there is none, or it does not say. */
async function askTerminal(): Promise<boolean | undefined> {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return undefined;
  const buffer = new Uint8Array(64);
  return await showsUtf8({
    write: (text) => writeText(Deno.stdout, text),
    setRaw: (raw) => Deno.stdin.setRaw(raw),
    read: async () => {
      const count = await Deno.stdin.read(buffer);
      return count === null ? null : buffer.slice(0, count);
    },
  });
}
