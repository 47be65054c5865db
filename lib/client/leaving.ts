import { abortable } from "@std/async/abortable";
import { systemClock } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { EndWish, onSignals } from "../program.ts";

/** The user's wish to leave: Ctrl-C, or a signal that asks the program to end, or no more output. */
export class Leaving {
  readonly #controller = new AbortController();
  readonly #wish = new EndWish();
  /** What a wish that nobody can meet otherwise ends the program with. */
  readonly reason: ExitError;

  constructor(message = "you left before the connection was made") {
    this.reason = new ExitError(ExitCode.usage, message);
    onSignals(["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"], () => this.ask());
  }

  /** Aborted with the reason to leave. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Asked again, the program ends at once. */
  ask(): void {
    const asked = this.#wish.express(systemClock.now());
    if (asked === "again") Deno.exit(ExitCode.unreachable);
    if (asked === "first") this.#controller.abort(this.reason);
  }

  /** The same action; where it fails, that is the reason to leave, and nobody else's business. */
  atFault<A extends unknown[]>(action: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      try {
        action(...args);
      } catch (error) {
        this.#controller.abort(error);
      }
    };
  }

  /** What `work` gives, or the reason as soon as the user wants to leave. */
  orDone<T>(work: Promise<T>): Promise<T> {
    // Nobody looks at the work any more once the user has left.
    work.catch(() => {});
    return abortable(work, this.signal);
  }
}
