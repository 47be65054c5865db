import { legibleLine } from "../../console/foreign.ts";
import { foldUsername } from "../../protocol/names.ts";
import type { RoomSummary, UserSummary } from "../../protocol/records.ts";
import { type Act, ACT_NAMES, ACTS } from "../../protocol/roles.ts";
import { duration, localTime } from "../format.ts";
import { checkText, InputError, roomOf, type Talk } from "../talk.ts";

/** `JO #lab`: from then on plain text of the compact style goes there. */
export async function join(talk: Talk, rest: string): Promise<void> {
  const { room, topic, members, role, made } = await talk.client.join(roomOf(rest, "JO #lab"));
  talk.view.rooms.add(room);
  if (talk.view.compact) talk.target = { room };
  const name = roomName(room);
  const others = members === 1 ? "nobody else is in it" : `${members} members`;
  talk.view.tell(
    made === true ? [`You have made ${name}, and own it. IN ${name} name invites somebody.`] : [
      `You are in ${name}: ${others}${role === "member" ? "" : `; you are its ${role}`}.`,
      ...topic === "" ? [] : [`      ${legibleLine(topic)}`],
    ],
  );
}

/** `LV #lab`; in the compact style `LV` leaves the room that text goes to. */
export async function leave(talk: Talk, rest: string): Promise<void> {
  const here = rest === "" && talk.target !== undefined && "room" in talk.target
    ? talk.target.room
    : undefined;
  const { room, ended } = await talk.client.leave(here ?? roomOf(rest, "LV #lab"));
  talk.view.rooms.delete(room);
  const { target } = talk;
  const isTarget = target !== undefined && "room" in target &&
    foldUsername(target.room) === foldUsername(room);
  if (isTarget) talk.target = undefined;
  const end = ended === true ? ": you were the last one, so it has ended" : "";
  talk.view.tell([`You have left ${roomName(room)}${end}.`]);
}

