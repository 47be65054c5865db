/** A command's names, as far as the user's line is concerned. */
export interface Named {
  /** Two letters. */
  name: string;
  /** What the users of other chats type, in lower case: after a "/". */
  words: readonly string[];
  /** Those of them that are a command without "/", too, where they stand alone. */
  alone?: readonly string[];
}

/** What a line is that the user typed. */
export type Input<C extends Named> =
  | { kind: "command"; command: C; rest: string }
  /** In the compact style a message; in the classic one a mistake. */
  | { kind: "text"; text: string }
  | { kind: "unknown"; word: string }
  | { kind: "nothing" };

/**
 * Reads a line. `@joe hi` is a direct message. In the compact style a command without "/" is in capital
 * letters, since everything else is text, but for "dm joe hi", which must not reach everybody; `//` at the beginning stands for a "/" of the text.
 *
 * @param direct the command that sends direct messages
 */
export function readInput<C extends Named>(
  line: string,
  { commands, direct, compact }: { commands: readonly C[]; direct: C; compact: boolean },
): Input<C> {
  const typed = line.trim();
  if (typed === "") return { kind: "nothing" };
  if (compact && typed.startsWith("//")) return { kind: "text", text: typed.slice(1) };
  const [, word = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(typed) ?? [];
  if (/^@./.test(word)) return { kind: "command", command: direct, rest: typed };
  const slash = word.startsWith("/");
  const bare = slash ? word.slice(1) : word;
  if (compact && word.toUpperCase() === direct.name && rest !== "") {
    return { kind: "command", command: direct, rest };
  }
  const command = commands.find(({ name, words, alone = [] }) =>
    (slash || !compact ? bare.toUpperCase() === name : bare === name) ||
    (slash && words.includes(bare.toLowerCase())) ||
    (rest === "" && alone.includes(bare.toLowerCase()))
  );
  if (command !== undefined) return { kind: "command", command, rest };
  if (slash && /^\/[\p{L}?]+$/u.test(word)) return { kind: "unknown", word };
  return { kind: "text", text: compact ? line : typed };
}

/** What was probably meant by a word that is no command, as it is typed; undefined where nothing is near. */
export function closestCommand(
  word: string,
  commands: readonly Pick<Named, "words">[],
): string | undefined {
  const typed = word.replace("/", "").toLowerCase();
  const shortened = new Set(shorterByOne(typed));
  const meant = commands.flatMap(({ words }) => words).find((known) =>
    known.length > 2 && known[0] === typed[0] &&
    shorterByOne(known).some((short) => shortened.has(short))
  );
  return meant && `/${meant}`;
}

/** A word, and the word without any one letter: mistyped words have one of these in common. */
function shorterByOne(word: string): string[] {
  return [word, ...Array.from(word, (_, at) => word.slice(0, at) + word.slice(at + 1))];
}
