import { ProtocolError } from "../protocol/errors.ts";
import { LOGIN_ATTEMPTS, PROTOCOL_VERSION } from "../protocol/limits.ts";
import { foldUsername, parsePassword, parseUsername } from "../protocol/names.ts";
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
  const name = reporting(session, username, () => parseLoginName(session, username));
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
  if (right) return welcome(session, id);

  session.attempts++;
  const attempts = LOGIN_ATTEMPTS - session.attempts;
  session.report("login refused: wrong password", session.username);
  session.send({ type: "error", id, code: "wrong-password", message: "wrong password", attempts });
  if (attempts === 0) session.end("too-many-attempts", "too many wrong passwords");
}

function welcome(session: Session, id: number): void {
  const { hub, limits } = session.services;
  if (hub.sessionsOf(session.username) >= limits.sessionsPerAccount) {
    throw new ProtocolError(
      "too-many-sessions",
      `this account is logged in ${limits.sessionsPerAccount} times already`,
    );
  }
  session.welcome(id);
}

/** The password of a new account. Where somebody else was faster, the account is an existing one. */
export async function register(
  session: Session,
  { id, password }: ClientRecords["register"],
): Promise<void> {
  const accepted = parsePassword(password);
  const { accounts } = session.services;
  const { username, origin: owner } = session;
  reporting(session, username, () => requireRegistration(session));
  const created = await session.work((signal) =>
    accounts.create(username, accepted, { owner, signal })
  );
  if (session.state === "ended") return;
  if (created) return session.welcome(id, { fresh: true });

  session.identify(accounts.find(username) ?? username, true);
  throw new ProtocolError("name-taken", "somebody else has just taken this name");
}

/** An existing account's name may be of another server's rules; a new one keeps to this one's. */
function parseLoginName(session: Session, username: string): string {
  const { accounts, limits } = session.services;
  const name = parseUsername(username);
  if (accounts.find(name) !== undefined) return name;
  requireRegistration(session);
  return parseUsername(username, limits.nameLength);
}

function requireRegistration({ services }: Session): void {
  if (services.closed) {
    throw new ProtocolError("registration-refused", "this server takes no new accounts");
  }
  if (services.accounts.count >= services.limits.accounts) {
    throw new ProtocolError("registration-refused", "this server has no room for more accounts");
  }
}

/** Tells the operator what `check` refuses. */
function reporting<T>(session: Session, username: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    session.report(`login refused: ${(error as Error).message}`, username.slice(0, 64));
    throw error;
  }
}

/** A password that the rules refuse is nobody's. */
async function verify(session: Session, password: string, signal: AbortSignal): Promise<boolean> {
  const { services: { accounts, throttle }, username, origin } = session;
  const account = foldUsername(username);
  await throttle.admit(account, origin, signal);
  const right = isPassword(password) &&
    await accounts.verify(username, password.normalize("NFC"), { owner: origin, signal });
  if (right) throttle.succeeded(account, origin);
  else throttle.failed(account, origin);
  return right;
}

function isPassword(password: string): boolean {
  try {
    parsePassword(password);
    return true;
  } catch {
    return false;
  }
}
