import { parse, TomlError } from "smol-toml";
import {
  isSettingName,
  SETTING_NAMES,
  type SettingName,
  SETTINGS,
  type SettingValues,
} from "./settings.ts";

/** What a settings file says. */
export interface ReadSettings {
  values: Partial<SettingValues>;
  /** What is wrong with it, each with its line. */
  problems: string[];
}

/** Reads a settings file. What is wrong is left out, and the rest counts. */
export function readSettings(text: string): ReadSettings {
  const { table, problems } = parseLines(text);
  const values: Record<string, unknown> = {};
  for (const [name, written] of Object.entries(table)) {
    if (!isSettingName(name)) {
      problems.push(at(text, name, `there is no setting ${JSON.stringify(name)}`));
      continue;
    }
    // "on" is as good as true.
    const isWord = typeof SETTINGS[name].initial === "boolean" && typeof written === "string";
    const value = isWord ? SETTINGS[name].parse(written) : written;
    if (!SETTINGS[name].accepts(value)) {
      problems.push(at(text, name, `${name} can be ${takesInFile(name)}`));
    } else values[name] = value;
  }
  return { values: values as Partial<SettingValues>, problems };
}

/** Parses again and again, each time without the line that was wrong. */
function parseLines(text: string): { table: Record<string, unknown>; problems: string[] } {
  const lines = text.split("\n");
  const problems: string[] = [];
  for (;;) {
    try {
      return { table: parse(lines.join("\n")), problems };
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const line = Math.min(error.line, lines.length);
      // An error without a line to leave out would be found again for ever.
      const wrong = lines[line - 1]?.trim() === ""
        ? lines.findLastIndex((line) => line.trim() !== "")
        : line - 1;
      if (wrong < 0) return { table: {}, problems };
      const quoted = withQuotes(lines[wrong]!);
      if (quoted !== undefined) {
        lines[wrong] = quoted;
        continue;
      }
      problems.push(
        `line ${wrong + 1}: ${error.message.split("\n")[0]}`.replace("Invalid TOML document: ", ""),
      );
      lines[wrong] = "";
    }
  }
}

/** A line `style = compact` as TOML has it; undefined where it is none. */
function withQuotes(line: string): string | undefined {
  const [, name, word, rest] = /^(\s*\w+\s*=\s*)([A-Za-z]\w*)(\s*(?:#.*)?)$/.exec(line) ?? [];
  return word === undefined ? undefined : `${name}"${word}"${rest}`;
}

function takesInFile(name: SettingName): string {
  const { initial, takes } = SETTINGS[name];
  return typeof initial === "boolean" ? "true or false" : takes;
}

function at(text: string, name: string, problem: string): string {
  const line = text.split("\n").findIndex((line) => assigns(line, name));
  return line < 0 ? problem : `line ${line + 1}: ${problem}`;
}

function assigns(line: string, name: string): boolean {
  const key = line.split("=")[0]!.trim();
  return line.includes("=") && (key === name || key === JSON.stringify(name));
}

/** A settings file in which nothing is set, and everything explained. */
export function emptySettings(): string {
  const entries = SETTING_NAMES.map((name) => {
    const { help, initial } = SETTINGS[name];
    return `# ${help}\n# (${takesInFile(name)})\n#${entry(name, initial)}\n`;
  });
  return [
    '# Settings of chatclient. In the chat "SE name value" changes them, and flags come before them.\n',
    ...entries,
  ].join("\n");
}

/** A settings file with other values; everything else in it stays as it is, if that can be done. */
export function changeSettings(text: string, changes: ReadonlyMap<SettingName, unknown>): string {
  const before = readSettings(text);
  const wanted = { ...before.values, ...Object.fromEntries(changes) };
  const lines = text.split("\n");
  for (const [name, value] of changes) put(lines, name, value);
  const changed = lines.join("\n");
  const result = readSettings(changed);
  const isClean = result.problems.length <= before.problems.length;
  if (isClean && sameValues(result.values, wanted)) return changed;
  // It is written in a way that can't be changed line by line.
  const fresh = emptySettings().split("\n");
  for (const [name, value] of Object.entries(wanted)) put(fresh, name as SettingName, value);
  return fresh.join("\n");
}

/** In the line that sets it, or that explains how, or at the end of what stands before all tables. */
function put(lines: string[], name: SettingName, value: unknown): void {
  const set = lines.findIndex((line) => assigns(line, name));
  const explained = lines.findIndex((line) => assigns(line.replace(/^\s*#\s*/, ""), name));
  const at = set >= 0 ? set : explained;
  if (at >= 0) lines[at] = entry(name, value);
  else lines.unshift(entry(name, value));
}

function entry(name: string, value: unknown): string {
  const written = Array.isArray(value)
    ? `[${value.map((item) => JSON.stringify(item)).join(", ")}]`
    : JSON.stringify(value);
  return `${name} = ${written}`;
}

function sameValues(a: Partial<SettingValues>, b: Partial<SettingValues>): boolean {
  return SETTING_NAMES.every((name) => JSON.stringify(a[name]) === JSON.stringify(b[name]));
}
