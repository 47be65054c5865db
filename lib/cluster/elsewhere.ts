import type { Progress } from "../protocol/records.ts";

/** An active user of another server. */
export interface RemoteUser {
  username: string;
  sessions: number;
}

/** How a message got to an account's sessions. */
export type Mark = "udp" | "tcp" | "waits";

/** How far a message got at one server. */
export interface Marks {
  /** The accounts that have sessions at no other server. */
  alone: Progress;
  /** The others, by key; the addressee of a direct message by the empty one. */
  shared: readonly (readonly [account: string, mark: Mark])[];
}

/** Who is at the other servers of a cluster. */
export interface Elsewhere extends AsyncDisposable {
  /** The users, by the accounts' keys; one who is at several servers has all their sessions. */
  readonly users: ReadonlyMap<string, RemoteUser>;
  /** A user has so many sessions at this server now. */
  note(key: string, user: RemoteUser): void;
  /** How far a message got at each of the other servers that answers within a second; undefined where there is none. */
  marks(message: number): Promise<Marks[]> | undefined;
  /** Is told that a user has come to the other servers, or has gone from all of them. */
  onUser: (key: string, user: RemoteUser, change: "came" | "went") => void;
  /**
   * Is told that a user has more sessions here, and that all servers know: also of what others said before they could know
   * of these.
   */
  onCounted: (key: string) => void;
  /** Answers what others ask by {@linkcode marks}. */
  onMarks: (message: number) => Marks;
}

/** One server alone. */
export const NOWHERE: Elsewhere = {
  users: new Map(),
  note: () => {},
  marks: () => undefined,
  onUser: () => {},
  onCounted: () => {},
  onMarks: () => ({ alone: { users: 0, udp: 0, tcp: 0 }, shared: [] }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
