import { MAX_HISTORY } from "../protocol/limits.ts";

/** What a user may set, for good. */
export interface SettingValues {
  style: "classic" | "compact";
  times: "off" | "short" | "full";
  color: "auto" | "always" | "never";
  bell: boolean;
  notifications: "off" | "osc9" | "osc777";
  joins: boolean;
  history: number;
  blocked: readonly string[];
}
export type SettingName = keyof SettingValues;

/** One setting. */
interface Setting<T> {
  initial: T;
  /** What it may be, for people. */
  takes: string;
  help: string;
  /** Whether a value of a settings file is one. */
  accepts: (value: unknown) => boolean;
  /** The value that somebody typed; what is none is given back as it is. */
  parse: (text: string) => unknown;
}

function choice<const T extends string>(words: readonly T[], initial: T, help: string): Setting<T> {
  return {
    initial,
    takes: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
    help,
    accepts: (value) => words.includes(value as T),
    parse: (text) => text.toLowerCase(),
  };
}

function onOff(initial: boolean, help: string): Setting<boolean> {
  return {
    initial,
    takes: "on or off",
    help,
    accepts: (value) => typeof value === "boolean",
    parse: (text) =>
      ({ on: true, true: true, yes: true, off: false, false: false, no: false })[
        text.toLowerCase()
      ] ?? text,
  };
}

/** The one table of settings. */
export const SETTINGS: { readonly [N in SettingName]: Setting<SettingValues[N]> } = {
  style: choice(
    ["classic", "compact"],
    "classic",
    "how messages are shown on a terminal: in several lines, or in one",
  ),
  times: choice(["off", "short", "full"], "short", "what compact messages begin with"),
  color: choice(["auto", "always", "never"], "auto", "whether names have colours"),
  bell: onOff(true, "a bell for direct messages, and where your name is mentioned"),
  notifications: choice(
    ["off", "osc9", "osc777"],
    "off",
    "the same as notifications, of the kind that your terminal shows",
  ),
  joins: onOff(true, "whether compact says who comes and goes"),
  history: {
    initial: 20,
    takes: `0 to ${MAX_HISTORY}`,
    help: "so many of the last messages compact shows at login",
    accepts: (value) =>
      Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_HISTORY,
    parse: (text) => /^\d+$/.test(text) ? Number(text) : text,
  },
  blocked: {
    initial: [],
    takes: "names",
    help: "whose messages are not shown",
    accepts: (value) =>
      Array.isArray(value) && value.every((name) => typeof name === "string" && name !== ""),
    parse: (text) => text.split(/[\s,]+/).filter((name) => name !== ""),
  },
};

/** The names of all settings, in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

/** What is no value of a setting; the text says what would be. */
export class SettingError extends Error {
  override name = "SettingError";
}

/** The settings of the moment. */
export class Settings {
  readonly #values = new Map<SettingName, unknown>();
  readonly #changes = new Map<SettingName, unknown>();

  get<N extends SettingName>(name: N): SettingValues[N] {
    return (this.#values.get(name) ?? SETTINGS[name].initial) as SettingValues[N];
  }

  /** What the user has changed for good since the program began. */
  get changes(): ReadonlyMap<SettingName, unknown> {
    return this.#changes;
  }

  /** What a settings file says, or a flag until the program ends. */
  overrule<N extends SettingName>(name: N, value: SettingValues[N]): void {
    this.#values.set(name, value);
  }

  /**
   * Changes a setting, for good.
   *
   * @throws {SettingError} where the value is none
   */
  set(name: SettingName, value: unknown): void {
    const { accepts, takes } = SETTINGS[name];
    if (!accepts(value)) throw new SettingError(`${name} can be ${takes}`);
    this.#values.set(name, value);
    this.#changes.set(name, value);
  }
}

/** A setting's value for people. */
export function describeValue(value: SettingValues[SettingName]): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "object") return value.length === 0 ? "nobody" : value.join(" ");
  return `${value}`;
}
