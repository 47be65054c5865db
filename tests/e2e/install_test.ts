// The installer, against a server for files on this machine and in a home of the test's own.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { VERSION } from "../../lib/version.ts";
import { tarGz } from "../../scripts/release/archive.ts";
import { archiveName, archiveStem, executableName, HOST } from "../../scripts/release/targets.ts";
import { type Answer, type Bytes, filesBelow, Releases } from "../helpers/releases.ts";
import { hasCommand, output } from "../helpers/commands.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ARCHIVE = archiveName(HOST);

/** An archive as a release has it, with scripts in place of the executables. */
async function smallArchive(version = VERSION): Promise<Bytes> {
  const script = (text: string) => new TextEncoder().encode(`#!/bin/sh\necho ${text}\n`);
  return await tarGz(
    archiveStem(HOST),
    (["chatserver", "chatclient"] as const).map((program) => ({
      name: executableName(program, HOST),
      data: script(`${program} ${version}`),
      executable: true,
    })),
  );
}

async function sumsOf(archive: Bytes): Promise<Bytes> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", archive)).toHex();
  return new TextEncoder().encode(`${hash}  ${ARCHIVE}\n`);
}

/** Releases with just one version. */
async function latest(archive: Bytes, served: () => Answer = () => archive): Promise<Releases> {
  const sums = await sumsOf(archive);
  return new Releases({
    "/latest/download/SHA256SUMS": () => sums,
    [`/latest/download/${ARCHIVE}`]: served,
  });
}