/** `RM #lab text`; what is missing is asked for. In the compact style `RM #lab` has plain text go there. */
export async function say(talk: Talk, rest: string): Promise<void> {
  const [, name = "", text = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  const room = name === "" ? await askRoom(talk) : roomOf(name, "RM #lab text");
  if (text === "" && talk.view.compact) {
    talk.target = { room: await ownRoom(talk, room) };
    return;
  }
  await talk.send(text ? checkText(text) : await talk.askText("Enter message:"), { room });
}

/** `LS`: the rooms that there are. */
export async function list({ client, view }: Talk): Promise<void> {
  const { count, rooms } = await client.rooms();
  for (const { name, role } of rooms) if (role !== undefined) view.rooms.add(name);
  if (rooms.length === 0) return view.tell(["There are no rooms yet: JO #lab makes one."]);
  const more = count > rooms.length ? [`and ${count - rooms.length} more`] : [];
  view.tell(["Rooms:", ...[...rooms.map(describeRoom), ...more].map((line) => `      ${line}`)]);
}

/** `WH` and `WH #lab`. */
export async function who({ client, view }: Talk, rest: string): Promise<void> {
  const room = rest === "" ? undefined : roomOf(rest, "WH #lab");
  const { count, users } = await client.who(room);
  if (room === undefined) view.here.set(users.map(({ username }) => username));
  const more = count > users.length ? [`and ${count - users.length} more`] : [];
  view.tell([
    room === undefined ? "Active users:" : `Members of ${roomName(room)}:`,
    ...[...users.map(describeUser), ...more].map((line) => `         ${line}`),
  ]);
}

/** `TO #lab text`; `TO #lab -` takes the topic away, and `TO #lab` shows it. @throws {InputError} where the user does not see the room */
export async function topic(talk: Talk, rest: string): Promise<void> {
  const [room, text] = roomAndRest(rest, "TO #lab text");
  if (text !== "") {
    const topic = text === "-" ? "" : text;
    await talk.client.act(room, "topic", { text: topic });
    const now = topic === "" ? "has no topic any more" : `is about: ${legibleLine(topic)}`;
    return talk.view.tell([`${roomName(room)} ${now}`]);
  }
  const { rooms } = await talk.client.rooms();
  const found = rooms.find(({ name }) => foldUsername(name) === foldUsername(room));
  // It may be there all the same: only the largest are listed, and none that is closed.
  if (found === undefined) throw notIn(room);
  talk.view.tell([found.topic ? legibleLine(found.topic) : `${roomName(room)} has no topic.`]);
}

/** `IN #lab bob`. */
export async function invite(talk: Talk, rest: string): Promise<void> {
  const [room, name] = roomAndRest(rest, "IN #lab bob");
  const user = await namedUser(talk, name, "IN #lab bob");
  await talk.client.act(room, "invite", { user });
  talk.view.tell([`${legibleLine(user)} may join ${roomName(room)}.`]);
}

function describeAct(what: Act): string {
  const { role, takes } = ACTS[what];
  return `      ${what}${takes === "user" ? " name" : ""} (${role})`;
}

const OF_ROOM = ACT_NAMES.filter((what) => what !== "topic" && what !== "invite");

/** `RO #lab kick bob` and the like: whatever else those may do who are in charge of a room. */
export async function manage(talk: Talk, rest: string): Promise<void> {
  const [room, after] = roomAndRest(rest, "RO #lab kick bob");
  const [, word = "", value = ""] = /^(\S*)\s*(.*)$/s.exec(after) ?? [];
  const what = word.toLowerCase() as Act;
  if (!ACT_NAMES.includes(what)) {
    if (word !== "") {
      throw new InputError(`RO knows no such word: RO #lab lists those that it does`);
    }
    return talk.view.tell([
      "Whoever owns or moderates a room may, with RO #room:",
      ...OF_ROOM.map(describeAct),
      "and with DE, delete what was said in it (moderator).",
    ]);
  }
  const { takes } = ACTS[what];
  if (takes === "nothing" && value !== "") throw new InputError(`RO: ${what} takes no more`);
  const user = takes === "user" ? await namedUser(talk, value, `RO #lab ${what} bob`) : undefined;
  await talk.client.act(room, what, { user, text: takes === "text" ? value : undefined });
  talk.view.tell([`Done: ${[what, user].filter(Boolean).join(" ")} in ${roomName(room)}.`]);
}

/** Asks for one of the rooms that the user is in. */
async function askRoom(talk: Talk): Promise<string> {
  const { rooms } = await talk.client.rooms();
  const own = rooms.filter(({ role }) => role !== undefined);
  if (own.length === 0) throw new InputError("You are in no room: JO #lab joins or makes one");
  talk.view.tell([
    "Select a room to send a message to:",
    ...own.map(({ name }) => `         ${roomName(name)}`),
  ]);
  return await talk.askUntil("Room:", async (line) => {
    if (line === "") throw new InputError("No room was named, so nothing was sent");
    return await ownRoom(talk, roomOf(line, "#lab"));
  });
}

/** A room's name as its maker wrote it. @throws {RequestError} where the user is not in it */
async function ownRoom({ client }: Talk, room: string): Promise<string> {
  const { rooms } = await client.rooms();
  const key = foldUsername(room);
  const found = rooms.find(({ name, role }) => role !== undefined && foldUsername(name) === key);
  if (found !== undefined) return found.name;
  throw notIn(room);
}

function notIn(room: string): InputError {
  return new InputError(`You are not in ${roomName(room)}: JO ${roomName(room)} joins it`);
}

async function namedUser(talk: Talk, name: string, example: string): Promise<string> {
  if (name === "") throw new InputError(`It takes a username, as in "${example}"`);
  if (/\s/.test(name)) {
    throw new InputError(`It takes a username and nothing else, as in "${example}"`);
  }
  return await talk.findUser(name.replace(/^@/, ""));
}

function roomAndRest(rest: string, example: string): [room: string, rest: string] {
  const [, name = "", after = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  return [roomOf(name, example), after];
}

function roomName(name: string): string {
  return `#${legibleLine(name)}`;
}

function describeRoom({ name, topic, members, closed, role, invited }: RoomSummary): string {
  const facts = [
    `${members} ${members === 1 ? "member" : "members"}`,
    ...closed === true ? ["by invitation"] : [],
    ...role !== undefined ? [role === "member" ? "you are in it" : `you are its ${role}`] : [],
    ...invited === true ? ["you are invited"] : [],
  ];
  return `${roomName(name)} (${facts.join(", ")})${topic === "" ? "" : `: ${legibleLine(topic)}`}`;
}

function describeUser({ username, active, since, idle, role, muted }: UserSummary): string {
  const facts = [
    ...role !== undefined && role !== "member" ? [role] : [],
    ...muted === true ? ["muted"] : [],
    ...!active ? ["away"] : [],
    ...since === undefined ? [] : [`since ${localTime(since)}`],
    ...idle === undefined ? [] : [`idle ${duration(idle)}`],
  ];
  return `${legibleLine(username)}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`;
}
