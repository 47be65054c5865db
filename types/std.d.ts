// The npm package `deno-std` carries the code of @std without its types. Declared here is just what
// this project uses; a mistake in it shows in the tests.

declare module "@std/assert" {
  export function assert(condition: unknown, message?: string): asserts condition;
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertStringIncludes(actual: string, expected: string, message?: string): void;
  export function assertThrows<E extends Error = Error>(
    run: () => unknown,
    // deno-lint-ignore no-explicit-any
    errorClass: new (...args: any[]) => E,
    messageIncludes?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    run: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any
    errorClass: new (...args: any[]) => E,
    messageIncludes?: string,
  ): Promise<E>;
}

declare module "@std/async/abortable" {
  export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T>;
}

declare module "@std/cli/parse-args" {
  export function parseArgs(args: readonly string[], options: {
    boolean?: readonly string[];
    string?: readonly string[];
    collect?: readonly string[];
    stopEarly?: boolean;
    alias?: Readonly<Record<string, string>>;
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }): { _: (string | number)[]; [flag: string]: unknown };
}

declare module "@std/fmt/colors" {
  export function bold(text: string): string;
  export function red(text: string): string;
}

declare module "@std/streams/to-text" {
  export function toText(stream: ReadableStream<Uint8Array>): Promise<string>;
}