/** Runs the installer as `curl ... | sh` does. */
async function install(
  home: string,
  args: readonly string[],
  { as = [], env = {} }: { as?: readonly string[]; env?: Record<string, string> } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [command, ...first] = [...as, "sh", "-s", "--"];
  const installer = new Deno.Command(command!, {
    args: [...first, ...args],
    cwd: home,
    clearEnv: true,
    env: { HOME: home, PATH: Deno.env.get("PATH")!, ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = installer.stdin.getWriter();
  await input.write(await Deno.readFile(`${root}scripts/install.sh`));
  await input.close();
  const { code, stdout, stderr } = await installer.output();
  const [said, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: said!, stderr: complained! };
}

async function versionOf(executable: string): Promise<string> {
  const { stdout } = await new Deno.Command(executable, { args: ["--version"] }).output();
  return new TextDecoder().decode(stdout).trim();
}

const BOTH = [".local/bin/chatclient", ".local/bin/chatserver"];

Deno.test("install.sh installs what was compiled, and says what it did", async () => {
  await using home = await TempFolder.create();
  const archive = await Deno.readFile(`${root}dist/${ARCHIVE}`);
  const sums = await Deno.readFile(`${root}dist/SHA256SUMS`);
  await using releases = new Releases({
    "/latest/download/SHA256SUMS": () => sums,
    [`/latest/download/${ARCHIVE}`]: () => archive,
  });
  const { code, stdout, stderr } = await install(home.path, [], {
    env: { CHAT_RELEASES: releases.url },
  });
  assertEquals([code, stderr], [0, ""]);
  const share = [
    "bash-completion/completions/chatclient",
    "bash-completion/completions/chatserver",
    "fish/vendor_completions.d/chatclient.fish",
    "fish/vendor_completions.d/chatserver.fish",
    "man/man1/chatclient.1",
    "man/man1/chatserver.1",
    "zsh/site-functions/_chatclient",
    "zsh/site-functions/_chatserver",
  ].map((path) => `.local/share/${path}`);
  assertEquals(filesBelow(home.path), [...BOTH, ...share]);
  const bin = `${home.path}/.local/bin`;
  const [server, client] = [
    await versionOf(`${bin}/chatserver`),
    await versionOf(`${bin}/chatclient`),
  ];
  assertMatch(server, new RegExp(`^chatserver ${VERSION} \\(commit \\S+, Deno \\S+\\)$`));
  assertEquals(
    stdout,
    `Downloading ${releases.url}/latest/download/${ARCHIVE}
Installed ${bin}/chatserver: ${server}
Installed ${bin}/chatclient: ${client}
Installed completions and man pages in ${home.path}/.local/share
To call them by name, put this into your profile:
  export PATH="${bin}:$PATH"
`,
  );
});

Deno.test("install.sh puts completions where the shells of the user look, and tells zsh's", async () => {
  await using home = await TempFolder.create();
  const archive = await Deno.readFile(`${root}dist/${ARCHIVE}`);
  await using releases = await latest(archive);
  const { stdout } = await install(home.path, ["--from", releases.url], {
    env: { SHELL: "/usr/bin/zsh" },
  });
  const share = `${home.path}/.local/share`;
  assert(stdout.includes(`\n  fpath=("${share}/zsh/site-functions" $fpath)\n`), stdout);
  const env = { HOME: home.path, PATH: `${home.path}/.local/bin:${Deno.env.get("PATH")}` };
  // bash-completion loads the file when the command is completed for the first time.
  const bash = `. /usr/share/bash-completion/bash_completion; _completion_loader chatserver;
    COMP_WORDS=(chatserver us); COMP_CWORD=1; _chatserver; echo "\${COMPREPLY[@]}"`;
  const asked: [[string, ...string[]], RegExp][] = [
    [["bash", "--norc", "-c", bash], /^users\n$/],
    [["fish", "-c", "complete -C 'chatserver us'"], /^users\t/],
    [["man", "-w", "chatserver"], /\/\.local\/share\/man\/man1\/chatserver\.1\n$/],
  ];
  for (const [command, expected] of asked) {
    if (await hasCommand(command[0])) assertMatch(await output(command, { env }), expected);
  }
});

Deno.test("install.sh replaces an old version, of the version and in the folder it is told", async () => {
  await using home = await TempFolder.create();
  const [old, archive] = [await smallArchive("0.0.1"), await smallArchive()];
  const [oldSums, sums] = [await sumsOf(old), await sumsOf(archive)];
  await using releases = new Releases({
    "/download/v0.0.1/SHA256SUMS": () => oldSums,
    [`/download/v0.0.1/${ARCHIVE}`]: () => old,
    [`/download/v${VERSION}/SHA256SUMS`]: () => sums,
    [`/download/v${VERSION}/${ARCHIVE}`]: () => archive,
  });
  const bin = home.file("my own programs");
  const from = ["--from", releases.url, "--dir", bin];
  assertEquals((await install(home.path, [...from, "--version", "0.0.1"])).code, 0);
  assertEquals(await versionOf(`${bin}/chatserver`), "chatserver 0.0.1");
  const { stdout } = await install(home.path, [...from, "--version", `v${VERSION}`], {
    env: { PATH: `${Deno.env.get("PATH")}:${bin}` },
  });
  assertEquals(stdout.split("\n").slice(1), [
    `Replaced ${bin}/chatserver: chatserver ${VERSION}`,
    `Replaced ${bin}/chatclient: chatclient ${VERSION}`,
    "",
  ]);
  assertEquals(await versionOf(`${bin}/chatclient`), `chatclient ${VERSION}`);
  assertEquals(filesBelow(home.path), ["my own programs/chatclient", "my own programs/chatserver"]);
});

Deno.test("install.sh refuses what is not what it should be, and leaves the old version", async () => {
  await using home = await TempFolder.create();
  const archive = await smallArchive();
  const half = archive.slice(0, archive.length / 2);
  const cut = () => {
    const chunks = [half];
    return new Response(
      new ReadableStream({
        pull(controller) {
          const chunk = chunks.pop();
          if (chunk === undefined) controller.error(new Error("the line is cut, as it should be"));
          else controller.enqueue(chunk);
        },
      }),
    );
  };
  const wrong: [string, () => Answer, RegExp][] = [
    ["a changed byte", () => archive.map((byte, at) => at === 99 ? byte ^ 1 : byte), /is not what/],
    [
      "half of it, said to be all",
      () => half,
      /is not what it should be, so nothing was installed/,
    ],
    ["half of it, and the connection lost", cut, /can't be downloaded whole/],
    ["nothing", () => new Response(null, { status: 404 }), /can't be downloaded whole/],
  ];
  {
    await using good = await latest(await smallArchive("0.0.1"));
    assertEquals((await install(home.path, ["--from", good.url])).code, 0);
  }
  for (const [what, served, problem] of wrong) {
    await using bad = await latest(archive, served);
    const { code, stderr } = await install(home.path, ["--from", bad.url]);
    assertEquals(code, 1, what);
    assertMatch(stderr, problem);
    assertEquals(filesBelow(home.path), BOTH, what);
    assertEquals(await versionOf(home.file(BOTH[1]!)), "chatserver 0.0.1", what);
  }
  console.log(`    ${wrong.length} bad downloads refused`);
});

Deno.test("install.sh says that it can't write its folder", async () => {
  await using home = await TempFolder.create();
  await using releases = await latest(await smallArchive());
  await Deno.writeTextFile(home.file("file"), "");
  await Deno.mkdir(home.file("locked"), { mode: 0o555 });
  await Deno.chmod(home.path, 0o755);
  // Root may write everywhere, so somebody else has to try.
  const as = Deno.uid() === 0
    ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    : [];
  const wrong: [string, RegExp][] = [
    [home.file("file"), /file can't be made: --dir names another folder/],
    [home.file("file/below"), /below can't be made/],
    [home.file("locked"), /locked can't be written: --dir names another folder/],
    [home.file("locked/below"), /below can't be made/],
  ];
  for (const [dir, problem] of wrong) {
    const { code, stderr } = await install(home.path, ["--from", releases.url, "--dir", dir], {
      as,
    });
    assertEquals(code, 1, dir);
    assertMatch(stderr, problem);
    assertMatch(stderr, /^install\.sh: [^\n]+\n$/);
    assertEquals(filesBelow(home.path), ["file"]);
  }
});

Deno.test("install.sh says what is wrong with its command line or the releases", async () => {
  await using home = await TempFolder.create();
  const sums = new TextEncoder().encode(`${"0".repeat(64)}  chat-${VERSION}-plan9-mips.tar.gz\n`);
  await using releases = new Releases({ "/latest/download/SHA256SUMS": () => sums });
  const from = ["--from", releases.url];
  const wrong: [string[], number, RegExp][] = [
    [[], 2, /--from has to name the page of the releases/],
    [["--from"], 2, /--from needs a value/],
    [["--colour"], 2, /there is no --colour/],
    [[...from, "--version", "../1"], 2, /"\.\.\/1" is no version/],
    [from, 1, /there is no release for \S+ at/],
    [[...from, "--version", "9.9.9"], 1, /v9\.9\.9\/SHA256SUMS can't be downloaded/],
  ];
  for (const [args, code, problem] of wrong) {
    const result = await install(home.path, args);
    assertEquals(result.code, code, args.join(" "));
    assertMatch(result.stderr, problem);
    assert(filesBelow(home.path).length === 0);
  }
});
