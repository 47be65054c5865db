import { legibleLine } from "../../console/foreign.ts";
import type { Talk } from "../talk.ts";
import { listed } from "../view.ts";
import type { ChatCommand } from "./table.ts";

/** Who is here. */
export async function who({ client, view }: Talk): Promise<void> {
  const users = await client.users();
  view.here.set(users);
  if (view.compact) return view.tell([`${users.length} here: ${listed(users)}`]);
  view.tell(["Active users:", ...users.map((user) => `         ${legibleLine(user)}`)]);
}

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
