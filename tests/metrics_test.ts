// What Prometheus is told, and the dashboard that shows it.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { COMMITS, LOOP_LAG, METRICS } from "../lib/server/metrics/table.ts";
import { Program, startServer } from "./helpers/programs.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

const read = (path: string) => Deno.readTextFile(new URL(`../${path}`, import.meta.url));

/** What stands in an exposition: values, by the name with its labels. */
function valuesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const [, name, value] = /^(\S+(?:\{.*\})?) (\S+)$/.exec(line)!;
    return [name!, Number(value)];
  }));
}

/** A server with metrics, in whose process nothing may be read that the program may not read. */
async function start(folder: string) {
  const started = await startServer(folder, "--metrics", "0");
  const [, base] = await started.server.matchError(/metrics: (http:\S+)\/metrics\n/);
  return { ...started, base: base! };
}

Deno.test("--metrics tells Prometheus how the server is, on loopback addresses alone", async () => {
  await using folder = await TempFolder.create();
  const { server, clientArgs, base } = await start(folder.path);
  await using _server = server;
  await using joe = Program.start("client", clientArgs("joe"));
  await joe.type("geheim\n");
  await joe.match(/EX - exit/);
  const wrong = await Program.run("client", clientArgs("joe"), { input: "falsch\n" });
  assertEquals(wrong.code, 2, wrong.stderr);
  await using ann = Program.start("client", clientArgs("ann"));
  await ann.type("geheim\n");
  await ann.match(/EX - exit/);
  await joe.type("PM\nhello\nDM\nann\nhello ann\nJO #lab\nRM #lab alone\n");
  await ann.match(/hello ann/);
  await joe.count("Message sent", 3);

  const response = await fetch(`${base}/metrics`);
  assertMatch(response.headers.get("Content-Type")!, /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  const values = valuesOf(text);
  const kinds = (name: string, label: string, ...keys: string[]) =>
    keys.map((key) => values.get(`${name}{${label}="${key}"}`));
  assertEquals(kinds("chatserver_messages_total", "kind", "public", "direct", "room"), [1, 1, 1]);
  const [udp, tcp] = kinds("chatserver_deliveries_total", "channel", "udp", "tcp");
  assertEquals(udp! + tcp!, 2);
  assertEquals(kinds("chatserver_refused_logins_total", "reason", "wrong-password", "banned"), [
    1,
    0,
  ]);
  assertEquals(kinds("chatserver_logins_total", "kind", "new", "returned"), [2, 0]);
  const of = (...names: string[]) => names.map((name) => values.get(`chatserver_${name}`));
  assertEquals(of("sessions", "users", "accounts", "rooms", "storing"), [2, 2, 2, 1, 1]);
  const [commits, free = NaN] = of("commit_duration_seconds_count", "disk_free_bytes");
  assert(commits! > 0);
  // Whether Windows says is not known.
  assert(free > 0 || Deno.build.os === "windows");
  assert(values.get("process_cpu_seconds_total")! > 0);
  // What is there only at times, or in a cluster, is announced.
  for (const { name } of [...METRICS, COMMITS, LOOP_LAG]) {
    assertMatch(text, new RegExp(`^# TYPE ${name} `, "m"));
  }

  const { port } = new URL(base);
  const refused = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${base}${path}`, init);
    return `${response.status} ${await response.text()}`;
  };
  assertEquals(await refused("/"), "404 there is only /metrics here\n");
  assertEquals(
    await refused("/metrics", { method: "POST" }),
    "405 /metrics can only be read: GET\n",
  );
  const interfaces = Deno.networkInterfaces();
  for (const { address } of interfaces.filter(({ family }) => family === "IPv4")) {
    if (address.startsWith("127.")) continue;
    const outside = await fetch(`http://${address}:${port}/metrics`).catch(() => undefined);
    assertEquals(outside, undefined, address);
  }
  if (interfaces.some(({ address }) => address === "::1")) {
    assertEquals(
      (await fetch(`http://[::1]:${port}/metrics?x`).then((r) => r.text())).length > 0,
      true,
    );
  }
});

Deno.test("who asks for metrics and hangs disturbs nobody", async () => {
  await using folder = await TempFolder.create();
  const { server, clientArgs, base } = await start(folder.path);
  await using _server = server;
  const port = Number(new URL(base).port);
  const hanging: Deno.Conn[] = [];
  for (let i = 0; i < 16; i++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\nHost:"));
    hanging.push(connection);
  }
  // There are no descriptors for more.
  using surplus = await Deno.connect({ hostname: "127.0.0.1", port });
  const ending = async (connection: Deno.Conn) => {
    assertEquals(await connection.read(new Uint8Array(1)).catch(() => null), null);
    return connection;
  };
  const endings = hanging.map(ending);
  assertEquals(await Promise.race([...endings, ending(surplus)]), surplus);
  await using joe = Program.start("client", clientArgs("joe"));
  await joe.type("geheim\nPM\nhello\n");
  await joe.match(/Message sent/);
  // Nobody hangs for ever.
  for (const connection of await Promise.all(endings)) connection.close();
  assertEquals(
    (await fetch(`${base}/metrics`).then((response) => response.text())).length > 0,
    true,
  );
});

Deno.test("--metrics says which port it can't have, and nothing is begun", async () => {
  await using folder = await TempFolder.create();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { code, stderr } = await Program.run("server", [
    "0",
    ...["--data", folder.path, "--metrics", String(port)],
  ]);
  assertEquals(
    [code, stderr],
    [
      4,
      `chatserver: --metrics: port ${port} is in use by another program: choose another one\n`,
    ],
  );
});

Deno.test("the dashboard and the documentation use metrics that there are", async () => {
  const labels = new Map(METRICS.map(({ name, label }) => [name, label]));
  const known = new Set(labels.keys());
  for (const { name } of [COMMITS, LOOP_LAG]) {
    for (const part of ["bucket", "sum", "count"]) known.add(`${name}_${part}`);
  }
  const dashboard = JSON.parse(await read("scripts/grafana.json"));
  const queries = dashboard.panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets
  ) as {
    expr: string;
    legendFormat: string;
  }[];
  assert(queries.length > 30);
  const used = new Set<string>();
  for (const { expr, legendFormat } of queries) {
    const names = expr.match(/\b(?:chatserver|process)_\w+/g) ?? [];
    assert(names.length > 0, expr);
    for (const name of names) {
      assert(known.has(name), `${name} in ${expr}`);
      used.add(name.replace(/_bucket$/, ""));
    }
    const named = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, by]) => by!.split(", "));
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
    for (const label of [...named, ...shown]) {
      const there = label === "instance" || label === "le" ||
        names.some((name) => labels.get(name) === label);
      assert(there, `${label} in ${expr}`);
    }
  }
  const unseen = [...known].filter((name) => !/_(bucket|sum|count)$/.test(name) && !used.has(name));
  assertEquals(unseen, ["chatserver_info"]);
  const documentation = await read("docs/OPERATING.md");
  const documented: string[] = documentation.match(/\b(?:chatserver|process)_\w+/g) ?? [];
  for (const name of [COMMITS.name, LOOP_LAG.name]) known.add(name);
  for (const name of documented) assert(known.has(name), `${name} in docs/OPERATING.md`);
  for (const name of labels.keys()) assert(documented.includes(name), `${name} is not documented`);
});
