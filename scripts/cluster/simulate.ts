/**
 * What many users in rooms would need of a cluster, computed from what one server was measured to cost:
 * `docs/SCALING.md` says what is measured and what is not. Nothing is run: rooms, users and servers are numbers.
 *
 *     deno task cluster:simulate [--users N] [--seed N]
 *
 * @module
 */
import { parseCommandLine } from "../../lib/command_line.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { runProgram } from "../../lib/program.ts";
import { drawCrowd, HABITS } from "./crowd.ts";
import { DESIGNS, LONGEST_LIST, type Need, needOf } from "./need.ts";

const HELP = `usage: deno task cluster:simulate [--users N] [--seed N]

Computes what that many users would need, for each design.

  --users N   how many accounts (default: 100 thousand, 1 million and 10 million, one after another)
  --seed N    of the random numbers (default: 1)
  --help      this text`;

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

const percent = (part: number) => `${(part * 100).toFixed(0)} %`;
const count = (number: number) => Math.round(number).toLocaleString("en");

function describe({ design, servers, bound, read, cpu, streams, megabytes }: Need): string {
  const limit = servers === undefined ? `none is enough: ${bound}` : `${count(servers)} (${bound})`;
  const { follow, presence, deliver, clients } = cpu;
  const parts = [follow, presence, deliver, clients].map(percent);
  return row([design, limit, count(read), ...parts, count(streams), count(megabytes)]);
}

/** The columns of the tables. */
const TITLES = [
  "design",
  "servers",
  "events read",
  "reading",
  "presence",
  "delivering",
  "own clients",
  "streams",
  "NATS MB/s",
];

await runProgram("simulate", () => {
  const commandLine = parseCommandLine(Deno.args, {
    program: "simulate",
    help: HELP,
    arguments: [],
    options: ["users", "seed"],
  });
  if (commandLine === undefined) return Promise.resolve();
  const { users, seed = "1" } = commandLine.options;
  for (const number of [users ?? "1", seed]) {
    if (/^[1-9]\d{0,8}$/.test(number)) continue;
    throw new ExitError(
      ExitCode.usage,
      `${JSON.stringify(number)} is no number from 1 to 999999999`,
    );
  }
  for (const accounts of users === undefined ? [1e5, 1e6, 1e7] : [Number(users)]) {
    const crowd = drawCrowd(accounts, { habits: HABITS, seed: Number(seed) });
    const { online, rooms, median, largest, events, deliveries } = crowd;
    console.log(
      `\n${count(accounts)} users, ${count(online)} of them online, in ${
        count(rooms.length)
      } rooms (median ${median}, ` +
        `largest ${count(largest)}): ${count(events)} events and ${
          count(deliveries)
        } deliveries a second\n`,
    );
    console.log(row(TITLES));
    console.log(row(TITLES.map(() => "---")));
    for (const design of DESIGNS) console.log(describe(needOf(crowd, design)));
  }
  console.log(
    `\nWith ${count(LONGEST_LIST)} users at one server its list is too long for NATS (1 MiB).`,
  );
  return Promise.resolve();
});
