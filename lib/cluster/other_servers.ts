import type { NamedServer } from "../protocol/records.ts";

/** The other servers of a cluster, as clients reach them. */
export interface OtherServers {
  /** Those that take clients now, each once, in an order that is the same at each call until they change. */
  readonly servers: readonly NamedServer[];
  /** Is called when `servers` is another one. */
  onChange: () => void;
  /** From now on this server takes clients, here. */
  announce(self: NamedServer): void;
  /** From now on it takes none any more. Fulfilled when the others have been told, or can't be. */
  withdraw(): Promise<void>;
}

/** One server alone. */
export function alone(): OtherServers {
  return { servers: [], onChange: () => {}, announce: () => {}, withdraw: () => Promise.resolve() };
}
