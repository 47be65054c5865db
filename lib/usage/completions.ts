import { ExitCode, ExitError } from "../exit.ts";
import { bashCompletion } from "./bash.ts";
import { contextsOf } from "./contexts.ts";
import { fishCompletion } from "./fish.ts";
import { powershellCompletion } from "./powershell.ts";
import { type ProgramSpec, type Shell, SHELLS } from "./table.ts";
import { zshCompletion } from "./zsh.ts";

const GENERATORS = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
  powershell: powershellCompletion,
} satisfies Record<Shell, unknown>;

/**
 * The script that makes a shell complete a program's command lines.
 *
 * @throws {ExitError} `usage`, where the shell is none of {@linkcode SHELLS}
 */
export function completionScript(program: ProgramSpec, shell: string): string {
  const known = SHELLS.find((name) => name === shell);
  if (known !== undefined) return GENERATORS[known](program.name, contextsOf(program));
  throw new ExitError(
    ExitCode.usage,
    `${JSON.stringify(shell)} is no shell that is known here: it is one of ${SHELLS.join(", ")}`,
  );
}
