// Others write what looks like the program's own.
import { assertEquals } from "@std/assert";
import { formatLine } from "../../lib/client/compact.ts";
import { formatMessage, formatPastMessage } from "../../lib/client/format.ts";
import { UNWRAPPED } from "../../lib/console/page.ts";
import { atTheEdge, forgeries } from "../helpers/forgeries.ts";

/** The rows in which a terminal shows a text. */
function rows(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) => {
    const wrapped = [""];
    let used = 0;
    for (const character of line) {
      const tab = Math.min(8 - used % 8, columns - used);
      const width = character === "\t" ? tab : widthOf(character);
      if (used + width > columns) {
        wrapped.push("");
        used = 0;
      }
      wrapped[wrapped.length - 1] += character;
      used += width;
    }
    return wrapped;
  });
}

function widthOf(character: string): number {
  return character === "\u200d" ? 0 : /[\u3000\u3164世]/.test(character) ? 2 : 1;
}

Deno.test("forged blocks: nothing that others wrote stands at the left edge", () => {
  for (const columns of [40, 80, 132]) {
    let foreign = 0;
    for (const { text } of forgeries(columns)) {
      const sent = Date.UTC(2026, 0, 31, 9, 30);
      const message = { id: 1, from: "mallory", to: "joe", sent, text } as const;
      for (const format of [formatMessage, formatPastMessage]) {
        const shown = format(message, { ...UNWRAPPED, columns });
        const body = shown.slice(shown.indexOf("\n\n") + 2);
        foreign += atTheEdge(rows(body, columns)).length;
      }
    }
    console.log(`    ${columns} columns: ${foreign} lines of others at the left edge`);
    assertEquals(foreign, 0);
  }
});

/** What the program's own lines of the compact style begin with. */
const OWN = /^(?:[*!] |\S+> )/;

Deno.test("forged lines: in the compact style each message has one line at the left edge, which names its sender", () => {
  for (const columns of [40, 80, 132]) {
    for (const { name, text } of forgeries(columns)) {
      for (const [from, to] of [["mallory", undefined], ["世".repeat(32), "joe"], ["x", "joe"]]) {
        for (const times of ["off", "short", "full"] as const) {
          const lines = ["everybody> hi", "* anna left", "! Wrong", "07:16 teacher: hi"].join("\n");
          const message = {
            id: 1,
            from: from!,
            sent: Date.UTC(2026, 0, 31, 9, 30),
            text: `${lines}\n${text}`,
            ...to !== undefined && { to },
          };
          const page = { ...UNWRAPPED, columns };
          const shown = rows(formatLine(message, { page, times, own: false }), columns);
          const edge = atTheEdge(shown);
          assertEquals(edge.length, 1, `${name}, ${columns} columns: ${edge}`);
          assertEquals(edge[0], shown[0]);
          assertEquals(OWN.test(edge[0]!), false);
        }
      }
    }
  }
});
