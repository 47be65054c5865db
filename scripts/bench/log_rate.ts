import { systemClock } from "../../lib/clock.ts";
import { Database } from "../../lib/messages/database.ts";
import { LocalJournal } from "../../lib/journal/local_journal.ts";
import { Projection } from "../../lib/journal/projection.ts";
import { TempFolder } from "../../tests/helpers/temp_folder.ts";
import type { LogRate } from "./results.ts";

const USERS = 100;
const TEXT = "x".repeat(100);

/**
 * How many messages a second the log alone takes, on the disk: the next batch is given to it when the
 * one before is stored, as direct messages between pairs, each with its request.
 *
 * @param batch the messages of a commit
 */
export async function measureLog(
  batch: number,
  { seconds }: { seconds: number },
): Promise<LogRate> {
  await using folder = await TempFolder.create();
  using database = new Database(folder.file("messages.db"), { clock: systemClock });
  const journal = new LocalJournal(database, new Projection(database));
  for (let user = 0; user < USERS; user++) {
    await journal.append({ type: "account-changed", account: `user${user}`, identity: "" });
  }
  let stored = 0;
  const start = performance.now();
  while (performance.now() - start < seconds * 1_000) {
    await Promise.all(Array.from({ length: batch }, () => {
      const user = stored++ % USERS;
      const [from, to] = [`user${user}`, `user${(user + 1) % USERS}`];
      const origin = { login: user + 1, request: stored };
      return journal.append({ type: "message", from, to, sent: Date.now(), text: TEXT, origin });
    }));
  }
  return { batch, messagesPerSecond: stored / ((performance.now() - start) / 1_000) };
}
