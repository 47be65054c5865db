/**
 * The one table of what a user may type, in either style. A new command is an entry here and its function
 * in one of the files beside.
 *
 * @module
 */
import type { Named } from "../input.ts";
import type { Talk } from "../talk.ts";
import { block, changePassword } from "./account.ts";
import { deleteMessage } from "./deleting.ts";
import { find, history, status } from "./looking_back.ts";
import { announce, ban, kick, lock, mute, operations, whois } from "./operating.ts";
import { direct, publish, reply } from "./sending.ts";
import { invite, join, leave, list, manage, say, topic, who } from "./rooms.ts";
import { settings, switchStyle } from "./settings.ts";
import { help } from "./showing.ts";

/** A command of the user's. */
export interface ChatCommand extends Named {
  /** What may stand after the name, for people. */
  arguments: string;
  help: string;
  /** Whether it is done without the server. @default false */
  local?: boolean;
  /** `rest` is what stands after the name. @returns "leave" where the user wants to */
  run: (talk: Talk, rest: string) => Promise<void | "leave"> | void;
}

/** @throws {RequestError | InputError} from `run`, where the command can't be done */
export const COMMANDS: readonly ChatCommand[] = [
  {
    name: "PM",
    words: ["pm", "all", "say", "me", "shout"],
    arguments: "[text]",
    help: "a message to everybody",
    run: publish,
  },
  {
    name: "DM",
    words: ["dm", "msg", "query", "tell", "w", "whisper"],
    arguments: "[name] [text]",
    help: "a message to one user; also @name text",
    run: direct,
  },
  {
    name: "RE",
    words: ["re", "r", "reply"],
    arguments: "[text]",
    help: "answers the last direct message",
    run: reply,
  },
  {
    name: "JO",
    words: ["jo", "join", "j"],
    arguments: "#room",
    help: "joins a room, or makes it",
    run: join,
  },
  {
    name: "LV",
    words: ["lv", "leave", "part"],
    arguments: "#room",
    help: "leaves a room for good",
    run: leave,
  },
  {
    name: "RM",
    words: ["rm", "room"],
    arguments: "[#room] [text]",
    help: "a message to a room",
    run: say,
  },
  {
    name: "LS",
    words: ["ls", "list", "rooms", "channels"],
    alone: ["rooms"],
    arguments: "",
    help: "the rooms",
    run: list,
  },
  {
    name: "TO",
    words: ["to", "topic"],
    arguments: "#room [text]",
    help: "a room's topic; - takes it away",
    run: topic,
  },
  {
    name: "IN",
    words: ["in", "invite"],
    arguments: "#room name",
    help: "invites a user to a room",
    run: invite,
  },
  {
    name: "RO",
    words: ["ro"],
    arguments: "#room what [name]",
    help: "runs a room: kick, ban, mute, moderator, closed ...",
    run: manage,
  },
  {
    name: "WH",
    words: ["wh", "who", "names", "users"],
    alone: ["who", "names"],
    arguments: "[#room]",
    help: "who is here, or in a room",
    run: who,
  },
  {
    name: "HI",
    words: ["hi", "history", "last", "lastlog"],
    arguments: "[number] [name]",
    help: "the last messages, with a user or of a #room",
    run: history,
  },
  {
    name: "FI",
    words: ["fi", "find", "search", "grep"],
    arguments: "text",
    help: "messages of the past with this text",
    run: find,
  },
  {
    name: "ST",
    words: ["st", "status"],
    arguments: "[number]",
    help: "how far your last messages got",
    run: status,
  },
  {
    name: "BL",
    words: ["bl", "block", "ignore", "unblock", "unignore", "mute"],
    arguments: "[name]",
    help: "shows nothing more of a user; again: does",
    run: block,
  },
  {
    name: "KI",
    words: ["ki", "kick"],
    arguments: "name [why]",
    help: "operators: sends a user away, until the next login",
    run: kick,
  },
  {
    name: "MU",
    words: ["mu", "silence"],
    arguments: "name [10m why]",
    help: "operators: mutes a user, or all; MU name off; MU",
    run: mute,
  },
  {
    name: "BA",
    words: ["ba", "ban"],
    arguments: "name [2h why]",
    help: "operators: bans a user; BA name off; BA",
    run: ban,
  },
  {
    name: "LO",
    words: ["lo", "lock"],
    arguments: "[2h why]",
    help: "operators: takes no new accounts; LO off; LO",
    run: lock,
  },
  {
    name: "AN",
    words: ["an", "announce", "wall"],
    arguments: "[text]",
    help: "operators: an announcement to everybody",
    run: announce,
  },
  {
    name: "DE",
    words: ["de", "delete", "redact"],
    arguments: "[number [why]]",
    help: "operators, moderators: deletes a message; DE lists them",
    run: deleteMessage,
  },
  {
    name: "WI",
    words: ["wi", "whois"],
    arguments: "name",
    help: "operators: who a user is",
    run: whois,
  },
  {
    name: "AU",
    words: ["au", "audit"],
    arguments: "[number]",
    help: "operators: what operators did",
    run: operations,
  },
  {
    name: "SE",
    local: true,
    words: ["se", "set", "settings"],
    arguments: "[name value]",
    help: "shows the settings, or changes one",
    run: settings,
  },
  {
    name: "PW",
    words: ["pw", "passwd", "password"],
    alone: ["passwd"],
    arguments: "",
    help: "asks for another password",
    run: changePassword,
  },
  {
    name: "HE",
    local: true,
    words: ["he", "help", "?", "h", "commands"],
    alone: ["help", "?"],
    arguments: "",
    help: "this list",
    run: (talk) => help(talk, COMMANDS),
  },
  {
    name: "EX",
    local: true,
    words: ["ex", "exit", "quit", "q", "bye", "logout", "disconnect"],
    alone: ["exit", "quit", "logout", "bye", ":q"],
    arguments: "",
    help: "leaves",
    run: () => Promise.resolve("leave"),
  },
  {
    name: "/compact",
    local: true,
    words: ["compact"],
    arguments: "",
    help: "shows a message in one line, until you leave",
    run: (talk) => switchStyle(talk, "compact"),
  },
  {
    name: "/classic",
    local: true,
    words: ["classic"],
    arguments: "",
    help: "shows it in several, with the menu",
    run: (talk) => switchStyle(talk, "classic"),
  },
];

/** The command that sends direct messages. */
export const DIRECT = COMMANDS.find(({ name }) => name === "DM")!;
