/**
 * What operators of the server may ask for; {@linkcode commands} has them in the one table.
 *
 * @module
 */
import type { ClientRecords } from "../protocol/records.ts";
import { carryOut, describeUser, operationsOf, restrictionsOf } from "./operations.ts";
import type { Session } from "./session.ts";

/** Does something to a user, or to everybody. */
export async function operate(
  session: Session,
  { id, type: _, ...order }: ClientRecords["operate"],
): Promise<void> {
  const { services, username: by } = session;
  const origin = session.originOf(id);
  const done = await session.work(() => carryOut(services, order, { by, origin }));
  session.answer(id, () => ({ type: "operated", id, ...done }));
}

/** What operators did. */
export function listOperations(
  session: Session,
  { id, count }: ClientRecords["operations"],
): void {
  session.answer(id, () => {
    return { type: "operations", id, operations: operationsOf(session.services, count) };
  });
}

/** Who is kept from what. */
export function listRestrictions(session: Session, { id }: ClientRecords["restrictions"]): void {
  session.answer(id, () => {
    return { type: "restrictions", id, restrictions: restrictionsOf(session.services) };
  });
}

/** Who a user is. */
export function whois(session: Session, { id, user }: ClientRecords["whois"]): void {
  session.answer(id, () => ({ type: "whois", id, ...describeUser(session.services, user) }));
}
