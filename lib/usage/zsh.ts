import { type Context, singleQuoted } from "./contexts.ts";
import type { ArgumentSpec, FlagSpec, Offer } from "./table.ts";

/** What completes a program's command lines in zsh: the file `_PROGRAM` of a folder in its `fpath`. */
export function zshCompletion(program: string, contexts: readonly Context[]): string {
  const commands = contexts.map(({ command }) => `'${command}'`).filter((name) => name !== "''");
  return `#compdef ${program}
# Completes the command lines of ${program} in zsh.
_${program}() {
  local command=''
  while (( CURRENT > 2 )); do
    case "$command \${words[2]}" in
      (${commands.join("|")})
        command+=" \${words[2]}"
        shift words
        (( CURRENT -= 1 ))
        ;;
      (*) break ;;
    esac
  done
  case $command in
${contexts.map(branch).join("\n")}
  esac
}
if [[ \${funcstack[1]} == _${program} ]]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi`;
}

function branch({ command, next, arguments: args, flags }: Context): string {
  const specs = [
    ...flags.map(flagSpec),
    ...args.length === 0 && next.length > 0
      ? [`1:command:${words(next.map(({ word }) => word))}`]
      : args.map((arg, index) => argumentSpec(arg, index, index === 0 ? next : [])),
  ];
  const lines = specs.map((spec) => `        ${singleQuoted(spec, "'\\''")}`);
  return `    ('${command}')\n      _arguments -S \\\n${lines.join(" \\\n")}\n      ;;`;
}

function flagSpec({ name, value, what, offer }: FlagSpec): string {
  const text = `[${escaped(what)}]`;
  return value === undefined ? `--${name}${text}` : `--${name}=${text}:${value}:${action(offer)}`;
}

function argumentSpec(
  { name, offer, optional = false }: ArgumentSpec,
  index: number,
  next: Context["next"],
): string {
  const begin = `${index + 1}:${optional ? ":" : ""}${name}:`;
  if (next.length === 0) return `${begin}${action(offer)}`;
  const commands = `commands:command:${words(next.map(({ word }) => word))}`;
  const own = offer === undefined ? "" : ` "values:${name}:${action(offer)}"`;
  return `${begin}{_alternative "${commands}"${own}}`;
}

function action(offer: Offer | undefined): string {
  if (offer === undefined) return " ";
  if (typeof offer !== "string") return words(offer);
  return { folder: "_files -/", file: "_files", host: "_hosts" }[offer];
}

function words(all: readonly string[]): string {
  return `(${all.join(" ")})`;
}

/** Brackets and colons have a meaning in what `_arguments` takes. */
function escaped(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, "\\$&");
}
