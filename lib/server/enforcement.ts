import type { OperationEvent } from "../journal/events.ts";
import { describeBan, describeMute } from "../messages/operator_table.ts";
import { encodeRecord } from "../protocol/records.ts";
import type { ServerRole } from "../protocol/roles.ts";
import type { Hub } from "./hub.ts";

/** What an operator has done takes effect on who is here, and who it is done to is told. */
export function enforce(event: OperationEvent, hub: Hub): void {
  const { what, user = null, until = null, why = null } = event;
  const reason = why === null ? "" : `: ${why}`;
  switch (what) {
    case "kick":
      return hub.expel(user!, `you were sent away by an operator${reason}`, { code: "kicked" });
    case "ban":
      return hub.expel(user!, describeBan({ until, why }), { code: "banned" });
    case "mute":
      return hub.tell(user!, notice(describeMute({ user, until, why })));
    case "unmute":
      return hub.tell(user!, notice("you are not muted any more"));
    case "quiet":
      return hub.tellAll(notice(describeMute({ user, until, why })));
    case "unquiet":
      return hub.tellAll(notice("everybody may write again"));
    case "unban":
    case "ban-address":
    case "unban-address":
    case "lock":
    case "unlock":
  }
}

/** Who has another role on the server is told. */
export function tellRole(account: string, role: ServerRole, hub: Hub): void {
  const said = role === "operator" ? "you are an operator" : "you are no operator any more";
  hub.tell(account, notice(said));
}

function notice(message: string): string {
  return encodeRecord({ type: "notice", message });
}
