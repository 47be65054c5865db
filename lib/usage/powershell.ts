import { type Context, singleQuoted } from "./contexts.ts";

/**
 * What completes a program's command lines in PowerShell. Where it offers nothing, PowerShell offers
 * files.
 */
export function powershellCompletion(program: string, contexts: readonly Context[]): string {
  const commands = contexts.map(({ command }) => quoted(command)).filter((name) => name !== "''");
  return `# Completes the command lines of ${program} in PowerShell.
Register-ArgumentCompleter -Native -CommandName ${program}, ${program}.exe -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $commands = @(${commands.join(", ")})
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
  if ($wordToComplete -and $words.Count -gt 0) {
    $words = @($words | Select-Object -First ($words.Count - 1))
  }
  $command = ''
  foreach ($word in $words) {
    if ($commands -notcontains "$command $word") { break }
    $command = "$command $word"
  }
  $offers = switch ($command) {
${contexts.map(offers).join("\n")}
  }
  for ($i = 0; $i -lt $offers.Count; $i += 2) {
    if ($offers[$i] -like "$wordToComplete*") {
      [System.Management.Automation.CompletionResult]::new(
        $offers[$i], $offers[$i], 'ParameterValue', $offers[$i + 1])
    }
  }
}`;
}

/** Pairs of what is offered and what it is. */
function offers({ command, next, arguments: args, flags }: Context): string {
  const words = args.flatMap(({ offer, what }) =>
    offer === undefined || typeof offer === "string" ? [] : offer.map((word) => [word, what])
  );
  const all = [
    ...next.map(({ word, summary }) => [word, summary]),
    ...words,
    ...flags.map(({ name, what }) => [`--${name}`, what]),
  ];
  const pairs = all.map((pair) => `      ${pair.map((text) => quoted(text!)).join(", ")}`);
  return `    ${quoted(command)} { @(\n${pairs.join(",\n")}\n    ) }`;
}

function quoted(text: string): string {
  return singleQuoted(text, "''");
}
