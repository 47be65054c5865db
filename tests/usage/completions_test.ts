// What the shells complete, asked of the shells themselves.
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { CHATCLIENT } from "../../lib/client/usage.ts";
import { ExitError } from "../../lib/exit.ts";
import { CHATSERVER } from "../../lib/server/usage.ts";
import { completionScript } from "../../lib/usage/completions.ts";
import { SHELLS } from "../../lib/usage/table.ts";
import { hasCommand, output } from "../helpers/commands.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const PROGRAMS = [CHATSERVER, CHATCLIENT];

/** A folder with a folder in it for a flag's value, and the scripts for a shell under their names. */
async function scripts(shell: string, name: (program: string) => string): Promise<TempFolder> {
  const folder = await TempFolder.create();
  await Deno.mkdir(folder.file("a folder"));
  await Deno.writeTextFile(folder.file("a file"), "");
  for (const program of PROGRAMS) {
    await Deno.writeTextFile(folder.file(name(program.name)), completionScript(program, shell));
  }
  return folder;
}

Deno.test("completionScript() knows every flag and command, in every shell", () => {
  for (const program of PROGRAMS) {
    for (const shell of SHELLS) {
      const script = completionScript(program, shell);
      for (const { words, flags } of program.commands) {
        for (const word of words) assert(script.includes(word), word);
        for (const { name } of flags) assertMatch(script, new RegExp(`(--|-l )${name}\\b`));
      }
    }
  }
  assertThrows(() => completionScript(CHATSERVER, "tcsh"), ExitError, "one of bash, zsh, fish");
});

/** Command lines that end in what is completed, and what has to be offered. */
const CASES: [words: string[], offered: string[]][] = [
  [["chatserver", "us"], ["users"]],
  [["chatserver", "users", ""], ["add", "list", "passwd", "remove", "role"]],
  [["chatserver", "users", "remove", "--"], [
    "--created-after",
    "--created-before",
    "--data",
    "--dry-run",
    "--help",
    "--version",
  ]],
  [["chatserver", "--max-p"], ["--max-pending", "--max-pending-per-address"]],
  [["chatserver", "1300", "--clo"], ["--closed"]],
  [["chatserver", "users", "list", "--dry"], []],
  [["chatserver", "completions", "f"], ["fish"]],
  [["chatclient", "lab", "1300", "joe", "--fi"], ["--fingerprint"]],
  [["chatclient", "--config", "x", "comp"], ["completions"]],
];

Deno.test({
  name: "bash completes commands, flags and folders",
  ignore: !await hasCommand("bash"),
  async fn() {
    await using folder = await scripts("bash", (program) => program);
    const ask = async (words: readonly string[]) => {
      const script = `cd "$1"; . ./chatserver; . ./chatclient; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$1"; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const offered = await output(["bash", "--norc", "-c", script, "bash", folder.path, ...words]);
      return offered.split("\n").filter((line) => line !== "").toSorted();
    };
    for (const [words, offered] of CASES) assertEquals(await ask(words), offered, words.join(" "));
    for (const value of [["--data", "a"], ["--data", "=", "a"]]) {
      assertEquals(await ask(["chatserver", "1300", ...value]), ["a folder"]);
    }
  },
});

Deno.test({
  name: "shellcheck finds nothing wrong with the scripts for bash",
  ignore: !await hasCommand("shellcheck"),
  async fn() {
    for (const program of PROGRAMS) {
      const input = completionScript(program, "bash");
      assertEquals(await output(["shellcheck", "-"], { input }), "");
    }
  },
});

Deno.test({
  name: "fish completes commands, flags and folders",
  ignore: !await hasCommand("fish"),
  async fn() {
    await using folder = await scripts("fish", (program) => `${program}.fish`);
    const ask = async (words: readonly string[]) => {
      const script =
        `cd $argv[1]; source chatserver.fish; source chatclient.fish; complete -C $argv[2]`;
      const env = { HOME: folder.path, XDG_CONFIG_HOME: folder.path, XDG_DATA_HOME: folder.path };
      const line = words.join(" ");
      const offered = await output(["fish", "--no-config", "-c", script, folder.path, line], {
        env,
      });
      return offered.split("\n").filter((line) => line !== "").map((line) => line.split("\t")[0]!)
        .toSorted();
    };
    for (const [words, offered] of CASES) assertEquals(await ask(words), offered, words.join(" "));
    assertEquals(await ask(["chatserver", "1300", "--data", "a"]), ["a folder/"]);
  },
});

Deno.test({
  name: "zsh completes commands, flags and folders",
  ignore: !await hasCommand("zsh"),
  async fn() {
    await using folder = await scripts("zsh", (program) => `_${program}`);
    // What has been completed is seen by what the program is called with.
    const script = `
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "cd \${(q)1}; fpath=(\\$PWD \\$fpath); autoload -U compinit; compinit -u -D; PROMPT="
      zpty -w shell 'chatserver() { print -r -- "GO""T<\${(j:|:)@}>" }; chatclient() { chatserver "$@" }'
      zpty -w shell 'print -r -- "RE""ADY"'
      zpty -r -m shell text '*READY*'
      zpty -w shell "$2"
      zpty -w shell 'print -r -- "E""ND"'
      zpty -r -m shell text '*END*'
      print -r -- $text`;
    const type = async (line: string) => {
      const text = await output(["zsh", "-f", "-c", script, "zsh", folder.path, line]);
      return /GOT<(.*)>/.exec(text)?.[1] ?? text;
    };
    assertEquals(await type("chatserver us\tli\t"), "users|list");
    assertEquals(await type("chatserver users remove x --dr\t"), "users|remove|x|--dry-run");
    assertEquals(await type("chatserver 1300 --data a\t"), "1300|--data|a folder");
    assertEquals(await type("chatserver 1300 --clo\t"), "1300|--closed");
    assertEquals(await type("chatserver completions f\t"), "completions|fish");
    assertEquals(await type("chatclient lab 1300 joe --fi\tX"), "lab|1300|joe|--fingerprint=X");
    assertEquals(await type("chatclient comp\tz\t"), "completions|zsh");
  },
});

Deno.test({
  name: "PowerShell completes commands and flags",
  ignore: !await hasCommand("pwsh"),
  async fn() {
    await using folder = await scripts("powershell", (program) => `${program}.ps1`);
    for (const [words, offered] of CASES) {
      if (offered.length === 0) continue;
      const line = words.join(" ");
      const script =
        `. '${folder.file("chatserver.ps1")}'; . '${folder.file("chatclient.ps1")}'; ` +
        `(TabExpansion2 -inputScript '${line}' -cursorColumn ${line.length}).CompletionMatches.CompletionText`;
      const found = await output(["pwsh", "-NoProfile", "-Command", script]);
      assertEquals(found.split(/\r?\n/).filter((text) => text !== "").toSorted(), offered, line);
    }
  },
});
