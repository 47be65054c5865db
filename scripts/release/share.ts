import { CHATCLIENT } from "../../lib/client/usage.ts";
import { CHATSERVER } from "../../lib/server/usage.ts";
import { completionScript } from "../../lib/usage/completions.ts";
import { formatManPage } from "../../lib/usage/man_page.ts";
import type { ProgramSpec, Shell } from "../../lib/usage/table.ts";
import { VERSION } from "../../lib/version.ts";
import type { Entry } from "./archive.ts";

/** Where below `share` each shell looks for what completes a program's command lines. */
const COMPLETIONS: Record<Exclude<Shell, "powershell">, (program: string) => string> = {
  bash: (program) => `bash-completion/completions/${program}`,
  zsh: (program) => `zsh/site-functions/_${program}`,
  fish: (program) => `fish/vendor_completions.d/${program}.fish`,
};

/**
 * The completions and the pages of the manual: files below `share`, as they lie beside a folder `bin`. On
 * Windows nothing looks at such a place, so there it is one file for PowerShell.
 */
export function sharedFiles({ windows }: { windows: boolean }): Entry[] {
  return [CHATSERVER, CHATCLIENT].flatMap((program) =>
    windows
      ? [entry(`${program.name}.completions.ps1`, completionScript(program, "powershell"))]
      : [
        ...Object.entries(COMPLETIONS).map(([shell, place]) =>
          entry(`share/${place(program.name)}`, completionScript(program, shell))
        ),
        entry(`share/man/man1/${program.name}.1`, manPage(program)),
      ]
  );
}

function manPage(program: ProgramSpec): string {
  return formatManPage(program, VERSION).trimEnd();
}

function entry(name: string, text: string): Entry {
  return { name, data: new TextEncoder().encode(`${text}\n`), executable: false };
}
