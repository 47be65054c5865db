/** What somebody did at one server of a cluster, and what counts at all of them together. */
export type Use =
  /** An account's commands, all its sessions together. */
  | { what: "commands"; account: string; count: number }
  /** A password that was given. `known`: somebody had logged in to the account from there. */
  | { what: "password"; account: string; address: string; right: boolean; known: boolean }
  /** An address has made an account. */
  | { what: "registration"; address: string };

/** Servers tell each other what counts for limits, as long as they can; each keeps its own count in any case. */
export interface Uses {
  /** Tells the other servers; nobody is sure to hear it. */
  tell(uses: readonly Use[]): void;
  /** Is told what the others tell. */
  onUses: (uses: readonly Use[]) => void;
}
