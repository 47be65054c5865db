import { ProtocolError } from "../protocol/errors.ts";
import type { ClientRecord } from "../protocol/records.ts";
import { may, type Right, RIGHTS } from "../protocol/roles.ts";
import { type Command, commands } from "./commands.ts";
import type { Session } from "./session.ts";

/**
 * Serves a client's record by the command of its type, where that may come now, and this user may do it. A request that
 * may not is answered with an error.
 *
 * @returns what the next record has to wait for; undefined where that is nothing
 * @throws what can't be answered to a request
 */
export function dispatch(session: Session, record: ClientRecord): void | Promise<void> {
  try {
    // The table's entry for a type takes the records of that type.
    const command = commands[record.type] as Command<ClientRecord>;
    if (!command.states.includes(session.state)) {
      throw new ProtocolError("wrong-state", `"${record.type}" is out of place now`);
    }
    // What may be done in a room the room knows.
    if (!("room" in record)) requireRight(session, command, record);
    const paced = session.state === "active" && idOf(record) !== undefined
      ? session.keepRate(session.username)
      : undefined;
    if (paced !== undefined) return paced.then(() => run(session, command, record));
    return run(session, command, record);
  } catch (error) {
    refuse(session, record, error);
  }
}

function requireRight(
  session: Session,
  { right = "chat" }: Command<ClientRecord>,
  record: ClientRecord,
): void {
  const needed: Right = typeof right === "function" ? right(record) : right;
  // Who may what everybody may is not asked who it is.
  if (may("user", needed) || may(session.role, needed)) return;
  throw new ProtocolError(
    "not-allowed",
    `this takes an ${RIGHTS[needed]} of the server, and you are a ${session.role}`,
  );
}

function run(
  session: Session,
  command: Command<ClientRecord>,
  record: ClientRecord,
): void | Promise<void> {
  if (session.state === "ended") return;
  try {
    return command.run(session, record)?.catch((error) => refuse(session, record, error));
  } catch (error) {
    refuse(session, record, error);
  }
}

/** Answers a request with an error; what can't be answered that way is thrown. */
function refuse(session: Session, record: ClientRecord, error: unknown): void {
  const id = idOf(record);
  if (id === undefined || session.state === "hello" || !(error instanceof ProtocolError)) {
    throw error;
  }
  session.answer(id, () => {
    throw error;
  });
}

/** The id of a request; undefined where a record wants no answer. */
function idOf(record: ClientRecord): number | undefined {
  return "id" in record ? record.id : undefined;
}
