import {
  type CommandSpec,
  completionsCommand,
  type FlagSpec,
  type ProgramSpec,
} from "../usage/table.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { HISTORY_RULES, type HistoryRule } from "../messages/mailboxes.ts";
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
/** @throws {ExitError} `usage` */
export function parseHistoryRule(text = "joined"): HistoryRule {
  const rule = HISTORY_RULES.find((rule) => rule === text);
  if (rule === undefined) {
    throw new ExitError(ExitCode.usage, `--history is one of: ${HISTORY_RULES.join(", ")}`);
  }
  return rule;
}

/** What an operator can do to the accounts. */
export const USER_ACTIONS = ["add", "list", "passwd", "remove"] as const;
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
  ],
};
