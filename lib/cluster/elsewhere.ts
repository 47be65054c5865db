/** An active user of another server. */
export interface RemoteUser {
  username: string;
  sessions: number;
}

/** Who is at the other servers of a cluster. */
export interface Elsewhere {
  /** The users, by the accounts' keys; one who is at several servers has all their sessions. */
  readonly users: ReadonlyMap<string, RemoteUser>;
  /** A user has so many sessions at this server now. */
  note(key: string, user: RemoteUser): void;
}

/** One server alone. */
export const NOWHERE: Elsewhere = { users: new Map(), note: () => {} };
