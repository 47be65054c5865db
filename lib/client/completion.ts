import type { Completion } from "../console/line_editor.ts";
import { foldUsername } from "../protocol/names.ts";
import type { Named } from "./input.ts";

/** What can be completed to. */
export interface Completable {
  commands: readonly Named[];
  /** Usernames; safe to show. */
  names: readonly string[];
  /** Names of rooms, without "#"; safe to show. */
  rooms: readonly string[];
}

/** Completes a command at the beginning of a line, a username anywhere, also after "@", or a room after "#". */
export function completionOf(before: string, { commands, names, rooms }: Completable): Completion {
  const from = before.search(/\S*$/);
  const word = before.slice(from);
  if (before.trimStart() === word && word.startsWith("/")) {
    const known = commands.flatMap(({ name, words }) =>
      [name.toLowerCase(), ...words].map((word) => `/${word.replace(/^\//, "")}`)
    );
    return { from, candidates: matching([...new Set(known)], word) };
  }
  if (word.startsWith("#")) {
    return { from, candidates: matching(rooms.map((room) => `#${room}`), word) };
  }
  const sign = word.startsWith("@") ? "@" : "";
  const found = matching(names.map((name) => sign + name), word);
  if (found.length > 0 || before.trimStart() !== word) {
    return { from, candidates: word === sign && sign === "" && before.trim() === "" ? [] : found };
  }
  const letters = commands.map(({ name }) => name).filter((name) => !name.startsWith("/"));
  return { from, candidates: matching(letters, word) };
}

function matching(words: readonly string[], beginning: string): string[] {
  const key = foldUsername(beginning);
  return words.filter((word) => foldUsername(word).startsWith(key)).sort();
}
