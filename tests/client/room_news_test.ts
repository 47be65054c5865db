import { assert, assertEquals } from "@std/assert";
import { describeNews } from "../../lib/client/room_news.ts";
import { ACT_NAMES } from "../../lib/protocol/roles.ts";

const news = { type: "room", room: "lab", by: "ann", user: "bob", text: "exam" } as const;

Deno.test("describeNews() has words for everything that may be done in a room, and none for more", () => {
  for (const what of [...ACT_NAMES, "joined", "left"]) {
    const said = describeNews({ ...news, what }, false)!;
    assert(said.startsWith("ann ") && said.includes("#lab"), said);
  }
  assertEquals(describeNews({ ...news, what: "toString" }, false), undefined);
  assertEquals(describeNews({ ...news, what: "kick" }, true), "ann kicked you out of #lab");
  assertEquals(
    describeNews({ ...news, what: "invite" }, true),
    "ann invited you to #lab: JO #lab joins it",
  );
  assertEquals(describeNews({ ...news, what: "left" }, false), "ann left #lab: bob owns it now");
  assertEquals(describeNews({ ...news, what: "left" }, true), "ann left #lab: you own it now");
  assertEquals(describeNews({ ...news, user: "", what: "left" }, false), "ann left #lab");
});

Deno.test("describeNews() shows nothing of others' that acts on a terminal", () => {
  const said = describeNews({ ...news, what: "topic", text: "a\x1b[2Jb\u202ec" }, false)!;
  assert(!said.includes("\x1b") && !said.includes("\u202e"), JSON.stringify(said));
});
