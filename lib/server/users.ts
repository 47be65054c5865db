import { Accounts } from "../accounts/accounts.ts";
import { formatTime } from "../accounts/credentials_line.ts";
import { isGlob, parseTime, selectAccounts } from "../accounts/selection.ts";
import type { ScryptCost } from "../accounts/phc.ts";
import type { Console } from "../console/console.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { parseNewUsername, parsePassword, parseUsername } from "../protocol/names.ts";
import { SERVER_ROLES, type ServerRole } from "../protocol/roles.ts";
import { reasonOf } from "../reasons.ts";
import type { UserAction } from "./usage.ts";

/** What {@linkcode manageUsers} works with. */
export interface UsersOptions {
  folder: string;
  cost: ScryptCost;
  console: Console;
  /** Whether what is typed as a password can't be seen, and so is asked for twice. */
  hidden: boolean;
  /** What `role` makes of the account: `operator` or `user`. */
  role?: string | undefined;
  /** Which accounts to remove, besides the name; and whether only to say so. */
  removal?: RemovalOptions;
}

/** What `remove` may be told. */
export interface RemovalOptions {
  /** Times as `parseTime()` takes them. */
  createdAfter?: string | undefined;
  createdBefore?: string | undefined;
  /** Whether nothing is removed. @default false */
  dryRun?: boolean;
}

/**
 * Manages the accounts in a data folder, also of a server that is running: it sees the change within
 * three seconds.
 *
 * @param username for every action but `list`; for `remove` it may have `*` and `?` in it
 * @throws {ExitError} `refused`, where there is no such account, or there is one already, or the rules
 *   refuse the name or the password; `usage`, where the input ends, or a time or a role is none
 */
export async function manageUsers(
  action: UserAction,
  username: string | undefined,
  { folder, cost, console, hidden, role: wanted, removal = {} }: UsersOptions,
): Promise<void> {
  const role = action === "role" ? parseRole(wanted) : "user";
  await requireFolder(folder);
  const accounts = await Accounts.load(folder, { cost });
  if (action === "list") return accounts.all.forEach(({ username }) => console.print(username));
  if (action === "remove") return await remove(accounts, username ?? "", { ...removal, console });

  const parse = action === "add" ? parseNewUsername : parseUsername;
  const name = accepted(() => parse(username ?? ""));
  const exists = accounts.find(name) !== undefined;
  if (action === "add" && exists) throw refused(`there is an account ${name} already`);
  if (action !== "add" && !exists) throw refused(`there is no account ${name}`);
  if (action === "role") {
    await changing(accounts.setRole(name, role));
    const article = role === "operator" ? "an" : "a";
    return console.print(`${accounts.find(name)} is ${article} ${role} from now on`);
  }
  const password = await askPassword(console, hidden);
  if (action === "passwd") {
    if (!await changing(accounts.setPassword(name, password))) {
      throw refused(`the account ${name} was removed just now`);
    }
    return console.print(`${name} has a new password`);
  }
  if (!await changing(accounts.create(name, password))) {
    throw refused(`there is an account ${name} already`);
  }
  console.print(`added ${name}`);
}

async function remove(
  accounts: Accounts,
  pattern: string,
  { createdAfter, createdBefore, dryRun = false, console }: RemovalOptions & { console: Console },
): Promise<void> {
  const name = isGlob(pattern) ? pattern : accepted(() => parseUsername(pattern));
  const { accounts: found, undated } = selectAccounts(accounts.all, {
    pattern: name,
    createdAfter: timeOf("created-after", createdAfter),
    createdBefore: timeOf("created-before", createdBefore),
  });
  // To be in no selection by time is safe: who removes too few can remove more.
  if (undated > 0) console.complain(`${undated} more left out: nobody knows when they were made`);
  if (found.length === 0) {
    const single = accounts.find(name) === undefined && !isGlob(name);
    throw refused(single ? `there is no account ${name}` : "there is no such account");
  }
  if (!dryRun) await changing(accounts.remove(found.map(({ username }) => username)));
  for (const { username, created } of found) {
    const made = created === undefined ? "at a time nobody knows" : formatTime(created);
    console.print(dryRun ? `would remove ${username}, made ${made}` : `removed ${username}`);
  }
  if (found.length > 1) {
    console.print(`${found.length} accounts${dryRun ? ", none of which was removed" : ""}`);
  }
}

function parseRole(text: string | undefined): ServerRole {
  const role = SERVER_ROLES.find((role) => role === text);
  if (role !== undefined) return role;
  throw new ExitError(ExitCode.usage, `a role is one of: ${SERVER_ROLES.join(", ")}`);
}

function timeOf(flag: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = parseTime(text);
  if (time !== undefined) return time;
  throw new ExitError(
    ExitCode.usage,
    `--${flag} takes a time such as 2026-01-31 or 2026-01-31T09:30Z (UTC)`,
  );
}

async function requireFolder(folder: string): Promise<void> {
  const isFolder = await Deno.stat(folder).then((info) => info.isDirectory, () => false);
  if (!isFolder) throw refused(`there is no data folder ${JSON.stringify(folder)}`);
}

async function askPassword(console: Console, hidden: boolean): Promise<string> {
  const { signal } = new AbortController();
  const ask = async (question: string) => {
    const answer = await console.ask(question, { signal, secret: true });
    if (answer !== undefined) return answer;
    throw new ExitError(ExitCode.usage, "the input ended before there was a password");
  };
  const answer = await ask("New password:");
  const password = accepted(() => parsePassword(answer));
  if (hidden && await ask("Repeat the password:") !== answer) {
    throw refused("the two passwords differ");
  }
  return password;
}

/** What a change of the accounts' file gives, where that can be written. */
async function changing<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (cause) {
    if (cause instanceof Deno.errors.TimedOut) throw refused(cause.message);
    throw refused(`credentials.txt can't be written: ${reasonOf(cause)}`);
  }
}

function refused(why: string): ExitError {
  return new ExitError(ExitCode.refused, why);
}

/** What `parse` gives, where the rules accept it. */
function accepted<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw refused(error.message);
  }
}
