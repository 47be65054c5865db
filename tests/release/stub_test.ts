import { assertEquals } from "@std/assert";
import { targetOf } from "../../scripts/release/stub.ts";
import { HOST } from "../../scripts/release/targets.ts";

/** A header with values at offsets. */
function header(...fields: [offset: number, bytes: number[]][]): DataView {
  const bytes = new Uint8Array(4_096);
  for (const [offset, values] of fields) bytes.set(values, offset);
  return new DataView(bytes.buffer);
}

const ELF: [number, number[]] = [0, [0x7f, 0x45, 0x4c, 0x46]];
const MACH_O: [number, number[]] = [0, [0xcf, 0xfa, 0xed, 0xfe]];
const PORTABLE: [number, number[]][] = [[0, [0x4d, 0x5a]], [0x3c, [0x80]], [0x80, [0x50, 0x45]]];

Deno.test("targetOf() knows the executables of every target", async () => {
  assertEquals(targetOf(header(ELF, [18, [0x3e]])), "x86_64-unknown-linux-gnu");
  assertEquals(targetOf(header(ELF, [18, [0xb7]])), "aarch64-unknown-linux-gnu");
  assertEquals(targetOf(header(MACH_O, [4, [7, 0, 0, 1]])), "x86_64-apple-darwin");
  assertEquals(targetOf(header(MACH_O, [4, [12, 0, 0, 1]])), "aarch64-apple-darwin");
  assertEquals(targetOf(header(...PORTABLE, [0x84, [0x64, 0x86]])), "x86_64-pc-windows-msvc");
  assertEquals(targetOf(header(...PORTABLE, [0x84, [0x64, 0xaa]])), "aarch64-pc-windows-msvc");
  using deno = await Deno.open(Deno.execPath());
  const bytes = new Uint8Array(4_096);
  await deno.read(bytes);
  assertEquals(targetOf(new DataView(bytes.buffer)), HOST);
});

Deno.test("targetOf() takes nothing else for an executable", () => {
  assertEquals(targetOf(header()), undefined);
  assertEquals(targetOf(header(ELF, [18, [0x28]])), undefined);
  assertEquals(targetOf(header([0, [0x4d, 0x5a]], [0x3c, [0xff, 0xff, 0xff, 0xff]])), undefined);
});
