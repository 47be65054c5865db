import type { ClusterOptions } from "../cluster/cluster.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { reasonOf } from "../reasons.ts";

const NATS_PORT = 4_222;

/**
 * Reads the flags of a cluster, and the files that they name.
 *
 * @returns undefined where there are none
 * @throws {ExitError} `usage`, where an address is none, or one flag lacks the other; `refused`, where a file can't be
 *   read or is no such file
 */
export async function parseClusterFlags(
  options: Record<string, string>,
): Promise<Omit<ClusterOptions, "clock" | "log"> | undefined> {
  const {
    cluster: addresses,
    "cluster-credentials": credentials,
    "cluster-ca": ca,
  } = options;
  if (addresses === undefined) {
    const lonely = credentials === undefined ? ca === undefined ? undefined : "ca" : "credentials";
    if (lonely === undefined) return undefined;
    throw new ExitError(ExitCode.usage, `--cluster-${lonely} needs --cluster nats://host:4222`);
  }
  return {
    servers: addresses.split(",").map(parseAddress),
    credentials: credentials && await readFile("cluster-credentials", credentials, {
      form: /-----BEGIN NATS USER JWT-----|^\s*SU[A-Z2-7]{56}\s*$/,
      what: "a NATS credentials file, nor the seed of a user's nkey",
    }),
    ca: ca && await readFile("cluster-ca", ca, {
      form: /-----BEGIN CERTIFICATE-----/,
      what: "a certificate in PEM",
    }),
  };
}

/** `nats://host:4222`, where the scheme and the port may be left out. */
function parseAddress(text: string): string {
  const given = text.trim();
  const url = URL.parse(given.includes("://") ? given : `nats://${given}`);
  const fine = url !== null && /^(nats|tls):$/.test(url.protocol) && url.hostname !== "" &&
    /^\/?$/.test(url.pathname) && url.search === "" && url.hash === "";
  if (fine && url.username === "" && url.password === "") {
    return `${url.hostname}:${url.port || NATS_PORT}`;
  }
  const why = fine
    ? "holds a password, which everybody on this machine could read: put it into a file, and name " +
      "that with --cluster-credentials"
    : "is no address of a NATS server such as nats://host:4222";
  throw new ExitError(
    ExitCode.usage,
    `--cluster: ${fine ? "an address" : JSON.stringify(text)} ${why}`,
  );
}

async function readFile(
  flag: string,
  path: string,
  { form, what }: { form: RegExp; what: string },
): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    const problem = `--${flag}: ${JSON.stringify(path)} can't be read: ${reasonOf(cause)}`;
    throw new ExitError(ExitCode.refused, problem, { cause });
  }
  if (form.test(text)) return text;
  throw new ExitError(ExitCode.refused, `--${flag}: ${JSON.stringify(path)} is not ${what}`);
}
