import type { ControlRequest } from "./control.ts";
import {
  type ArgumentSpec,
  type CommandSpec,
  completionsCommand,
  type FlagSpec,
  type ProgramSpec,
} from "../usage/table.ts";
import { parsePort } from "../command_line.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { HISTORY_RULES, type HistoryRule } from "../messages/mailboxes.ts";
import { SERVER_ROLES } from "../protocol/roles.ts";
import { LIMITS } from "./limits.ts";

const DATA: FlagSpec = {
  name: "data",
  value: "FOLDER",
  what: "where accounts, identity and messages are kept (default: the current folder)",
  offer: "folder",
};

const LIMIT_FLAGS: readonly FlagSpec[] = Object.values(LIMITS).map(
  ({ flag, what, default: normal }) => ({
    name: flag,
    value: "N",
    what: `${what} (default: ${normal})`,
    heading: "Limits",
  }),
);

const CLUSTER_FLAGS: readonly FlagSpec[] = [
  {
    name: "cluster",
    value: "ADDRESSES",
    what: "be one chat with all servers that have the same NATS, with JetStream: " +
      "nats://host:4222, or several with commas between them",
    heading: "Several servers",
  },
  {
    name: "cluster-credentials",
    value: "FILE",
    what: "log in to NATS with a credentials file, or the seed of a user's nkey",
    offer: "file",
    heading: "Several servers",
  },
  {
    name: "cluster-ca",
    value: "FILE",
    what: "speak TLS with NATS; its certificates are checked with those in this file (PEM)",
    offer: "file",
    heading: "Several servers",
  },
];

/**
 * @param port the chat's
 * @throws {ExitError} `usage`
 */
export function parseMetricsPort(text: string | undefined, port: number): number | undefined {
  if (text === undefined) return undefined;
  try {
    const metrics = parsePort(text, 0);
    if (metrics === 0 || metrics !== port) return metrics;
  } catch (error) {
    throw new ExitError(ExitCode.usage, `--metrics: ${(error as Error).message}`);
  }
  throw new ExitError(ExitCode.usage, `--metrics: ${port} is the chat's port: choose another one`);
}

/** @throws {ExitError} `usage` */
export function parseHistoryRule(text = "joined"): HistoryRule {
  const rule = HISTORY_RULES.find((rule) => rule === text);
  if (rule === undefined) {
    throw new ExitError(ExitCode.usage, `--history is one of: ${HISTORY_RULES.join(", ")}`);
  }
  return rule;
}

/** What an operator can do to the accounts. */
export const USER_ACTIONS = ["add", "list", "passwd", "remove", "role"] as const;
export type UserAction = (typeof USER_ACTIONS)[number];

function userCommand(
  action: UserAction,
  rest: Pick<CommandSpec, "summary"> & Partial<CommandSpec>,
): CommandSpec {
  return {
    words: ["users", action],
    description: [],
    arguments: [{
      name: "username",
      what: "the account's name; for remove it may be a pattern in quotation marks, too: " +
        '"spam*", "user??"',
    }],
    flags: [DATA],
    examples: [],
    ...rest,
  };
}

const USERNAME: ArgumentSpec = { name: "username", what: "the account's name" };
const ADDRESS: ArgumentSpec = {
  name: "address",
  what: "an IPv4 address, or an IPv6 address, which stands for its /64 network",
};
const MESSAGE: ArgumentSpec = {
  name: "message",
  what: "the message's number, which chatserver control messages shows",
};
const COUNT: FlagSpec = {
  name: "count",
  value: "N",
  what: "so many, the last ones (default: 20)",
};
const WHY: FlagSpec = { name: "why", value: "TEXT", what: "what the user is told" };
const FOR: FlagSpec = {
  name: "for",
  value: "TIME",
  what: "for how long: 10m, 2h, 1d (default: until an operator ends it)",
};

/** What can be asked of a running server, and what it takes. */
const CONTROLS: Record<
  ControlRequest["command"],
  { summary: string; takes?: ArgumentSpec; flags?: readonly FlagSpec[] }
> = {
  status: { summary: "shows how a running server is" },
  sessions: { summary: "lists who is here, from where, since when, and what waits" },
  announce: {
    summary: "makes an announcement to everybody",
    takes: { name: "text", what: "the announcement, in quotation marks" },
  },
  kick: { summary: "ends a user's sessions", takes: USERNAME, flags: [WHY] },
  mute: { summary: "refuses what a user writes", takes: USERNAME, flags: [FOR, WHY] },
  unmute: { summary: "lets a user write again", takes: USERNAME },
  quiet: { summary: "lets only operators write", flags: [FOR, WHY] },
  unquiet: { summary: "lets everybody write again" },
  ban: {
    summary: "ends a user's sessions and refuses the login",
    takes: USERNAME,
    flags: [FOR, WHY],
  },
  unban: { summary: "lets a user in again", takes: USERNAME },
  "ban-address": {
    summary: "takes no new accounts from an address, nor logins there of accounts made since",
    takes: ADDRESS,
    flags: [FOR, WHY],
  },
  "unban-address": { summary: "takes new accounts from an address again", takes: ADDRESS },
  messages: { summary: "lists the last messages to everybody, by their numbers", flags: [COUNT] },
  delete: {
    summary: "deletes a message to everybody or in a room, and leaves a mark",
    takes: MESSAGE,
    flags: [WHY],
  },
  lock: {
    summary: "takes no new accounts, as --closed, but from now on and for a time",
    flags: [FOR, WHY],
  },
  unlock: { summary: "takes new accounts again" },
  restrictions: { summary: "lists who is muted or banned" },
  operations: {
    summary: "lists what operators did",
    flags: [COUNT],
  },
  whois: { summary: "says who a user is", takes: USERNAME },
};
export const CONTROL_NAMES = Object.keys(CONTROLS) as ControlRequest["command"][];

