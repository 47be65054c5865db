import { assertEquals, assertRejects } from "@std/assert";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { parseClusterFlags } from "../../lib/server/cluster_flags.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

Deno.test("parseClusterFlags() reads addresses and files", async () => {
  await using folder = await TempFolder.create();
  const ca = folder.file("ca.pem");
  await Deno.writeTextFile(ca, "-----BEGIN CERTIFICATE-----\n");
  const seed = folder.file("seed");
  await Deno.writeTextFile(seed, `SU${"A".repeat(56)}\n`);
  assertEquals(await parseClusterFlags({}), undefined);
  assertEquals(
    await parseClusterFlags({ cluster: "nats://a:4222, tls://b:1,10.0.0.3,nats://[::1]" }),
    {
      servers: ["a:4222", "b:1", "10.0.0.3:4222", "[::1]:4222"],
      credentials: undefined,
      ca: undefined,
    },
  );
  assertEquals(
    await parseClusterFlags({
      cluster: "a",
      "cluster-credentials": seed,
      "cluster-ca": ca,
    }),
    {
      servers: ["a:4222"],
      credentials: `SU${"A".repeat(56)}\n`,
      ca: "-----BEGIN CERTIFICATE-----\n",
    },
  );
});

Deno.test("parseClusterFlags() says what is wrong", async () => {
  await using folder = await TempFolder.create();
  const file = folder.file("words");
  await Deno.writeTextFile(file, "words");
  const cases: [Record<string, string>, ExitCode, string][] = [
    [{ cluster: "" }, ExitCode.usage, '--cluster: "" is no address of a NATS server such as'],
    [{ cluster: "http://a:80" }, ExitCode.usage, '"http://a:80" is no address'],
    [{ cluster: "nats://a/b" }, ExitCode.usage, '"nats://a/b" is no address'],
    [{ cluster: "nats://a:99999" }, ExitCode.usage, "is no address"],
    [{ cluster: "nats://joe:secret@a" }, ExitCode.usage, "an address holds a password"],
    [{ "cluster-ca": file }, ExitCode.usage, "--cluster-ca needs --cluster nats://host:4222"],
    [{ cluster: "a", "cluster-ca": file }, ExitCode.refused, "is not a certificate in PEM"],
    [{ cluster: "a", "cluster-ca": "/no/file" }, ExitCode.refused, '"/no/file" can\'t be read'],
    [{ cluster: "a", "cluster-credentials": file }, ExitCode.refused, "is not a NATS credentials"],
  ];
  for (const [options, code, what] of cases) {
    const error = await assertRejects(() => parseClusterFlags(options), ExitError, what);
    assertEquals(error.exitCode, code);
    assertEquals(error.message.includes("secret"), false);
  }
});
