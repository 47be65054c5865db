import { ProtocolError } from "../protocol/errors.ts";
import { LOGIN_ATTEMPTS, PROTOCOL_VERSION } from "../protocol/limits.ts";
import { parsePassword, parseUsername } from "../protocol/names.ts";
import type { ClientRecords } from "../protocol/records.ts";
import type { Session } from "./session.ts";

/** The first record of a client names its protocol version. */
export function hello(session: Session, { protocol }: ClientRecords["hello"]): void {
  if (protocol !== PROTOCOL_VERSION) {
    throw new ProtocolError(
      "unsupported-protocol",
      `this server speaks protocol version ${PROTOCOL_VERSION}, not ${protocol}`,
    );
  }
  session.greet();
}

/** The client names its user, and is told whether there is such an account. */
export function identify(session: Session, { id, username }: ClientRecords["identify"]): void {
  const name = parseLoginName(session, username);
  const registered = session.services.accounts.find(name);
  const exists = registered !== undefined;
  session.identify(registered ?? name, exists);
  session.send({
    type: "identified",
    id,
    username: session.username,
    exists,
    attempts: LOGIN_ATTEMPTS,
  });
}

/** The password of an existing account. */
export async function authenticate(
  session: Session,
  { id, password }: ClientRecords["authenticate"],
): Promise<void> {
  const right = await session.work((signal) => verify(session, password, signal));
  if (session.state === "ended") return;
  if (right) return session.welcome(id);

  session.attempts++;
  const attempts = LOGIN_ATTEMPTS - session.attempts;
  refused(session, session.username, "wrong password");
  session.send({ type: "error", id, code: "wrong-password", message: "wrong password", attempts });
  if (attempts === 0) session.end("too-many-attempts", "too many wrong passwords");
}

/** The password of a new account. Where somebody else was faster, the account is an existing one. */
export async function register(
  session: Session,
  { id, password }: ClientRecords["register"],
): Promise<void> {
  const accepted = parsePassword(password);
  const { accounts } = session.services;
  const created = await session.work((signal) =>
    accounts.create(session.username, accepted, { signal })
  );
  if (session.state === "ended") return;
  if (created) return session.welcome(id);

  session.identify(accounts.find(session.username) ?? session.username, true);
  throw new ProtocolError("name-taken", "somebody else has just taken this name");
}

function parseLoginName(session: Session, username: string): string {
  try {
    return parseUsername(username);
  } catch (error) {
    refused(session, JSON.stringify(username.slice(0, 64)), "the name is against the rules");
    throw error;
  }
}

/** A password that the rules refuse is nobody's. */
async function verify(session: Session, password: string, signal: AbortSignal): Promise<boolean> {
  let accepted: string;
  try {
    accepted = parsePassword(password);
  } catch {
    return false;
  }
  return await session.services.accounts.verify(session.username, accepted, { signal });
}

function refused(session: Session, username: string, why: string): void {
  session.services.log(`login of ${username} from ${session.remote} refused: ${why}`);
}
