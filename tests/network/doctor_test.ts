// chatclient doctor through networks that are wrong in one way each: what it names, and at which machine.
import { assertEquals, assertMatch } from "@std/assert";
import { Program, rememberServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { Network, PORT } from "./network.ts";

interface Case {
  name: string;
  /** What happens to the network when the server runs. */
  then?: (network: Network) => Promise<void>;
  /** Whether the client knows another server at this address. */
  changed?: boolean;
  /** @default the server's */
  port?: number;
  exitCode: number;
  /** What is not good: the check, what is said of it, and where. */
  found?: { check: string; result: "wrong" | "note"; what: RegExp; where?: RegExp };
}

const CASES: readonly Case[] = [
  { name: "a good server", exitCode: 0 },
  {
    name: "a wrong port",
    port: PORT + 1,
    exitCode: 13,
    found: { check: "TCP", result: "wrong", what: /nobody listens at .*:4001/, where: /server/ },
  },
  {
    name: "UDP blocked to the server",
    then: (network) => network.blockUdpTo("server"),
    exitCode: 21,
    found: { check: "UDP", result: "wrong", what: /gets to the server/, where: /server's machine/ },
  },
  {
    name: "UDP blocked from the server",
    then: (network) => network.blockUdpTo("clients"),
    exitCode: 22,
    found: { check: "UDP", result: "wrong", what: /do not come back/, where: /this machine/ },
  },
  {
    name: "MTU 576",
    then: (network) => network.setMtu(576),
    exitCode: 0,
    found: {
      check: "packets",
      result: "note",
      what: /in pieces: somewhere the MTU is below 928, and at least 576$/,
    },
  },
  {
    name: "MTU 576, fragments dropped",
    then: async (network) => {
      await network.setMtu(576);
      await network.dropFragments();
    },
    exitCode: 23,
    found: {
      check: "packets",
      result: "wrong",
      what: /packets of more than 548 bytes do not get through/,
      where: /network between/,
    },
  },
  {
    name: "20 % loss",
    // Of UDP alone: whether TCP connects in time through such a network would be a matter of chance.
    then: (network) => network.loseUdp(0.2),
    exitCode: 24,
    found: {
      check: "loss",
      result: "wrong",
      what: /^([5-9]|[1-3]\d) % lost to the server, ([5-9]|[1-3]\d) % from it/,
      where: /network between/,
    },
  },
  {
    name: "a changed identity",
    changed: true,
    exitCode: 5,
    found: {
      check: "identity",
      result: "wrong",
      what: /not the one that was met/,
      where: /between/,
    },
  },
  {
    name: "a host that does not answer",
    then: (network) => network.loseEverything(),
    exitCode: 12,
    found: { check: "TCP", result: "wrong", what: /does not answer/, where: /server's machine/ },
  },
];

for (const { name, then, changed, port = PORT, exitCode, found } of CASES) {
  Deno.test(`doctor: ${name}`, async () => {
    await using network = await Network.create({ udp: true });
    await using folder = await TempFolder.create();
    await using other = await TempFolder.create();
    await using server = Program.start("server", [`${PORT}`, "--data", folder.path], {
      launcher: network.launcher("server"),
    });
    await server.match(/Server ready to receive connections\n/);
    const config = folder.file("config");
    await rememberServer(changed ? other.path : folder.path, config, network.server);
    await then?.(network);
    const args = ["doctor", network.server.hostname, `${port}`, "--config", config, "--json"];
    const { code, stdout } = await Program.run("client", args, {
      launcher: network.launcher("clients"),
    });
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    const noticed = lines.filter(({ result }) => result === "wrong" || result === "note");
    assertEquals(noticed.map(({ check, result }) => ({ check, result })), [
      ...found ? [{ check: found.check, result: found.result }] : [],
    ], stdout);
    if (found !== undefined) assertMatch(noticed[0].what, found.what);
    if (found?.where !== undefined) assertMatch(noticed[0].where, found.where);
    assertEquals([code, lines.at(-1).exitCode], [exitCode, exitCode]);
  });
}
