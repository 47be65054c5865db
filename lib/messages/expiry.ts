import type { Journal } from "../journal/journal.ts";
import type { MessageLog } from "./message_log.ts";

/** So many ids are forgotten in one commit. */
const IDS = 5_000;

/**
 * Forgets messages that were sent before a time, but not what still has to be delivered.
 *
 * @throws {ProtocolError} `not-stored`
 */
export async function forgetBefore(
  time: Date,
  { journal, messages }: { journal: Journal; messages: MessageLog },
): Promise<void> {
  const { first, end } = messages.sentBefore(time.getTime());
  for (let next = first; next < end;) {
    next = Math.min(next + IDS, end);
    await journal.append({ type: "messages-expired", before: next });
  }
}
