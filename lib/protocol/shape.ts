import { ProtocolError } from "./errors.ts";

/** Checks one field's value and gives it its type. @throws {ProtocolError} `bad-record` */
export type Check<T> = (value: unknown, field: string) => T;

/** The fields of one kind of record. What a record has beyond them is ignored. */
export type Shape = Readonly<Record<string, Check<unknown>>>;

/** What {@linkcode readShape} gives for a shape: an optional field may be left out. */
export type Shaped<S extends Shape> =
  & { -readonly [K in keyof S as undefined extends ReturnType<S[K]> ? never : K]: ReturnType<S[K]> }
  & {
    -readonly [K in keyof S as undefined extends ReturnType<S[K]> ? K : never]?: ReturnType<S[K]>;
  };

function refuse(field: string, rule: string): never {
  throw new ProtocolError("bad-record", `"${field}" must be ${rule}`);
}

/** A string of at most `maxLength` UTF-16 code units. */
export function string(maxLength = Infinity): Check<string> {
  return (value, field) =>
    typeof value === "string" && value.length <= maxLength
      ? value
      : refuse(field, maxLength === Infinity ? "a string" : `a string of at most ${maxLength}`);
}

/** An integer from `min` to 2^53 - 1. */
export function integer(min = 0): Check<number> {
  return (value, field) =>
    Number.isSafeInteger(value) && (value as number) >= min
      ? value as number
      : refuse(field, `an integer from ${min} to 2^53 - 1`);
}

export const boolean: Check<boolean> = (value, field) =>
  typeof value === "boolean" ? value : refuse(field, "true or false");

/** One of the given strings. */
export function oneOf<const T extends string>(...words: readonly T[]): Check<T> {
  return (value, field) =>
    words.includes(value as T) ? value as T : refuse(field, `one of ${words.join(", ")}`);
}

/** `bytes` bytes as lower-case hexadecimal digits. */
export function hex(bytes: number): Check<string> {
  const digits = new RegExp(`^[0-9a-f]{${bytes * 2}}$`);
  return (value, field) =>
    typeof value === "string" && digits.test(value)
      ? value
      : refuse(field, `${bytes * 2} lower-case hexadecimal digits`);
}

export function arrayOf<T>(check: Check<T>): Check<T[]> {
  return (value, field) =>
    Array.isArray(value)
      ? value.map((item, index) => check(item, `${field}[${index}]`))
      : refuse(field, "an array");
}

export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, field) => value === undefined ? undefined : check(value, field);
}

export function object<S extends Shape>(shape: S): Check<Shaped<S>> {
  return (value, field) =>
    isObject(value) ? readShape(value, shape, `${field}.`) : refuse(field, "an object");
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The fields of `shape`, checked, and no others.
 *
 * @throws {ProtocolError} `bad-record`, naming the first field that is not as it should be
 */
export function readShape<S extends Shape>(
  value: Record<string, unknown>,
  shape: S,
  prefix = "",
): Shaped<S> {
  const shaped: Record<string, unknown> = {};
  for (const field in shape) {
    const given = Object.hasOwn(value, field) ? value[field] : undefined;
    const checked = shape[field]!(given, prefix + field);
    if (checked !== undefined) shaped[field] = checked;
  }
  return shaped as Shaped<S>;
}
