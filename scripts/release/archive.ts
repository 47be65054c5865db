import { createHash } from "node:crypto";
import { join } from "node:path";
import { SOURCE_TIME } from "./bundle.ts";
import { packTar, type Zippable, zipSync } from "./packages.ts";

/** A file of an archive. */
export interface Entry {
  name: string;
  data: Uint8Array<ArrayBuffer>;
  /** Whether it is to be run. */
  executable: boolean;
}

/** A zip file has times without a zone: the clock on the wall shows the same everywhere. */
const ZIP_TIME = new Date(2000, 0, 1);

const mode = ({ executable }: Entry) => executable ? 0o755 : 0o644;

/** The bytes of a `.tar.gz` with a folder in which the files are. */
export async function tarGz(
  folder: string,
  entries: readonly Entry[],
): Promise<Uint8Array<ArrayBuffer>> {
  const tar = await packTar(entries.map((entry) => ({
    header: {
      name: `${folder}/${entry.name}`,
      size: entry.data.length,
      mode: mode(entry),
      mtime: SOURCE_TIME,
      uid: 0,
      gid: 0,
    },
    body: entry.data,
  })));
  return await new Response(new Blob([tar]).stream().pipeThrough(new CompressionStream("gzip")))
    .bytes();
}

/** The bytes of a `.zip` with a folder in which the files are. */
export function zip(folder: string, entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const files = entries.map((entry) => {
    // Made by Unix, so that who unpacks it there gets executables.
    const attributes = { mtime: ZIP_TIME, os: 3, attrs: (0o100_000 | mode(entry)) << 16 };
    return [`${folder}/${entry.name}`, [entry.data, attributes]] as const;
  });
  return zipSync(Object.fromEntries(files) as unknown as Zippable);
}

/** What `sha256sum` would print for files of a folder. */
export async function sha256Sums(folder: string, names: readonly string[]): Promise<string> {
  const lines = [];
  for (const name of names.toSorted()) {
    const hash = createHash("sha256").update(await Deno.readFile(join(folder, name)));
    lines.push(`${hash.digest("hex")}  ${name}\n`);
  }
  return lines.join("");
}
