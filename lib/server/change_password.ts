import { ProtocolError } from "../protocol/errors.ts";
import { foldUsername, parsePassword } from "../protocol/names.ts";
import type { ClientRecords } from "../protocol/records.ts";
import { storing, verify } from "./login.ts";
import type { Session } from "./session.ts";

/**
 * A user gives the account another password. The account's other sessions end, and so do their tokens;
 * this session and its token go on.
 */
export async function changePassword(
  session: Session,
  { id, old, new: wanted }: ClientRecords["password"],
): Promise<void> {
  const password = parsePassword(wanted);
  // Somebody else may give the account another password while this one is checked and hashed: then that one counts.
  const from = session.services.accounts.credential(session.username);
  const right = await session.work((signal) => verify(session, old, signal));
  // A request that comes again, because its answer was lost, has changed the password already.
  const done = !right && await session.work((signal) => verify(session, password, signal));
  if (session.state === "ended") return;
  if (!right && !done) throw new ProtocolError("wrong-password", "wrong password");
  if (!done) await session.work((signal) => change(session, password, { from, signal }));
  session.answer(id, () => ({ type: "password", id }));
}

async function change(
  session: Session,
  password: string,
  asked: { from: string | undefined; signal: AbortSignal },
): Promise<void> {
  const { services: { accounts, hub, known, log }, username, origin } = session;
  const options = { ...asked, owner: origin, by: session.active?.login };
  const changed = await storing(session, accounts.setPassword(username, password, options));
  if (!changed) throw new ProtocolError("not-stored", "the account was changed just now");
  // Where this can't be stored, the client can't come back without the new password.
  await session.active?.renewLogin(accounts.credential(username) ?? "").catch(() => {});
  const account = foldUsername(username);
  known.forget(account);
  known.add(account, origin);
  hub.expel(username, "the account has a new password", { spared: session.active });
  log(`${username} has a new password, from ${session.remote}`);
}
