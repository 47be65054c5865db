import { ProtocolError } from "../protocol/errors.ts";
import { LOGIN_ATTEMPTS, PROTOCOL_VERSION } from "../protocol/limits.ts";
import type { AccountMadeEvent } from "../journal/events.ts";
import { ConflictError } from "../journal/journal.ts";
import { describeAddressBan, describeBan, describeLock } from "../messages/operator_table.ts";
import type { Login } from "../messages/login_table.ts";
import { foldUsername, parseNewUsername, parsePassword, parseUsername } from "../protocol/names.ts";
import type { ClientRecords } from "../protocol/records.ts";
import { isReserved } from "./reserved_names.ts";
import type { Session } from "./session.ts";
import { reasonOf } from "../reasons.ts";

/** How long a login that can't be stored is waited for, in milliseconds: longer than NATS takes to elect a leader. */
const STORE_LIMIT_MS = 15_000;

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
export function identify(
  session: Session,
  record: ClientRecords["identify"],
): void | Promise<void> {
  const { accounts, journal } = session.services;
  // Another server may have made the account just now.
  const catchUp = accounts.find(record.username) === undefined ? journal.catchUp() : undefined;
  if (catchUp === undefined) return answerIdentify(session, record);
  return session.work(() => catchUp).then(() => answerIdentify(session, record));
}

function answerIdentify(
  session: Session,
  { id, username }: ClientRecords["identify"],
): void {
  if (session.state === "ended") return;
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
  { id, password, overview }: ClientRecords["authenticate"],
): Promise<void> {
  const right = await session.work((signal) => verify(session, password, signal));
  if (session.state === "ended") return;
  if (right) return await welcome(session, { id, overview });

  session.attempts++;
  const attempts = LOGIN_ATTEMPTS - session.attempts;
  session.reportRefused("wrong-password", "login refused: wrong password", session.username);
  session.send({ type: "error", id, code: "wrong-password", message: "wrong password", attempts });
  if (attempts === 0) session.end("too-many-attempts", "too many wrong passwords");
}

async function welcome(
  session: Session,
  { id, overview }: { id: number; overview: number | undefined },
): Promise<void> {
  const { services: { accounts, logins }, username } = session;
  const credential = accounts.credential(username) ?? "";
  const identity = accounts.identity(username) ?? "";
  // Where it can't be stored, there is a chat still, but no coming back.
  const login = await soon(session, store(session, { credential, identity }));
  if (session.state === "ended") return;
  if (accounts.credential(username) !== credential) {
    return session.end("account-changed", "the account was removed, or has a new password");
  }
  try {
    requireNoBan(session);
    reporting(session, session.username, () => requireRoom(session));
  } catch (error) {
    if (login !== undefined) logins.end(login.id);
    throw error;
  }
  remember(session);
  session.welcome(id, { login: login?.id, token: login?.token, overview });
}

/** What the work gives; undefined where it fails, or a cluster's NATS is away for longer than a moment. */
async function soon<T>({ services }: Session, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  using _limit = services.clock.after(STORE_LIMIT_MS, () => late.resolve(undefined));
  return await Promise.race([work.catch(() => undefined), late.promise]);
}

/** That the account is there, and that its client may come back. */
async function store(
  { services: { journal, logins, mailboxes }, username }: Session,
  { credential, identity }: { credential: string; identity: string },
) {
  const account = foldUsername(username);
  const isKnown = mailboxes.identity(account) === identity;
  const [login] = await Promise.all([
    logins.add({ account, credential, last: journal.last }),
    isKnown ? undefined : journal.append({ type: "account-changed", account, identity }),
  ]);
  return login;
}

/** Nobody else's guesses make the account's users wait where they are now. */
function remember({ services: { known }, username, origin }: Session): void {
  known.add(foldUsername(username), origin);
}

