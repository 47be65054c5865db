import { type Context, singleQuoted, valuedFlags } from "./contexts.ts";
import type { Offer } from "./table.ts";

/** What completes a program's command lines in fish: the file `PROGRAM.fish` of its completions. */
export function fishCompletion(program: string, contexts: readonly Context[]): string {
  const commands = contexts.map(({ command }) => command).filter((name) => name !== "");
  return `# Completes the command lines of ${program} in fish.

# Whether the words before the cursor are of a command, and the next one is its nth argument.
function __${program}_at
    set -l command ''
    set -l position 1
    set -l value no
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test $value = yes
            set value no
        else if test $position = 1; and contains -- "$command $word" ${
    commands.map(quoted).join(" ")
  }
            set command "$command $word"
        else if contains -- $word ${valuedFlags(contexts).join(" ")}
            set value yes
        else if not string match -q -- '-*' $word
            set position (math $position + 1)
        end
    end
    test "$command" = "$argv[1]"; or return 1
    test -z "$argv[2]"; or test $position = "$argv[2]"
end

complete -c ${program} -f
${contexts.flatMap((context) => completions(program, context)).join("\n")}`;
}

function completions(
  program: string,
  { command, next, arguments: args, flags }: Context,
): string[] {
  const at = (position?: number) =>
    `complete -c ${program} -n ${
      quoted([`__${program}_at`, quoted(command), ...position ? [position] : []].join(" "))
    }`;
  return [
    ...next.map(({ word, summary }) => `${at(1)} -a ${word} -d ${quoted(summary)}`),
    ...args.flatMap(({ offer, what }, index) =>
      offer === undefined ? [] : [`${at(index + 1)} -a ${offered(offer)} -d ${quoted(what)}`]
    ),
    ...flags.map(({ name, value, what, offer }) => {
      const values = offer === undefined ? "" : ` -a ${offered(offer)}`;
      const rest = value === undefined ? "" : ` -x${values}`;
      return `${at()} -l ${name}${rest} -d ${quoted(what)}`;
    }),
  ];
}

function offered(offer: Offer): string {
  if (typeof offer !== "string") return quoted(offer.join(" "));
  const command = {
    folder: "__fish_complete_directories",
    file: "__fish_complete_path",
    host: "__fish_print_hostnames",
  }[offer];
  return quoted(`(${command})`);
}

function quoted(text: string): string {
  return singleQuoted(text.replaceAll("\\", "\\\\"), "\\'");
}
