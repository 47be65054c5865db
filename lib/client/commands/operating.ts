/**
 * What operators of the server type.
 *
 * @module
 */
import { legibleLine } from "../../console/foreign.ts";
import { looksLikeDuration, parseDuration } from "../../protocol/durations.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { ROOM_SIGN } from "../../protocol/names.ts";
import { formatEnd, formatOperation, formatRestriction } from "../../operator_lines.ts";
import { localTime } from "../format.ts";
import { checkText, InputError, type Talk } from "../talk.ts";

/** So many operations are shown where nobody says how many, and so many at most. */
const OPERATIONS_SHOWN = { normal: 20, most: 1_000 };

/** `KI joe why`: joe's sessions end. */
export async function kick(talk: Talk, rest: string): Promise<void> {
  const { name, rest: text } = takeName(rest, "KI joe, or KI joe why");
  refuseRoom(name, text, "kick");
  const { user = name } = await talk.client.operate("kick", { user: name, text });
  talk.view.tell([`${legibleLine(user)} was sent away.`]);
}

/** `MU joe 10m why`, `MU joe off`, the same with `all`; `MU` says who is muted. */
export async function mute(talk: Talk, rest: string): Promise<void> {
  if (rest === "") return await list(talk, "mute");
  const { name, rest: more } = takeName(rest, "MU joe 10m why");
  refuseRoom(name, more, "mute");
  // Who means everybody leaves the name out.
  if (more === "" && /^(off|\d+[smhd])$/i.test(name) && !rest.startsWith("@")) {
    throw new InputError(`Whom? MU joe ${rest}, or for everybody: MU all ${rest}`);
  }
  if (name.toLowerCase() === "all") {
    const order = parseOrder(more);
    if (order === "off") {
      await talk.client.operate("unquiet", {});
      return talk.view.tell(["Everybody may write again."]);
    }
    const { until } = await talk.client.operate("quiet", order);
    return talk.view.tell([`Only operators may write ${formatEnd(until, localTime)}.`]);
  }
  await restrict(talk, { name, more, on: "mute", off: "unmute", state: "muted" });
}

/** `BA joe 2h why`, `BA joe off`, the same with an address; `BA` says who is banned. */
export async function ban(talk: Talk, rest: string): Promise<void> {
  if (rest === "") return await list(talk, "ban");
  const { name, rest: more } = takeName(rest, "BA joe 2h why");
  refuseRoom(name, more, "ban");
  // A name may look like an IPv4 address: "BA @192.0.2.7" is about a user.
  if (!rest.startsWith("@") && ADDRESS.test(name)) return await banAddress(talk, name, more);
  await restrict(talk, { name, more, on: "ban", off: "unban", state: "banned" });
}

/** `LO 2h why`: no new accounts; `LO off`; `LO` says whether it is so. */
export async function lock({ client, view }: Talk, rest: string): Promise<void> {
  if (rest === "") {
    const found = (await client.restrictions()).find(({ what }) => what === "lock");
    const open = "The chat is not locked: who is new may make an account.";
    return view.tell([found === undefined ? open : `${formatRestriction(found, localTime)}.`]);
  }
  const order = parseOrder(rest);
  if (order === "off") {
    await client.operate("unlock", {});
    return view.tell(["The chat is not locked any more."]);
  }
  const { until } = await client.operate("lock", order);
  view.tell([`The chat is locked for new users ${formatEnd(until, localTime)}.`]);
}

/** `AN text`; `AN` asks for it. */
export async function announce(talk: Talk, rest: string): Promise<void> {
  const text = rest ? checkText(rest) : await talk.askText("Announcement:");
  await talk.client.operate("announce", { text });
  talk.view.tell(["Announced."]);
}

/** `AU 50`: what operators did last. */
export async function operations(talk: Talk, rest: string): Promise<void> {
  const count = rest === "" ? OPERATIONS_SHOWN.normal : Number(rest);
  if (!Number.isInteger(count) || count < 1 || count > OPERATIONS_SHOWN.most) {
    throw new InputError(`AU takes a number from 1 to ${OPERATIONS_SHOWN.most}`);
  }
  const done = await talk.client.operations(count);
  if (done.length === 0) return talk.view.tell(["No operator has done anything yet."]);
  talk.view.tell([
    "What operators did:",
    ...done.map((one) => `  ${formatOperation(one, localTime)}`),
  ]);
}

