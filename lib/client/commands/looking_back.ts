import { legibleLine } from "../../console/foreign.ts";
import { ROOM_SIGN } from "../../protocol/names.ts";
import { MAX_HISTORY } from "../../protocol/limits.ts";
import { formatStatus, localTime } from "../format.ts";
import { InputError, roomOf, type Talk } from "../talk.ts";

/** So many messages `HI` and `FI` show if they are not told. */
const USUAL_COUNT = 20;

/** `HI`, `HI 50`, `HI joe`, `HI 50 joe`, `HI #lab`. */
export async function history({ client, view }: Talk, rest: string): Promise<void> {
  const [, count, name] = /^(\d+(?=\s|$))?\s*(\S+)?$/.exec(rest) ?? [];
  if (rest !== "" && count === undefined && name === undefined || Number(count) === 0) {
    throw new InputError(
      `HI takes a number of messages, a username or a room, or both, as in "HI 50 joe"`,
    );
  }
  if (Number(count) > MAX_HISTORY) {
    throw new InputError(`HI shows at most ${MAX_HISTORY} messages: HI ${MAX_HISTORY}`);
  }
  const room = name?.startsWith(ROOM_SIGN) ? roomOf(name, "HI #lab") : undefined;
  const whose = room === undefined ? { with: name } : { room };
  const { messages, since } = await client.history(Number(count ?? USUAL_COUNT), whose);
  if (room !== undefined && messages.length === 0) {
    return view.complain(`Nothing was said in #${legibleLine(room)} that you may read.`);
  }
  if (messages.length === 0) {
    if (since === 0) return view.complain("There are no messages.");
    const when = since === undefined ? "your account was made" : localTime(since);
    return view.complain(`There are no messages that you may read: you may since ${when}.`);
  }
  view.past(messages);
}

/** `FI text`. */
export async function find({ client, view }: Talk, rest: string): Promise<void> {
  if (rest === "") throw new InputError(`FI takes the text to find, as in "FI exam"`);
  const messages = await client.search(rest, USUAL_COUNT);
  if (messages.length === 0) return view.complain("No message that you may read has this text.");
  view.past(messages);
}

/** How far the user's last messages got: `ST`, `ST 5`. */
export async function status({ client, view, sent }: Talk, rest: string): Promise<void> {
  const count = rest === "" ? 1 : Number(/^\d{1,3}$/.exec(rest)?.[0] ?? 0);
  if (count === 0) throw new InputError(`ST takes a number of messages, as in "ST 5"`);
  if (sent.length === 0) throw new InputError("You have sent nothing yet");
  for (const one of sent.slice(-count)) {
    const { progress } = await client.status(one.message);
    view.tell([formatStatus(one, progress)]);
  }
}
