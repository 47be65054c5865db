import { MAX_HISTORY } from "../protocol/limits.ts";
import { foldUsername } from "../protocol/names.ts";
import type { Overview } from "../protocol/records.ts";
import type { Services } from "./services.ts";

/** So many names are told of those who are here. */
const MAX_NAMES = 200;

/**
 * What a user is told at the login: who is here, the last messages, and which of them are unread. It costs
 * the same however many are here.
 *
 * @param count so many messages at most
 * @returns undefined where the log can't be read
 */
export function overviewFor(
  username: string,
  count: number,
  { hub, mailboxes, messages, rooms }: Pick<
    Services,
    "hub" | "mailboxes" | "messages" | "rooms"
  >,
): Overview | undefined {
  const account = foldUsername(username);
  const isHere = hub.users.sessionsOf(username) > 0;
  const others = hub.users.some(MAX_NAMES).filter((name) => foldUsername(name) !== account);
  try {
    return {
      here: { count: hub.users.count + (isHere ? 0 : 1), users: [username, ...others] },
      messages: count === 0 ? [] : messages.history.recent(account, Math.min(count, MAX_HISTORY)),
      rooms: named(rooms.namesOf(account)),
      // Another session of the user's has seen them.
      seen: isHere ? undefined : mailboxes.seen(account),
    };
  } catch {
    return undefined;
  }
}

/** Undefined where there are none. */
function named(names: string[]): string[] | undefined {
  return names.length === 0 ? undefined : names;
}
