/**
 * Who may do what: the one table. Each role may do what those before it may.
 *
 * @module
 */

/** From the least to the most: of everybody, of those in a room, of who runs the server. */
export const ROLES = ["user", "member", "moderator", "owner", "operator"] as const;
export type Role = (typeof ROLES)[number];

/** What somebody is in a room. */
export const ROOM_ROLES = ["member", "moderator", "owner"] as const;
export type RoomRole = (typeof ROOM_ROLES)[number];

/** What is done to a room, or to somebody in it: the role that it takes, and what has to be said with it. */
export const ACTS = {
  invite: { role: "member", takes: "user" },
  topic: { role: "moderator", takes: "text" },
  kick: { role: "moderator", takes: "user" },
  ban: { role: "moderator", takes: "user" },
  unban: { role: "moderator", takes: "user" },
  mute: { role: "moderator", takes: "user" },
  unmute: { role: "moderator", takes: "user" },
  moderator: { role: "owner", takes: "user" },
  member: { role: "owner", takes: "user" },
  owner: { role: "owner", takes: "user" },
  open: { role: "owner", takes: "nothing" },
  closed: { role: "owner", takes: "nothing" },
  "from-join": { role: "owner", takes: "nothing" },
  "from-start": { role: "owner", takes: "nothing" },
} as const satisfies Record<string, { role: Role; takes: "user" | "text" | "nothing" }>;
export type Act = keyof typeof ACTS;
export const ACT_NAMES = Object.keys(ACTS) as Act[];

/** Acts by which others are told something of one's own: who is muted can't do them either. */
export const TELLING: ReadonlySet<Act> = new Set(["invite", "topic"]);

/** What an account is on the server, apart from every room. */
export const SERVER_ROLES = ["user", "operator"] as const;
export type ServerRole = (typeof SERVER_ROLES)[number];

/**
 * What operators do on the server: to whom or what it is done, and whether it lasts for a time. All of it takes an
 * operator, but that `delete` has a right of its own.
 */
export const OPERATIONS = {
  kick: { takes: "user", lasts: false },
  mute: { takes: "user", lasts: true },
  unmute: { takes: "user", lasts: false },
  quiet: { takes: "nothing", lasts: true },
  unquiet: { takes: "nothing", lasts: false },
  ban: { takes: "user", lasts: true },
  unban: { takes: "user", lasts: false },
  "ban-address": { takes: "address", lasts: true },
  "unban-address": { takes: "address", lasts: false },
  lock: { takes: "nothing", lasts: true },
  unlock: { takes: "nothing", lasts: false },
  announce: { takes: "nothing", lasts: false },
  delete: { takes: "message", lasts: false },
} as const satisfies Record<
  string,
  { takes: "user" | "address" | "message" | "nothing"; lasts: boolean }
>;
export type Operation = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as Operation[];

/** The role that each thing takes. In a room it is the role in that room. */
export const RIGHTS = {
  chat: "user",
  join: "user",
  leave: "member",
  say: "member",
  read: "member",
  ...mapActs(({ role }) => role),
  /**
   * To delete a message of the room, which is one's own or of somebody with a lower role; in the lobby nobody is a
   * moderator, so there it takes an operator, who may delete any message but direct ones.
   */
  delete: "moderator",
  /** Everything else in {@linkcode OPERATIONS}. */
  operate: "operator",
  /** To see what operators did, who is kept from what, and who somebody is. */
  inspect: "operator",
} as const satisfies Record<string, Role>;
export type Right = keyof typeof RIGHTS;

/** Whether a role may do something. */
export function may(role: Role, right: Right): boolean {
  return rank(role) >= rank(RIGHTS[right]);
}

/** Whether a role is higher than another one: only then its holder may act on who holds the other one. */
export function outranks(role: Role, other: Role): boolean {
  return rank(role) > rank(other);
}

function rank(role: Role): number {
  return ROLES.indexOf(role);
}

function mapActs(value: (act: { role: Role }) => Role): Record<Act, Role> {
  return Object.fromEntries(
    Object.entries(ACTS).map(([name, act]) => [name, value(act)]),
  ) as Record<
    Act,
    Role
  >;
}
