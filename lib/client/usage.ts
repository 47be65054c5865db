import { completionsCommand, type ProgramSpec } from "../usage/table.ts";

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
        "50 joe. ST shows how far your last message got, ST 5 your last five. A connection that is " +
        "lost comes back by itself.",
      ],
      synopsis: "[<host> <port> [<username>]]",
      arguments: [
        {
          name: "host",
          what: "the server's name or address; without it, a list of the servers near by",
          offer: "host",
          optional: true,
        },
        { name: "port", what: "the server's port", optional: true },
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
          name: "fingerprint",
          value: "SHA256",
          what:
            "the fingerprint that the server has to have, as it printed it (SHA256:...), or in " +
            "hexadecimal",
        },
        {
          name: "config",
          value: "FOLDER",
          what: "where the servers met before are kept (default: the platform's folder)",
          offer: "folder",
        },
        { name: "plain", what: "no encryption: anybody on the network can read along" },
      ],
      examples: [
        { line: "chatclient", what: "choose from the servers on the local network" },
        { line: "chatclient 10.0.0.114 1300 anna", what: "join as anna" },
        {
          line: "chatclient lab 1300 --fingerprint SHA256:5cUe...",
          what: "be sure of the server at the first contact; your name is that on this system",
        },
        {
          line: "{ cat password; echo PM the build is done; } | chatclient lab 1300 builder",
          what: "one message from a script: the password is asked for first, and is in a file",
        },
      ],
    },
    completionsCommand("chatclient"),
  ],
  exitCodes: [
    [0, "done"],
    [1, "anything unforeseen"],
    [2, "usage: a wrong command line, or input that ended in the middle of a dialogue"],
    [3, "the server can't be reached, has ended, or is no chat server"],
    [4, "refused: the username, the passwords, or by the server"],
    [5, "the server is not who it should be, or does not show who it is"],
  ],
  files: [
    [
      "~/.config/chatclient/known_servers",
      "the servers met before, with their certificates. On macOS it is below ~/Library/Application " +
      "Support, on Windows below %APPDATA%",
    ],
  ],
};
