import type { Talk } from "../talk.ts";
import type { ChatCommand } from "./table.ts";

/** Every command in a line. */
export function help({ view }: Talk, commands: readonly ChatCommand[]): void {
  const usages = commands.map(({ name, arguments: taken }) => `${name} ${taken}`.trim());
  const width = Math.max(...usages.map((usage) => usage.length));
  view.tell([
    'Commands, with or without a "/":',
    ...commands.map(({ help }, at) => `  ${usages[at]!.padEnd(width)}  ${help}`),
    ...view.compact ? ["Everything else is a message, to whom the prompt says."] : [],
  ]);
}