/** `WI joe`: sessions, addresses, since when. */
export async function whois(talk: Talk, rest: string): Promise<void> {
  const { name } = takeName(rest, "WI joe");
  const { user, role, created, sessions, elsewhere, restrictions } = await talk.client.whois(name);
  const made = created === undefined ? "" : `, account made ${localTime(created)}`;
  const isHere = sessions.length + elsewhere > 0;
  talk.view.tell([
    `${legibleLine(user)}: ${role}${made}${isHere ? "" : ", not here"}`,
    ...sessions.map(({ address, since }) =>
      `  here since ${localTime(since)}, from ${legibleLine(address)}`
    ),
    ...elsewhere > 0 ? [`  at other servers: ${elsewhere}`] : [],
    ...restrictions.map((one) => `  ${formatRestriction(one, localTime)}`),
  ]);
}

/** Also what is no address but can't be a name either. */
const ADDRESS = /[:/]|^\d+(\.\d+){3}$/;

async function banAddress({ client, view }: Talk, given: string, more: string): Promise<void> {
  const order = parseOrder(more);
  const { address = given, until } = order === "off"
    ? await client.operate("unban-address", { address: given })
    : await client.operate("ban-address", { address: given, ...order });
  const shown = legibleLine(address);
  view.tell([
    order === "off"
      ? `New accounts from ${shown} are taken again.`
      : `New accounts from ${shown} are refused ${formatEnd(until, localTime)}.`,
  ]);
}

async function restrict(
  talk: Talk,
  { name, more, on, off, state }: {
    name: string;
    more: string;
    on: "mute" | "ban";
    off: "unmute" | "unban";
    state: string;
  },
): Promise<void> {
  const order = parseOrder(more);
  const { user = name, until } = order === "off"
    ? await talk.client.operate(off, { user: name })
    : await talk.client.operate(on, { user: name, ...order });
  const change = order === "off"
    ? `is not ${state} any more`
    : `is ${state} ${formatEnd(until, localTime)}`;
  talk.view.tell([`${legibleLine(user)} ${change}.`]);
}

async function list({ client, view }: Talk, what: "mute" | "ban"): Promise<void> {
  const all = await client.restrictions();
  const kinds = what === "mute" ? ["mute"] : ["ban", "address"];
  const found = all.filter((one) => kinds.includes(one.what));
  if (found.length === 0) return view.tell([`Nobody is ${what === "mute" ? "muted" : "banned"}.`]);
  view.tell(found.map((one) => formatRestriction(one, localTime)));
}

/** The name that a line begins with, and the rest. */
function takeName(rest: string, usage: string): { name: string; rest: string } {
  const [, name = "", more = ""] = /^@?(\S*)\s*(.*)$/s.exec(rest) ?? [];
  if (name === "") throw new InputError(`Whom? For example: ${usage}`);
  return { name, rest: more };
}

/** Other chats' users type the room first. @throws {InputError} which says how it is done here */
function refuseRoom(name: string, rest: string, what: string): void {
  if (!name.startsWith(ROOM_SIGN)) return;
  const [user = ""] = rest.split(/\s/);
  throw new InputError(`In a room it is: RO ${name} ${what} ${user || "joe"}`);
}

const OFF_ALONE = 'Nothing is done: "off" stands alone, and no reason begins with it';

/** How long, and why; or that it ends. @throws {InputError} where "off" does not stand alone: it may be meant either way */
function parseOrder(rest: string): { seconds?: number; text?: string } | "off" {
  const [, first = "", text = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  if (first.toLowerCase() === "off") {
    if (text === "") return "off";
    throw new InputError(OFF_ALONE);
  }
  if (!looksLikeDuration(first)) return rest === "" ? {} : { text: rest };
  try {
    const seconds = parseDuration(first);
    if (text.toLowerCase() === "off") throw new InputError(OFF_ALONE);
    return text === "" ? { seconds } : { seconds, text };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new InputError(error.message);
  }
}
