import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { ExitError } from "../../lib/exit.ts";
import { fillIn, notesOf } from "../../scripts/release/publication.ts";

const CHANGELOG = `# Changes

## Unreleased

## 1.2.0 (2026-11-30)

- Something new.

## 1.2

- Something old.
`;

Deno.test("notesOf() gives what is below the heading of just that version", () => {
  assertEquals(notesOf(CHANGELOG, "1.2.0"), "- Something new.\n");
  assertEquals(notesOf(CHANGELOG, "1.2"), "- Something old.\n");
});

Deno.test("notesOf() does not make up notes", () => {
  for (const version of ["1.3.0", "Unreleased", "1"]) {
    assertThrows(() => notesOf(CHANGELOG, version), ExitError, `nothing below "## ${version}"`);
  }
});

Deno.test("fillIn() writes the page into both installers, in one line", async () => {
  const page = "https://example.org/chat/releases";
  for (const name of ["install.sh", "install.ps1"]) {
    const installer = await Deno.readTextFile(new URL(`../../scripts/${name}`, import.meta.url));
    const filled = fillIn(installer, page);
    assertMatch(filled, /^\$?releases ?= ?'https:\/\/example\.org\/chat\/releases'$/m);
    assertEquals(filled.split("\n").length, installer.split("\n").length);
  }
});

Deno.test("fillIn() refuses a page that could be more than one", () => {
  for (const page of ["", "http://example.org", "https://example.org/';rm -rf '"]) {
    assertThrows(() => fillIn("releases=''", page), ExitError, "is no page of releases");
  }
  assertThrows(() => fillIn("#", "https://example.org"), ExitError, "no line for the page");
});
