import type { CommandLine } from "../../command_line.ts";
import type { Console } from "../../console/console.ts";
import { ExitCode, ExitError } from "../../exit.ts";
import { SETTINGS, type Settings, type SettingValues } from "../settings.ts";
import { SettingsFile } from "../settings_file.ts";
import { configFolderOf } from "./joining.ts";

/** @throws {ExitError} `usage`, where a flag that stands for a setting has a wrong value */
export function checkSettingFlags({ options: { color } }: CommandLine): void {
  const { accepts, takes } = SETTINGS.color;
  if (color !== undefined && !accepts(color)) {
    throw new ExitError(ExitCode.usage, `--color can be ${takes}`);
  }
}

/**
 * Has the settings be what file and flags say, in this order, and says what is wrong with the file.
 *
 * @returns the file, which stays open; undefined where there is no place for it
 */
export async function loadSettings(
  settings: Settings,
  { commandLine, screen, onTerminal }: {
    commandLine: CommandLine;
    screen: Console;
    onTerminal: boolean;
  },
): Promise<SettingsFile | undefined> {
  const folder = configFolderOf(commandLine);
  const file = folder === undefined
    ? undefined
    : await SettingsFile.open(folder, { create: onTerminal });
  for (const problem of file?.load(settings) ?? []) screen.complain(problem);
  // Scripts know the classic dialogue, whatever their user likes to see.
  if (!onTerminal) settings.overrule("style", "classic");
  const { flags, options: { color } } = commandLine;
  if (flags.has("compact")) settings.overrule("style", "compact");
  if (color !== undefined) settings.overrule("color", color as SettingValues["color"]);
  return file;
}
