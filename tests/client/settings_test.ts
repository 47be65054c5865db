import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  SETTING_NAMES,
  SettingError,
  type SettingName,
  SETTINGS,
  Settings,
} from "../../lib/client/settings.ts";
import { SettingsFile } from "../../lib/client/settings_file.ts";
import { changeSettings, emptySettings, readSettings } from "../../lib/client/settings_toml.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

Deno.test("Settings.set() takes what the table takes, and names what it would be", () => {
  const settings = new Settings();
  assertEquals(settings.get("style"), "classic");
  settings.set("style", SETTINGS.style.parse("COMPACT"));
  settings.set("bell", SETTINGS.bell.parse("off"));
  settings.set("history", SETTINGS.history.parse("5"));
  settings.set("blocked", SETTINGS.blocked.parse("bob, joe"));
  assertEquals([...settings.changes.values()], ["compact", false, 5, ["bob", "joe"]]);
  const wrong: [SettingName, string][] = [["style", "big"], ["bell", "loud"], ["history", "101"]];
  for (const [name, text] of wrong) {
    assertThrows(
      () => settings.set(name, SETTINGS[name].parse(text)),
      SettingError,
      `${name} can be `,
    );
  }
  assertEquals(settings.get("style"), "compact");
});

Deno.test("readSettings() names the line of what is wrong, and takes the rest", () => {
  const { values, problems } = readSettings(
    [
      'style = "compact"',
      "times = = 3",
      "bell = 7",
      "# a comment",
      'colour = "auto"',
      "history = 5",
      'joins = "',
      'blocked = ["bob"]',
    ].join("\n"),
  );
  assertEquals(values, { style: "compact", history: 5, blocked: ["bob"] });
  assertEquals(problems.map((problem) => problem.split(":")[0]).sort(), [
    "line 2",
    "line 3",
    "line 5",
    "line 7",
  ]);
});

Deno.test("readSettings() takes words without quotes, and says what a wrong one could be", () => {
  const { values, problems } = readSettings("style = compact # mine\nbell = off\njoins = maybe\n");
  assertEquals(values, { style: "compact", bell: false });
  assertEquals(problems, ["line 3: joins can be true or false"]);
});

Deno.test("emptySettings() explains every setting, and sets none", () => {
  const text = emptySettings();
  assertEquals(readSettings(text), { values: {}, problems: [] });
  const uncommented = readSettings(text.replaceAll(/^#(?=\w+ = )/gm, ""));
  assertEquals(Object.keys(uncommented.values), SETTING_NAMES);
  assertEquals(uncommented.problems, []);
});

Deno.test("changeSettings() keeps what people wrote, and gives up only what it can't change", () => {
  const text = '# mine\nstyle = "classic" # why\nbell = true\n#times = "short"\n';
  const changes = new Map<SettingName, unknown>([["style", "compact"], ["times", "off"]]);
  assertEquals(
    changeSettings(text, changes),
    '# mine\nstyle = "compact"\nbell = true\ntimes = "off"\n',
  );
  assertEquals(readSettings(changeSettings("", changes)).values, {
    style: "compact",
    times: "off",
  });
  const long = 'blocked = [\n  "bob",\n]\nbell = false\n';
  const changed = changeSettings(long, new Map([["blocked", ['jo"e']]]));
  assertEquals(readSettings(changed), {
    values: { bell: false, blocked: ['jo"e'] },
    problems: [],
  });
});

Deno.test("SettingsFile keeps changes beside those of another client", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("config");
  using file = await SettingsFile.open(path, { create: true });
  assert(file.explain());
  assertEquals(await Deno.readTextFile(file.path), emptySettings());
  using other = await SettingsFile.open(path, { create: true });
  assert(!other.explain());
  const [mine, theirs] = [new Settings(), new Settings()];
  mine.set("style", "compact");
  theirs.set("bell", false);
  assertEquals([file.keep(mine), other.keep(theirs)], [undefined, undefined]);
  const again = new Settings();
  assertEquals(file.load(again), []);
  assertEquals([again.get("style"), again.get("bell"), again.changes.size], ["compact", false, 0]);
});

Deno.test("SettingsFile says what is wrong in which file, and why nothing can be kept", async () => {
  await using folder = await TempFolder.create();
  using none = await SettingsFile.open(folder.file("none"), { create: false });
  assertEquals(none.load(new Settings()), []);
  assertEquals(none.keep(new Settings()), undefined);
  await Deno.writeTextFile(folder.file("file"), "");
  using refused = await SettingsFile.open(folder.file("file"), { create: true });
  assert(refused.keep(new Settings())?.includes("settings.toml can't be written"));
  await Deno.writeTextFile(folder.file("settings.toml"), 'style = "big"\n');
  using file = await SettingsFile.open(folder.path, { create: false });
  assertEquals(file.load(new Settings()), [
    `${folder.file("settings.toml")}, line 1: style can be classic or compact`,
  ]);
});
