import { ExitCode, ExitError } from "../../lib/exit.ts";

/**
 * What CHANGELOG.md says of a version: the text below its heading.
 *
 * @throws {ExitError} `unforeseen`, where that is nothing
 */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m);
  const section = sections.find((text) => text.split(/\s/, 1)[0] === version);
  const notes = section?.slice(section.indexOf("\n")).trim();
  if (notes === undefined || notes === "") {
    throw new ExitError(ExitCode.unforeseen, `CHANGELOG.md has nothing below "## ${version}"`);
  }
  return `${notes}\n`;
}

/**
 * Writes the page of the releases into an installer.
 *
 * @throws {ExitError} `unforeseen`, where there is no line for it, or the page could do more there
 */
export function fillIn(installer: string, page: string): string {
  if (!/^https:\/\/[\w.:/-]+$/.test(page)) {
    throw new ExitError(ExitCode.usage, `${JSON.stringify(page)} is no page of releases`);
  }
  const line = /^(\$?releases ?= ?)''$/m;
  if (!line.test(installer)) {
    throw new ExitError(
      ExitCode.unforeseen,
      "an installer has no line for the page of the releases",
    );
  }
  return installer.replace(line, `$1'${page}'`);
}
