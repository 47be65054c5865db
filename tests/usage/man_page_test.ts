import { assert, assertEquals, assertMatch } from "@std/assert";
import { CHATCLIENT } from "../../lib/client/usage.ts";
import { CHATSERVER } from "../../lib/server/usage.ts";
import { formatManPage } from "../../lib/usage/man_page.ts";
import { hasCommand, output } from "../helpers/commands.ts";

const PAGES = [CHATCLIENT, CHATSERVER].map((program) =>
  [program, formatManPage(program, "0.1.0")] as const
);

Deno.test("formatManPage() has every flag, and no hyphen that can't be copied", () => {
  for (const [program, page] of PAGES) {
    for (const { flags } of program.commands) {
      for (const { name } of flags) assert(page.includes(`\\-\\-${name.replaceAll("-", "\\-")}`));
    }
    for (const line of page.split("\n")) assert(!/[^\\]-/.test(line), line);
  }
});

Deno.test({
  name: "mandoc finds nothing wrong with the pages",
  ignore: !await hasCommand("mandoc"),
  async fn() {
    for (const [, page] of PAGES) {
      const found = await output(["mandoc", "-T", "lint", "-W", "style"], { input: page });
      // The same source has to give the same page.
      assertEquals(found.replaceAll(/^.*missing date.*\n/gm, ""), "");
    }
  },
});

Deno.test({
  name: "man shows the pages",
  ignore: !await hasCommand("mandoc") && !await hasCommand("man"),
  async fn() {
    const command: [string, ...string[]] = await hasCommand("mandoc")
      ? ["mandoc", "-T", "ascii"]
      : ["man", "-l", "-"];
    for (const [program, page] of PAGES) {
      const shown = (await output(command, { input: page })).replaceAll(/.[\b]/g, "");
      assertMatch(shown, new RegExp(`^NAME\\n +${program.name} - ${program.summary}\\n`, "m"));
      assertMatch(shown, /^EXAMPLES\n/m);
      assertMatch(shown, /^ +--data FOLDER|^ +--config FOLDER/m);
    }
  },
});
