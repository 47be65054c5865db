import {
  describeValue,
  isSettingName,
  SETTING_NAMES,
  SettingError,
  SETTINGS,
  type SettingValues,
} from "../settings.ts";
import { InputError, type Talk } from "../talk.ts";

/** `SE` shows the settings, `SE name` one of them, `SE name value` changes it for good. */
export function settings(talk: Talk, rest: string): void {
  const { settings, view } = talk;
  const [, name = "", value = ""] = /^(\S*)[\s=]*(.*)$/s.exec(rest) ?? [];
  if (name === "") return view.tell(SETTING_NAMES.flatMap((name) => describe(talk, name)));
  const wanted = name.toLowerCase().replace("colour", "color");
  if (!isSettingName(wanted)) {
    throw new InputError(`There is no setting ${name}: they are ${SETTING_NAMES.join(", ")}`);
  }
  if (value === "") return view.tell(describe(talk, wanted));
  try {
    settings.set(wanted, SETTINGS[wanted].parse(value));
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw new InputError(error.message);
  }
  view.tell([`${wanted} = ${describeValue(settings.get(wanted))}`]);
  const problem = talk.keepSettings();
  if (problem !== undefined) view.complain(problem);
}

function describe({ settings }: Talk, name: keyof SettingValues): string[] {
  const { takes, help } = SETTINGS[name];
  return [`${name} = ${describeValue(settings.get(name))}`, `      ${help} (${takes})`];
}

/** Until the user leaves; `SE style compact` is for good. */
export function switchStyle({ settings }: Talk, style: SettingValues["style"]): void {
  settings.overrule("style", style);
}
