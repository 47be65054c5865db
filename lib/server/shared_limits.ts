import type { Elsewhere } from "../cluster/elsewhere.ts";
import type { Uses } from "../cluster/uses.ts";
import type { Services } from "./services.ts";

/**
 * Has limits of an account, and of an address, hold at all servers of a cluster together: what is used at one counts
 * at each. While the others can't be heard, a server's own limits go on.
 */
export function shareLimits(
  { hub: { rates }, throttle, registrations }: Pick<
    Services,
    "hub" | "throttle" | "registrations"
  >,
  others: Elsewhere & Uses,
): void {
  rates.isElsewhere = (account) => others.users.has(account);
  rates.onUsed = (used) =>
    others.tell([...used].map(([account, count]) => ({ what: "commands", account, count })));
  throttle.onPassword = (password) => others.tell([{ what: "password", ...password }]);
  registrations.onMade = (address) => others.tell([{ what: "registration", address }]);
  others.onUses = (uses) => {
    for (const use of uses) {
      if (use.what === "commands") rates.takeElsewhere(use.account, use.count);
      else if (use.what === "password") throttle.countElsewhere(use);
      else registrations.countElsewhere(use.address);
    }
  };
}
