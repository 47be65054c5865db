import { FINDINGS, type Problem } from "./doctor/finding.ts";
import {
  type CommandSpec,
  completionsCommand,
  type FlagSpec,
  type ProgramSpec,
} from "../usage/table.ts";
import { ExitCode } from "../exit.ts";

/** What {@linkcode FINDINGS} mean, for `--help`. */
const PROBLEMS: Readonly<Record<Problem, string>> = {
  identity: "the server is not who it should be, or does not show who it is",
  name: "the name is not known",
  route: "no way leads to the server",
  "no-answer": "nobody answers",
  port: "nobody listens at the port",
  "no-chat-server": "something else answers",
  encryption: "one side speaks TLS, the other one does not",
  version: "the versions do not fit",
  "udp-here": "this machine can't use UDP",
  "udp-to-server": "UDP does not get to the server",
  "udp-from-server": "UDP does not come back",
  "packet-size": "large packets get lost",
  loss: "many packets get lost",
  clock: "a clock is wrong",
  terminal: "the terminal does not show UTF-8",
};

const PORT = { name: "port", what: "the port" };
const HOST = {
  name: "host",
  what:
    "the server's name or address; of several servers of one chat all of them, with commas: a,b,c. One may have " +
    "its own port: a,b:1301,[::1]:1302",
  offer: "host",
} as const;

/** Which server is believed. */
const TRUST: readonly FlagSpec[] = [
  {
    name: "fingerprint",
    value: "SHA256",
    what: "the fingerprint that the server has to have, as it printed it (SHA256:...), or in " +
      "hexadecimal",
  },
  {
    name: "config",
    value: "FOLDER",
    what: "where the servers met before and the settings are kept (default: the platform's folder)",
    offer: "folder",
  },
  { name: "plain", what: "no encryption: anybody on the network can read along" },
];

/** Where a password stands that nobody is asked for. */
const PASSWORD: readonly FlagSpec[] = [
  {
    name: "password-file",
    value: "FILE",
    what: "the password is the first line of this file, which nobody else may read",
    offer: "file",
  },
  {
    name: "password-fd",
    value: "N",
    what: "the same of a file descriptor: a pipe, or 0 for the first line of the input",
  },
];

const SEND: CommandSpec = {
  words: ["send"],
  summary: "sends one message",
  description: [
    "Sends one message and ends; the exit code says whether the server has stored it. Messages that " +
    "wait for the user are left for another login. It asks nobody for the password: " +
    "--password-file or --password-fd is needed.",
  ],
  arguments: [
    HOST,
    PORT,
    { name: "username", what: "who sends it; the account is made at the first login" },
    { name: "text", what: 'the message; "-" takes it from standard input' },
  ],
  flags: [
    { name: "to", value: "NAME", what: "only to this user (default: to everybody)" },
    ...PASSWORD,
    { name: "timeout", value: "SECONDS", what: "how long it may take (default: 30)" },
    ...TRUST,
  ],
  examples: [
    {
      line: 'chatclient send lab 1300 builder "backup done" --password-file pw',
      what: "to everybody",
    },
    {
      line: "tail log | chatclient send lab 1300 builder - --to anna --password-file pw",
      what: "the end of a file to anna",
    },
  ],
  exitCodes: [
    [ExitCode.done, "the server has stored the message. With any code but 6 it has not"],
    [ExitCode.unforeseen, "anything unforeseen"],
    [ExitCode.usage, "usage: a wrong command line, or no text that can be sent"],
    [ExitCode.unreachable, "the server can't be reached, or is no chat server"],
    [ExitCode.refused, "refused: the password, the user, the text"],
    [ExitCode.identity, "the server is not who it should be, or does not show who it is"],
    [ExitCode.unknown, "nobody knows: the message was sent, and no answer came"],
  ],
};