/** Only who knows the password, or the token, is told of a ban. */
function requireNoBan(session: Session): void {
  const { services: { accounts, operators, clock }, username } = session;
  const ban = operators.ban(foldUsername(username), clock.date().getTime());
  if (ban !== undefined) {
    session.reportRefused("banned", "login refused: banned", username);
    throw new ProtocolError("banned", describeBan(ban));
  }
  // Those who were there before are not banned with somebody who shares their address.
  const created = accounts.created(username)?.getTime() ?? 0;
  reporting(session, username, () => requireAddress(session, created));
}

function requireRoom({ services, username }: Session): void {
  const { hub, limits } = services;
  if (hub.users.sessionsOf(username) < limits.sessionsPerAccount) return;
  throw new ProtocolError(
    "too-many-sessions",
    `this account is logged in ${limits.sessionsPerAccount} times already`,
  );
}

/** Coming back counts as so many commands: it costs the server more than one. */
const RESUME_COMMANDS = 10;

/**
 * A client comes back: it shows the token of its login, and says which message it has. It gets what it
 * missed.
 */
export async function resume(
  session: Session,
  { id, username, token, last, overview }: ClientRecords["resume"],
): Promise<void> {
  const { accounts, journal } = session.services;
  let known = findLogin(session, username, token);
  // A client that comes from another server may know more than this one does yet.
  const catchUp = known !== undefined && last <= journal.last ? undefined : journal.catchUp();
  if (catchUp !== undefined) {
    await requireCurrent(session, catchUp);
    known = findLogin(session, username, token);
  }
  const found = requireLogin(session, username, known);
  if (last > journal.last) {
    throw new ProtocolError(
      "no-such-message",
      `there is no message ${last} yet: the newest number is ${journal.last}`,
    );
  }
  // It takes the place of the session that it had, and waits for nothing that this one still does.
  endEarlier(session, found.id);
  const paced = session.keepRate(username, RESUME_COMMANDS);
  if (paced !== undefined) await paced;
  if (session.state === "ended") return;
  // Meanwhile the token may have ended, or another connection may have come back with it.
  const login = paced === undefined
    ? found
    : requireLogin(session, username, findLogin(session, username, token));
  endEarlier(session, login.id);
  session.username = accounts.find(username)!;
  requireNoBan(session);
  requireRoom(session);
  remember(session);
  const began = login.last;
  session.services.moved(login.id);
  session.welcome(id, { login: login.id, last: Math.max(last, began), began, overview });
}

/** @throws {ProtocolError} `not-readable`, where this server can't find out what the others know */
async function requireCurrent(session: Session, catchUp: Promise<boolean>): Promise<void> {
  if (await session.work(() => catchUp)) return;
  throw new ProtocolError("not-readable", "this server does not know yet what the others know");
}

function endEarlier({ services }: Session, login: number): void {
  const why = "the client has come back on another connection";
  services.returning.get(login)?.end("resumed", why);
}

/** The login of this user that has this token; undefined where none has, as far as this server knows. */
function findLogin({ services }: Session, username: string, token: string): Login | undefined {
  const { accounts, logins } = services;
  const login = logins.find(token);
  const isTheirs = login?.account === foldUsername(username) &&
    login.credential === accounts.credential(username);
  return isTheirs ? login : undefined;
}

/** @throws {ProtocolError} `bad-token` */
function requireLogin(session: Session, username: string, login: Login | undefined): Login {
  if (login !== undefined) return login;
  session.reportRefused("bad-token", "resume refused: no such token", username);
  throw new ProtocolError(
    "bad-token",
    "this user can't come back with this token: it has ended, or never was this user's",
  );
}

