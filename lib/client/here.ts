import { foldUsername } from "../protocol/names.ts";
import type { Crowd, PresenceChange } from "../protocol/records.ts";

/** Who is here, as far as the server tells of who comes and goes: of a crowd it names only some. */
export class Here {
  #names = new Map<string, string>();

  /** The names that are known. */
  get names(): readonly string[] {
    return [...this.#names.values()];
  }

  /** These are here, and no others. */
  set(names: readonly string[]): void {
    this.#names = new Map(names.map((name) => [foldUsername(name), name]));
  }

  /** Takes in who came and went. @returns those that were not known to be here, or not to be gone */
  change({ joined, left }: PresenceChange): { joined: Crowd; left: Crowd } {
    const gone = left.users.filter((name) => this.#names.delete(foldUsername(name)));
    const fresh = joined.users.filter((name) => !this.#names.has(foldUsername(name)));
    for (const name of fresh) this.#names.set(foldUsername(name), name);
    return { joined: crowd(joined, fresh), left: crowd(left, gone) };
  }
}

function crowd({ count, users }: Crowd, names: string[]): Crowd {
  return { count: count - users.length + names.length, users: names };
}
