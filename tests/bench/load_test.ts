// The load generator against real servers, and against one that makes mistakes.
import { assert, assertEquals } from "@std/assert";
import { ExitError } from "../../lib/exit.ts";
import { LoadGenerator } from "../../scripts/bench/load.ts";
import { findPrograms, RunningTarget } from "../../scripts/bench/servers.ts";
import { command } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const TIMES = { seconds: 0.3, warmUp: 0.1, settle: 0 };

/** Undefined where there is no compiler, or no Linux. */
async function build(): Promise<{ load: LoadGenerator; folder: TempFolder } | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const folder = await TempFolder.create();
  try {
    return { load: await LoadGenerator.build(folder.path), folder };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    if (error instanceof ExitError) return undefined;
    throw error;
  }
}

const built = await build();
const ignore = built === undefined;
const load = built?.load!;
Deno.test.afterAll(() => built?.folder[Symbol.asyncDispose]());

/** What one server is given: after the last one what is not acknowledged at its end would come again in the next. */
const RUNS = [
  [
    ["fan-out", "--receivers", "5", "--senders", "2"],
    ["fan-out-latency", "--receivers", "5"],
    ["logins", "--receivers", "4"],
    ["direct", "--receivers", "3"],
  ],
  [["fan-out-room", "--receivers", "5", "--senders", "2"]],
];

for (const tls of [true, false]) {
  for (const udp of [true, false]) {
    const how = `${tls ? "TLS" : "plain"}${udp ? " and UDP" : ""}`;
    const test = async (runs: readonly string[][]) => {
      await using folder = await TempFolder.create();
      const programs = await findPrograms(command("server"));
      const target = { server: "chatserver", tls, udp } as const;
      await using server = await RunningTarget.start(target, { programs, folder: folder.path });
      for (const args of runs) {
        const { problem, missing, twice, refused, disconnects, deliveriesInAll, byUdp } = await load
          .run([...args, ...server.loadArgs], TIMES);
        assertEquals(problem, undefined);
        assertEquals({ missing, twice, refused, disconnects }, {
          missing: 0,
          twice: 0,
          refused: 0,
          disconnects: 0,
        });
        if (args[0] !== "logins") assert(deliveriesInAll! > 0);
        // Calm traffic goes by UDP.
        if (args[0] === "fan-out-latency") assertEquals(byUdp! > 0, udp);
      }
    };
    Deno.test({ name: `load gets each message once and in order: ${how}`, ignore }, async () => {
      for (const runs of RUNS) await test(runs);
    });
  }
}

/**
 * An IRC server of one channel, whose users are `others`: several servers may share it. `deliver` says how often each
 * message goes to each of the others.
 */
function startIrcServer(
  deliver: (message: number) => number,
  others = new Set<Deno.Conn>(),
): { port: number; nicks: string[] } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const nicks: string[] = [];
  const utf8 = new TextEncoder();
  let messages = 0;
  async function serve(connection: Deno.Conn): Promise<void> {
    others.add(connection);
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of connection.readable) {
      const lines = (text + decoder.decode(chunk)).split("\r\n");
      text = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith("NICK")) nicks.push(line.split(" ")[1]!);
        if (line.startsWith("USER")) await connection.write(utf8.encode(":s 001 u :hi\r\n"));
        if (line.startsWith("JOIN")) {
          await connection.write(utf8.encode(":s 366 u #bench :end\r\n"));
        }
        if (!line.startsWith("PRIVMSG")) continue;
        const copies = utf8.encode(`:u!u@h ${line}\r\n`.repeat(deliver(messages++)));
        for (const other of others) if (other !== connection) await other.write(copies);
      }
    }
  }
  const accepting = (async () => {
    const serving: Promise<void>[] = [];
    for await (const connection of listener) serving.push(serve(connection).catch(() => {}));
    await Promise.all(serving);
  })();
  return {
    port: listener.addr.port,
    nicks,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
    },
  };
}

for (
  const { what, deliver, expected } of [
    { what: "nothing wrong", deliver: () => 1, expected: { missing: false, twice: false } },
    {
      what: "that came twice",
      deliver: (message: number) => message === 3 ? 2 : 1,
      expected: { missing: false, twice: true },
    },
    {
      what: "that never came",
      deliver: (message: number) => message === 3 ? 0 : 1,
      expected: { missing: true, twice: false },
    },
  ]
) {
  Deno.test({ name: `load notices a message ${what}`, ignore }, async () => {
    await using server = startIrcServer(deliver);
    const { missing, twice } = await load.run([
      ...["fan-out-latency", "--irc", "--port", `${server.port}`, "--pid", `${Deno.pid}`],
      ...["--receivers", "2", "--rate", "100"],
    ], TIMES);
    assertEquals({ missing: missing! > 0, twice: twice! > 0 }, expected);
  });
}

Deno.test({ name: "load spreads receivers over ports, senders at the first", ignore }, async () => {
  const channel = new Set<Deno.Conn>();
  await using first = startIrcServer(() => 1, channel);
  await using second = startIrcServer(() => 1, channel);
  const { problem, missing, cpu2 } = await load.run([
    ...["fan-out", "--irc", "--receivers", "3", "--senders", "1", "--outstanding", "1"],
    ...[first, second].flatMap(({ port }) => ["--port", `${port}`, "--pid", `${Deno.pid}`]),
  ], TIMES);
  assertEquals({ problem, missing }, { problem: undefined, missing: 0 });
  assertEquals(first.nicks.toSorted(), ["u00001", "u00003"]);
  assertEquals(second.nicks.toSorted(), ["u00000", "u00002"]);
  assert(cpu2! >= 0);
});