const controlCommands: readonly CommandSpec[] = CONTROL_NAMES.map((name) => {
  const { summary, takes, flags = [] } = CONTROLS[name];
  return {
    words: ["control", name],
    summary,
    description: [
      "Asks the server that runs in a data folder, without joining; by a socket in it that only its owner may use. " +
      "Not on Windows.",
    ],
    arguments: takes === undefined ? [] : [takes],
    flags: [...flags, { name: "json", what: "the answer as one line of JSON" }, DATA],
    examples: [],
  };
});

/** The command line of `chatserver`. */
export const CHATSERVER: ProgramSpec = {
  name: "chatserver",
  summary: "serves a chat",
  commands: [
    {
      words: [],
      summary: "serves a chat",
      description: ["Serves a chat on a port, TCP and UDP, until Ctrl-C."],
      arguments: [{ name: "port", what: "1 to 65535; 0 lets the system choose one" }],
      flags: [
        {
          name: "host",
          value: "ADDRESS",
          what: "the address to listen on (default: every address)",
          offer: "host",
        },
        {
          name: "advertise",
          value: "ADDRESS",
          what:
            "in a cluster: where clients reach this server, with :PORT where it is another one " +
            "(default: what --host says, or an address of this machine)",
        },
        DATA,
        {
          name: "closed",
          what: 'no new accounts, but those that "chatserver users add" makes',
        },
        {
          name: "history",
          value: "SINCE",
          what:
            "which messages to everybody a user may read: joined, those since the account was " +
            "made; all, those before, too (default: joined)",
          offer: HISTORY_RULES,
        },
        {
          name: "hidden",
          what:
            "do not tell the local network that the server is here: a client without arguments " +
            "does not list it",
        },
        {
          name: "metrics",
          value: "PORT",
          what:
            "tell Prometheus how the server is, at http://127.0.0.1:PORT/metrics, which only this machine " +
            "reaches; 0 lets the system choose a port",
        },
        { name: "plain", what: "no encryption: anybody on the network can read along" },
        ...CLUSTER_FLAGS,
        ...LIMIT_FLAGS,
      ],
      examples: [
        { line: "chatserver 1300", what: "with the data in the current folder" },
        {
          line: "chatserver 1300 --data /var/lib/chatserver --closed",
          what: "for those who have an account already",
        },
        {
          line: "chatserver 1300 --cluster nats://10.0.0.1:4222,nats://10.0.0.2:4222",
          what: "as one of several servers that are one chat",
        },
      ],
    },
    userCommand("add", {
      summary: "makes an account; asks for its password",
      description: [
        "Manages the accounts in a data folder, also of a server that is running: it sees a change " +
        "within three seconds.",
      ],
      examples: [
        { line: "chatserver users add anna --data /var/lib/chatserver", what: "a new account" },
      ],
    }),
    userCommand("list", { summary: "lists the accounts", arguments: [] }),
    userCommand("passwd", { summary: "gives an account a new password, which it asks for" }),
    userCommand("remove", {
      summary: "removes an account, or many",
      flags: [
        {
          name: "created-after",
          value: "TIME",
          what: "remove only accounts made then or later: 2026-01-31, or 2026-01-31T09:30Z (UTC)",
        },
        {
          name: "created-before",
          value: "TIME",
          what: "remove only accounts made before",
        },
        { name: "dry-run", what: "remove nothing, and say what would be removed" },
        DATA,
      ],
      examples: [
        {
          line: 'chatserver users remove "spam*" --created-after 2026-01-31 --dry-run',
          what: "see which accounts that would be",
        },
      ],
    }),
    userCommand("role", {
      summary: "makes an account an operator of the server, or a user again",
      description: [
        "An operator can send users away, keep them from writing or from coming back, and speak for " +
        "the server. Nobody is one by itself. A server that is running sees the change within three seconds.",
      ],
      arguments: [
        { name: "username", what: "the account's name" },
        { name: "role", what: `one of ${SERVER_ROLES.join(", ")}`, offer: SERVER_ROLES },
      ],
      examples: [
        {
          line: "chatserver users role anna operator --data /var/lib/chatserver",
          what: "an operator",
        },
      ],
    }),
    ...controlCommands,
    completionsCommand("chatserver"),
  ],
  exitCodes: [
    [0, "done"],
    [1, "anything unforeseen"],
    [2, "usage: a wrong command line, or input that ended before it should"],
    [4, "refused: the port, the data folder, an account, the cluster"],
  ],
  files: [
    ["credentials.txt", "the accounts: names, and hashes of the passwords"],
    ["identity.pem", "the server's key and certificate"],
    ["messages.db", "the messages of the last days"],
    ["control.sock", "where chatserver control reaches a server that runs"],
  ],
};
