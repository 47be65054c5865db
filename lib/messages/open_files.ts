/**
 * Files that are open, and may be deleted or replaced at their paths meanwhile: what is written to them
 * then is gone when they are closed.
 */
export class OpenFiles {
  readonly #identities: Map<string, string | undefined>;

  /** @param paths of files that have just been opened */
  constructor(paths: readonly string[]) {
    this.#identities = new Map(paths.map((path) => [path, identityOf(path)]));
  }

  /** The path of the first one that is not there any more; undefined where all are. */
  get lost(): string | undefined {
    for (const [path, identity] of this.#identities) {
      if (identity === undefined || identityOf(path) !== identity) return path;
    }
    return undefined;
  }

  /** @throws {Error} where one is not there any more */
  require(): void {
    const { lost } = this;
    if (lost === undefined) return;
    throw new Error(
      `${JSON.stringify(lost)} was deleted or replaced while the server runs: ` +
        "stop the server, put the data folder back, and start it again",
    );
  }
}

/** What tells one file from another at the same path; undefined where there is none. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}
