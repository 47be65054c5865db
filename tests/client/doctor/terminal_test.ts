import { assertEquals } from "@std/assert";
import { showsUtf8 } from "../../../lib/client/doctor/terminal.ts";

/** A terminal that answers with these pieces; what is done to it is noted. */
function terminal(answers: readonly string[]) {
  const done: string[] = [];
  const left = [...answers];
  return {
    done,
    write: (text: string) => void done.push(text),
    setRaw: (raw: boolean) => void done.push(`raw ${raw}`),
    read: () => {
      const next = left.shift();
      return next === undefined
        ? new Promise<never>(() => {})
        : Promise.resolve(next === "" ? null : new TextEncoder().encode(next));
    },
  };
}

Deno.test("showsUtf8() looks how many columns a letter of two bytes takes", async () => {
  assertEquals(await showsUtf8(terminal(["\u001b[12;2R"])), true);
  assertEquals(await showsUtf8(terminal(["typed \u001b[", "1;3", "R"])), false);
});

Deno.test("showsUtf8() does not know where nobody answers, and leaves the terminal as it was", async () => {
  for (const answers of [[], [""], ["nonsense", ""]]) {
    const asked = terminal(answers);
    assertEquals(await showsUtf8(asked), undefined);
    assertEquals(asked.done, ["raw true", "\ré\u001b[6n", "\r\u001b[K", "raw false"]);
  }
});
