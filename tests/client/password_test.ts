import { assertEquals, assertRejects } from "@std/assert";
import { readPassword } from "../../lib/client/password.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const unix = Deno.build.os !== "windows";

async function write(folder: TempFolder, bytes: string | Uint8Array, mode = 0o600) {
  const path = folder.file("pw");
  const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  await Deno.writeFile(path, data);
  if (unix) await Deno.chmod(path, mode);
  return path;
}

Deno.test("readPassword() takes the first line of a file, whatever its line ending", async () => {
  await using folder = await TempFolder.create();
  for (const text of ["ge heim\n", "ge heim\r\nmore\n", "ge heim"]) {
    assertEquals(await readPassword({ file: await write(folder, text) }), "ge heim");
  }
  assertEquals(await readPassword({}), undefined);
});

Deno.test({
  name: "readPassword() refuses a file that others than its owner can read, and says what to do",
  ignore: !unix,
  async fn() {
    await using folder = await TempFolder.create();
    for (const mode of [0o644, 0o640, 0o604, 0o660]) {
      const file = await write(folder, "geheim\n", mode);
      const error = await assertRejects(() => readPassword({ file }), ExitError, "chmod 600");
      assertEquals(error.exitCode, ExitCode.refused);
    }
  },
});

Deno.test("readPassword() says what is wrong, and never what stands there", async () => {
  await using folder = await TempFolder.create();
  const wrong: [Parameters<typeof readPassword>[0], string][] = [
    [{ file: folder.file("none") }, "can't be read"],
    [{ file: folder.path }, unix ? "is a folder" : "can't be read"],
    [{ file: "a", fd: "3" }, "not both"],
    [{ fd: "three" }, "is no file descriptor"],
    [{ fd: "999999" }, unix ? "no pipe" : "Windows has no file descriptors"],
  ];
  for (const [source, problem] of wrong) {
    const error = await assertRejects(() => readPassword(source), ExitError, problem);
    assertEquals(error.exitCode, ExitCode.usage);
  }
  for (
    const [bytes, problem] of [
      ["", "can't be empty"],
      ["\nsecret", "can't be empty"],
      ["sec\u0007ret", "control characters"],
      ["s".repeat(1_025), "at most 1024 bytes"],
      [Uint8Array.of(0x73, 0xe4, 0x0a), "not valid UTF-8"],
    ] as const
  ) {
    const file = await write(folder, bytes);
    const error = await assertRejects(() => readPassword({ file }), ExitError, problem);
    assertEquals(/sec|sss/.test(error.message), false);
  }
});
