import { foldUsername } from "../protocol/names.ts";

/** Names that sound like whoever runs the server, or like everybody. */
const RESERVED = [
  ...[
    "admin",
    "admins",
    "administrator",
    "administrators",
    "sysadmin",
    "sysop",
    "root",
    "superuser",
  ],
  ...["system", "server", "chatserver", "console", "daemon", "host", "owner"],
  ...["operator", "operators", "op", "ops", "moderator", "moderators", "mod", "mods", "staff"],
  ...["support", "helpdesk", "help", "security", "info", "notice", "abuse"],
  ...["postmaster", "hostmaster", "webmaster"],
  ...["all", "everyone", "everybody", "here", "lobby", "you"],
];

/** Digits that look like letters. */
const LOOK_ALIKES: Readonly<Record<string, string>> = { o: "[o0]", i: "[i1]", l: "[l1]" };

const PATTERN = new RegExp(
  `^(?:${RESERVED.join("|").replace(/[oil]/g, (letter) => LOOK_ALIKES[letter]!)})$`,
);

/**
 * Whether a name is kept for who runs the server: in any case, with marks on its letters, with 0 or 1
 * for letters, and wherever it has ".", "_" or "-".
 */
export function isReserved(username: string): boolean {
  const letters = foldUsername(username).normalize("NFD").replace(/[\p{M}._-]/gu, "");
  return PATTERN.test(letters);
}
