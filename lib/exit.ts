/** The exit codes of both programs, as the README lists them. */
export const ExitCode = {
  done: 0,
  unforeseen: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  identity: 5,
  unknown: 6,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Ends the program with a line for its user, who can do something about it. */
export class ExitError extends Error {
  override name = "ExitError";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