const DOCTOR: CommandSpec = {
  words: ["doctor"],
  summary: "finds out what is wrong between here and a server",
  description: [
    "Finds out what is wrong between this machine and a server: name, TCP, identity, version, clock, " +
    "UDP both ways, the largest packet, loss and round trip (over two seconds), and the terminal. It " +
    "needs no account, sends no message, and remembers nothing.",
  ],
  arguments: [HOST, PORT],
  flags: [
    { name: "json", what: "each finding as a JSON object, one a line (docs/JSON.md)" },
    ...TRUST,
  ],
  examples: [
    { line: "chatclient doctor 10.0.0.114 1300", what: "what is found, and what will likely help" },
  ],
  exitCodes: [
    [ExitCode.done, "nothing is wrong; otherwise the first thing that is:"],
    [ExitCode.unforeseen, "anything unforeseen"],
    [ExitCode.usage, "usage: a wrong command line"],
    ...Object.entries(PROBLEMS).map(([problem, meaning]) =>
      [FINDINGS[problem as Problem], meaning] as const
    ),
  ],
};

/** The command line of `chatclient`. */
export const CHATCLIENT: ProgramSpec = {
  name: "chatclient",
  summary: "joins a chat",
  commands: [
    {
      words: [],
      summary: "joins a chat",
      description: [
        "Joins a chat; the account is made at the first login. Without a host it lists the servers " +
        "that answer on the local network, and asks which one to join.",
        "Once logged in: PM sends a message to everybody, DM to one user, EX leaves. In one line: " +
        '"PM hello everybody", "DM joe hello joe". HI shows the last messages: HI, HI 50, HI joe, HI ' +
        "50 joe. HE lists all commands, /compact shows each message in one line. A connection that is " +
        "lost comes back by itself.",
        "A command's name (send, doctor, completions) stands first; a host of that name needs -- " +
        "before it.",
      ],
      synopsis: "[<host> <port> [<username>]]",
      arguments: [
        {
          ...HOST,
          what: `${HOST.what}. Without it, a list of the servers near by`,
          optional: true,
        },
        { ...PORT, optional: true },
        {
          name: "username",
          what:
            '1 to 32 letters, digits, ".", "_" or "-" (default: your name on this system). One ' +
            'that begins with "-" needs -- before the arguments',
          optional: true,
        },
      ],
      flags: [
        {
          name: "compact",
          what: "a message in one line; SE style compact, once logged in, keeps that",
        },
        {
          name: "color",
          value: "WHEN",
          what: "whether names have colours: auto, always or never (default: auto)",
          offer: ["auto", "always", "never"],
        },
        ...PASSWORD,
        {
          name: "json",
          what: "for programs: commands and events as JSON, one a line (docs/JSON.md)",
        },
        ...TRUST,
      ],
      examples: [
        { line: "chatclient", what: "choose from the servers on the local network" },
        {
          line: "chatclient 10.0.0.114 1300 anna --compact",
          what: "join as anna; a message is one line",
        },
        {
          line: "chatclient lab 1300 --fingerprint SHA256:5cUe...",
          what: "be sure of the server at the first contact; your name is that on this system",
        },
        {
          line: "chatclient a,b,c 1300 anna",
          what:
            "three servers that are one chat: the first that is there, and when it dies another one",
        },
        {
          line: "chatclient --json lab 1300 bot --password-file pw",
          what: "a bot's connection; the password is in a file that only its owner may read",
        },
      ],
    },
    SEND,
    DOCTOR,
    completionsCommand("chatclient"),
  ],
  exitCodes: [
    [ExitCode.done, "done"],
    [ExitCode.unforeseen, "anything unforeseen, or nobody reads the output any more"],
    [
      ExitCode.usage,
      "usage: a wrong command line, or input that ended in the middle of a dialogue",
    ],
    [ExitCode.unreachable, "the server can't be reached, has ended, or is no chat server"],
    [
      ExitCode.refused,
      "refused: the username, the passwords, or by the server; through a pipe: also one of the " +
      "commands",
    ],
    [ExitCode.identity, "the server is not who it should be, or does not show who it is"],
  ],
  files: [
    [
      "~/.config/chatclient/known_servers",
      "the servers met before, with their certificates. On macOS it is below ~/Library/Application " +
      "Support, on Windows below %APPDATA%",
    ],
    ["~/.config/chatclient/settings.toml", "what SE changes, with an explanation of each setting"],
  ],
};
