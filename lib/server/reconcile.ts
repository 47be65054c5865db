import type { Clock } from "../clock.ts";
import type { Journal } from "../journal/journal.ts";
import type { Mailboxes } from "../messages/mailboxes.ts";
import type { OperatorTable } from "../messages/operator_table.ts";

/**
 * These accounts are there, and no others: whatever an account had that has gone, or gave way to another one
 * of its name, is nobody's.
 *
 * @param identities what tells each from others of its name, by the accounts' keys
 * @throws {ProtocolError} `not-stored`
 */
export async function reconcile(
  identities: ReadonlyMap<string, string>,
  { journal, mailboxes }: { journal: Journal; mailboxes: Mailboxes },
): Promise<void> {
  const known = mailboxes.identities;
  const gone = [...known.keys()].filter((account) => !identities.has(account));
  const changed = [...identities].filter(([account, identity]) => known.get(account) !== identity);
  await Promise.all([
    ...gone.map((account) => journal.append({ type: "account-removed", account })),
    ...changed.map(([account, identity]) =>
      journal.append({ type: "account-changed", account, identity })
    ),
  ]);
}

/**
 * These accounts are operators of the server, and no others.
 *
 * @param wanted their keys
 * @throws {ProtocolError} `not-stored`
 */
export async function reconcileOperators(
  wanted: ReadonlySet<string>,
  { journal, mailboxes, operators, clock }: {
    journal: Journal;
    mailboxes: Mailboxes;
    operators: OperatorTable;
    clock: Clock;
  },
): Promise<void> {
  const at = clock.date().getTime();
  const changed = wanted.symmetricDifference(operators.operators);
  await Promise.all([...changed].map((account) => {
    const role = wanted.has(account) ? "operator" : "user";
    const identity = mailboxes.identity(account) ?? "";
    return journal.append({ type: "account-changed", account, identity, role, at });
  }));
}