/** The password of a new account. Where somebody else was faster, the account is an existing one. */
export async function register(
  session: Session,
  { id, password, overview }: ClientRecords["register"],
): Promise<void> {
  const accepted = parsePassword(password);
  const { accounts, journal, registrations } = session.services;
  const { username, origin: owner } = session;
  const since = journal.last;
  reporting(session, username, () => requireRegistration(session));
  const claim = (identity: string, line: string | undefined) =>
    claimName(session, { identity, line, since });
  const created = await session.work((signal) =>
    registrations.count(
      owner,
      () => storing(session, accounts.create(username, accepted, { owner, signal, claim })),
    )
  );
  if (session.state === "ended") return;
  if (created) return await welcome(session, { id, overview });

  session.identify(accounts.find(username) ?? username, true);
  throw new ProtocolError("name-taken", "somebody else has just taken this name");
}

/** Whether the name was free: the account is in the journal then, and what a removed one of its name left is not. */
async function claimName(
  session: Session,
  account: Pick<AccountMadeEvent, "identity" | "line" | "since">,
): Promise<boolean> {
  const { services: { journal }, username } = session;
  // The address may have been banned, or the chat locked, while the password was hashed.
  requireAddress(session);
  requireUnlocked(session);
  try {
    const event = { type: "account-made", account: foldUsername(username), ...account } as const;
    await journal.append(event, { since: journal.last });
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}

/** An existing account's name may be of another server's rules; a new one keeps to this one's. */
function parseLoginName(session: Session, username: string): string {
  const { accounts, limits } = session.services;
  const name = parseUsername(username);
  if (accounts.find(name) !== undefined) return name;
  requireRegistration(session);
  parseNewUsername(name, limits.nameLength);
  if (isReserved(name)) {
    throw new ProtocolError("bad-username", "this name is kept for who runs the server");
  }
  return name;
}

/** @param created when the account was made, in milliseconds since 1970 */
function requireAddress(
  { services: { operators, clock }, origin }: Session,
  created = Infinity,
): void {
  const ban = operators.addressBan(origin, clock.date().getTime());
  if (ban === undefined || created <= ban.at) return;
  throw new ProtocolError("banned", describeAddressBan(ban));
}

function requireRegistration(session: Session): void {
  const { services, origin } = session;
  requireAddress(session);
  requireUnlocked(session);
  if (services.closed) {
    throw new ProtocolError("registration-refused", "this server takes no new accounts");
  }
  if (services.accounts.count >= services.limits.accounts) {
    throw new ProtocolError(
      "registration-refused",
      "this server has as many accounts as it may have",
    );
  }
  services.registrations.require(origin);
}

function requireUnlocked({ services: { operators, clock } }: Session): void {
  const lock = operators.lock(clock.date().getTime());
  if (lock !== undefined) throw new ProtocolError("registration-refused", describeLock(lock));
}

/** Tells the operator what `check` refuses. */
function reporting<T>(session: Session, username: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const { code, message } = error as ProtocolError;
    session.reportRefused(code, `login refused: ${message}`, username);
    throw error;
  }
}

/** A password that the rules refuse is nobody's. */
export async function verify(
  session: Session,
  password: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { services: { accounts, known, throttle }, username, origin } = session;
  const account = foldUsername(username);
  const preferred = known.has(account, origin);
  await throttle.admit(account, origin, signal);
  const right = isPassword(password) &&
    await storing(
      session,
      accounts.verify(username, password.normalize("NFC"), { owner: origin, preferred, signal }),
    );
  if (right) throttle.succeeded(account, origin);
  else throttle.failed(account, origin);
  return right;
}

/** What the disk refuses is no fault of the client's. */
export async function storing<T>(session: Session, change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (cause) {
    // A client that has gone waits for nothing any more.
    if (session.state === "ended" || isAbort(cause)) throw cause;
    // The log of messages has said so itself.
    if (!(cause instanceof ProtocolError)) {
      session.services.log(`credentials.txt can't be written: ${reasonOf(cause)}`);
    } else if (cause.code !== "not-stored") throw cause;
    throw new ProtocolError("not-stored", "the server can't store the account", { cause });
  }
}

function isAbort(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "AbortError";
}

function isPassword(password: string): boolean {
  try {
    parsePassword(password);
    return true;
  } catch {
    return false;
  }
}
