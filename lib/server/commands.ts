/**
 * The one table of what a client may ask for. A new command is a shape in `protocol/records.ts`, an
 * entry here, and its function below or in `login.ts`.
 *
 * @module
 */
import { ProtocolError } from "../protocol/errors.ts";
import type { ClientRecord, ClientRecords } from "../protocol/records.ts";
import { parseText } from "../protocol/text.ts";
import { authenticate, hello, identify, register } from "./login.ts";
import type { Session, State } from "./session.ts";

/** What a command needs, and what it does. A {@linkcode ProtocolError} it throws is answered. */
export interface Command<R extends ClientRecord> {
  states: readonly State[];
  run: (session: Session, record: R) => void | Promise<void>;
}

const afterHello: readonly State[] = ["login", "authenticate", "register", "active"];

export const commands: { [T in keyof ClientRecords]: Command<ClientRecords[T]> } = {
  hello: { states: ["hello"], run: hello },
  identify: { states: ["login"], run: identify },
  authenticate: { states: ["authenticate"], run: authenticate },
  register: { states: ["register"], run: register },
  users: { states: ["active"], run: users },
  user: { states: ["active"], run: user },
  public: { states: ["active"], run: publish },
  direct: { states: ["active"], run: direct },
  ack: { states: ["active"], run: ack },
  logout: { states: afterHello, run: logout },
  ping: { states: afterHello, run: (session) => session.send({ type: "pong" }) },
  pong: { states: afterHello, run: () => {} },
};

function users(session: Session, { id }: ClientRecords["users"]): void {
  session.send({ type: "users", id, users: session.services.hub.users });
}

function user(session: Session, { id, username }: ClientRecords["user"]): void {
  const found = session.services.hub.find(username);
  if (found === undefined) throw noSuchUser();
  session.send({ type: "user", id, username: found });
}

async function publish(session: Session, { id, text }: ClientRecords["public"]): Promise<void> {
  const message = session.services.hub.publish(
    session.username,
    parseText(text, session.services.limits),
  );
  session.send({ type: "sent", id, message });
  await keepPace(session);
}

async function direct(
  session: Session,
  { id, to, text }: ClientRecords["direct"],
): Promise<void> {
  const message = session.services.hub.direct(
    session.username,
    to,
    parseText(text, session.services.limits),
  );
  if (message === undefined) throw noSuchUser();
  session.send({ type: "sent", id, message });
  await keepPace(session);
}

/** Reads nothing more of a sender while its receivers are far behind. */
async function keepPace(session: Session): Promise<void> {
  const relief = session.services.hub.relief();
  if (relief !== undefined) await session.work(() => relief);
}

function ack(session: Session, { delivered }: ClientRecords["ack"]): void {
  if (!session.acknowledge(delivered)) {
    throw new ProtocolError("bad-record", `"ack" acknowledges what was never sent`);
  }
}

function logout(session: Session, { id }: ClientRecords["logout"]): void {
  session.end("logged-out", "logged out", { id });
}

function noSuchUser(): ProtocolError {
  return new ProtocolError("no-such-user", "there is no active user of that name");
}
