import { ExitCode, ExitError } from "../../lib/exit.ts";
import type { Target } from "./targets.ts";

/**
 * Checks that the runtime stub which `DENORT_BIN` names is one for `target`: Deno does not look.
 *
 * @throws {ExitError} `unforeseen`
 */
export async function checkStub(target: Target): Promise<void> {
  const path = Deno.env.get("DENORT_BIN");
  if (path === undefined) return;
  const found = targetOf(await firstBytes(path));
  if (found === target) return;
  throw new ExitError(
    ExitCode.unforeseen,
    `DENORT_BIN has to be a runtime stub for ${target}: ${path} is ` +
      (found === undefined ? "no executable" : `one for ${found}`),
  );
}

/** Enough of a file for its header. */
async function firstBytes(path: string): Promise<DataView> {
  const bytes = new Uint8Array(4_096);
  try {
    using file = await Deno.open(path);
    await file.read(bytes);
  } catch (cause) {
    const problem = `DENORT_BIN can't be read: ${(cause as Error).message}`;
    throw new ExitError(ExitCode.unforeseen, problem, { cause });
  }
  return new DataView(bytes.buffer);
}

/** The target of an executable, by its header: ELF, Mach-O or PE. */
export function targetOf(header: DataView): Target | undefined {
  switch (header.getUint32(0)) {
    case 0x7f45_4c46:
      return ({ 0x3e: "x86_64-unknown-linux-gnu", 0xb7: "aarch64-unknown-linux-gnu" } as const)[
        header.getUint16(18, true)
      ];
    case 0xcffa_edfe:
      return ({ 0x0100_0007: "x86_64-apple-darwin", 0x0100_000c: "aarch64-apple-darwin" } as const)[
        header.getUint32(4, true)
      ];
  }
  const start = header.getUint32(0x3c, true);
  const portable = header.getUint16(0) === 0x4d5a && start < header.byteLength - 6;
  if (!portable || header.getUint32(start) !== 0x5045_0000) return undefined;
  return ({ 0x8664: "x86_64-pc-windows-msvc", 0xaa64: "aarch64-pc-windows-msvc" } as const)[
    header.getUint16(start + 4, true)
  ];
}
