import { type DeliveryCounts, noDeliveries } from "../protocol/delivery_sender.ts";
import type { ErrorCode } from "../protocol/errors.ts";

/** What has happened since the server was started: numbers that only grow. */
export interface Counts {
  /** New logins, and clients that came back. */
  logins: { new: number; returned: number };
  /** Why logins were refused, by what the client was told. */
  refusedLogins: Map<ErrorCode, number>;
  /** Messages that were stored; in a cluster, at any of its servers. */
  messages: { public: number; room: number; direct: number };
  deliveries: DeliveryCounts;
  /** UDP. What was dropped has come, and was no new packet of a session. */
  datagrams: { received: number; sent: number; dropped: number };
}

export function noCounts(): Counts {
  return {
    logins: { new: 0, returned: 0 },
    refusedLogins: new Map(),
    messages: { public: 0, room: 0, direct: 0 },
    deliveries: noDeliveries(),
    datagrams: { received: 0, sent: 0, dropped: 0 },
  };
}
