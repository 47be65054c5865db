// Loaded before the tests by each task that runs some: a test that waits for what never comes fails by its name, and
// holds up nobody. (Deno 2.7 knows no `timeout`, and waits.)

/** So long a test may take that says nothing else, in milliseconds. */
const LIMIT_MS = 5 * 60_000;

type Definition = Deno.TestDefinition;

const { test } = Deno;

/** As {@linkcode Deno.test}, in the three forms that the tests use. */
function testInTime(
  first: string | Definition,
  second?: Partial<Definition> | Definition["fn"],
  fn?: Definition["fn"],
): void {
  const definition = typeof first === "string" ? { name: first } : first;
  const more = typeof second === "function" ? { fn: second } : { ...second, ...fn && { fn } };
  test({ timeout: LIMIT_MS, ...definition, ...more } as Definition);
}

Object.defineProperty(Deno, "test", { value: Object.assign(testInTime, test) });
