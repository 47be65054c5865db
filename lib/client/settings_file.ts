import { join } from "node:path";
import { reasonOf } from "../reasons.ts";
import { type SettingName, SETTINGS, type Settings } from "./settings.ts";
import { changeSettings, emptySettings, readSettings } from "./settings_toml.ts";

/** No settings file is larger, in bytes. */
const MAX_BYTES = 1_048_576;

/** `settings.toml` in the client's configuration folder; it stays open, since later no file can be had. */
export class SettingsFile implements Disposable {
  readonly path: string;
  readonly #file: Deno.FsFile | undefined;
  /** Why it can't be written. */
  readonly #refused: string | undefined;

  private constructor(path: string, file: Deno.FsFile | undefined, refused?: string) {
    this.path = path;
    this.#file = file;
    this.#refused = refused;
  }

  /**
   * @param options whether the file is made where there is none
   */
  static async open(folder: string, { create }: { create: boolean }): Promise<SettingsFile> {
    const path = join(folder, "settings.toml");
    try {
      if (create) await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await Deno.open(path, { read: true, write: true, create, mode: 0o600 });
      return new SettingsFile(path, file);
    } catch (error) {
      if (!create && error instanceof Deno.errors.NotFound) {
        return new SettingsFile(path, undefined);
      }
      const readable = await Deno.open(path).catch(() => undefined);
      return new SettingsFile(path, readable, reasonOf(error));
    }
  }

  /** Explains everything in a file that says nothing yet. @returns whether it was one */
  explain(): boolean {
    if (this.#file === undefined || this.#refused !== undefined) return false;
    if (this.#read().trim() !== "") return false;
    this.#write(emptySettings());
    return true;
  }

  /** Has the settings be what the file says. @returns what is wrong with it */
  load(settings: Settings): string[] {
    if (this.#file === undefined) return [];
    const { values, problems } = readSettings(this.#read());
    for (const name of Object.keys(SETTINGS) as SettingName[]) {
      const value = values[name];
      if (value !== undefined) settings.overrule(name, value);
    }
    return problems.map((problem) => `${this.path}, ${problem}`);
  }

  /** Keeps what the user has changed. @returns why it can't, if so */
  keep({ changes }: Settings): string | undefined {
    if (this.#refused !== undefined) return this.#notKept(this.#refused);
    // The settings of a script last as long as it does.
    if (this.#file === undefined) return undefined;
    try {
      // Another client may have changed it meanwhile.
      this.#write(changeSettings(this.#read(), changes));
      return undefined;
    } catch (error) {
      return this.#notKept(reasonOf(error));
    }
  }

  #notKept(why: string): string {
    return `This is so until you leave: ${this.path} can't be written (${why})`;
  }

  [Symbol.dispose](): void {
    this.#file?.close();
  }

  #read(): string {
    const bytes = new Uint8Array(MAX_BYTES);
    this.#file!.seekSync(0, Deno.SeekMode.Start);
    let length = 0;
    for (let read; (read = this.#file!.readSync(bytes.subarray(length))) !== null && read > 0;) {
      length += read;
    }
    return new TextDecoder().decode(bytes.subarray(0, length));
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#file!.seekSync(0, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) at += this.#file!.writeSync(bytes.subarray(at));
    this.#file!.truncateSync(bytes.length);
  }
}
