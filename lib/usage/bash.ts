import { type Context, valuedFlags } from "./contexts.ts";
import type { Offer } from "./table.ts";

/** What completes a program's command lines in bash, from 3.2 on: macOS has no newer one. */
export function bashCompletion(program: string, contexts: readonly Context[]): string {
  const commands = contexts.map(({ command }) => `'${command}'`).filter((name) => name !== "''");
  return `# Completes the command lines of ${program} in bash.
# shellcheck shell=bash disable=SC2207
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' position=1 i IFS=$' \\n'
  # "--flag=value" is three words.
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command \${COMP_WORDS[i]}" in
      ${commands.join(" | ")}) command+=" \${COMP_WORDS[i]}" ;;
      *) break ;;
    esac
  done
  for (( ; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${valuedFlags(contexts).join(" | ")})
        if [[ \${COMP_WORDS[i + 1]} == = ]]; then ((i += 2)); else ((i += 1)); fi
        ;;
      -*) ;;
      *) ((position += 1)) ;;
    esac
  done
  COMPREPLY=()
  case "$command $previous" in
${contexts.flatMap(values).join("\n")}
  esac
  if [[ $current == -* ]]; then
    case $command in
${contexts.map(flags).join("\n")}
    esac
    return
  fi
  case "$command $position" in
${contexts.flatMap(positions).join("\n")}
  esac
}
complete -F _${program} ${program}`;
}

/** What is offered as the value of each flag. */
function values({ command, flags }: Context): string[] {
  return flags.filter(({ value }) => value !== undefined).map(({ name, offer }) =>
    `    '${command} --${name}') ${offer === undefined ? "" : `${offered(offer)}; `}return ;;`
  );
}

function flags({ command, flags }: Context): string {
  const names = flags.map(({ name }) => `--${name}`).join(" ");
  return `      '${command}') ${offered(names.split(" "))} ;;`;
}

function positions({ command, next, arguments: args }: Context): string[] {
  const first = [
    ...args[0]?.offer === undefined ? [] : [offered(args[0].offer)],
    ...next.length === 0 ? [] : [offered(next.map(({ word }) => word))],
  ];
  const others = args.slice(1).map(({ offer }) => offer === undefined ? [] : [offered(offer)]);
  return [first, ...others].map((lines, index) => ({ lines, position: index + 1 }))
    .filter(({ lines }) => lines.length > 0)
    .map(({ lines, position }) => `    '${command} ${position}') ${lines.join("; ")} ;;`);
}

/** Adds what is offered to the replies. */
function offered(offer: Offer): string {
  if (typeof offer !== "string") {
    return `COMPREPLY+=($(compgen -W '${offer.join(" ")}' -- "$current"))`;
  }
  if (offer === "host") return 'COMPREPLY+=($(compgen -A hostname -- "$current"))';
  const action = offer === "folder" ? "-d" : "-f";
  // Names of files have blanks in them; bash 3.2 has no compopt.
  return `IFS=$'\\n' COMPREPLY+=($(compgen ${action} -- "$current")); ` +
    "compopt -o filenames 2>/dev/null || :";
}
