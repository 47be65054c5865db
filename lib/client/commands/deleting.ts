import { legibleLine } from "../../console/foreign.ts";
import { formatNumbered } from "../../operator_lines.ts";
import { ROOM_SIGN } from "../../protocol/names.ts";
import { localTime } from "../format.ts";
import { InputError, roomOf, type Talk } from "../talk.ts";

/** So many messages are listed. */
const LISTED = 20;

/** `DE 41 why`: the message with this number; `DE`, `DE joe` and `DE #lab` list messages by their numbers. */
export async function deleteMessage(talk: Talk, rest: string): Promise<void> {
  const [, word = "", text = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  if (/^\d/.test(word)) return await remove(talk, word, text);
  if (text !== "") throw new InputError(`DE takes a message's number, as in "DE 41 why"`);
  await list(talk, word);
}

async function remove(talk: Talk, digits: string, text: string): Promise<void> {
  const message = Number(digits);
  if (!/^\d+$/.test(digits) || !Number.isSafeInteger(message) || message === 0) {
    throw new InputError(`DE takes a message's number, as in "DE 41 why": DE lists them`);
  }
  const { user = "" } = await talk.client.operate("delete", { message, text });
  talk.view.tell([`Message ${message} of ${legibleLine(user)} is deleted.`]);
}

async function list({ client, target, view }: Talk, word: string): Promise<void> {
  const room = word.startsWith(ROOM_SIGN)
    ? roomOf(word, "DE #lab")
    : word === "" && target !== undefined && "room" in target
    ? target.room
    : undefined;
  const name = word.replace(/^@/, "");
  const whose = room !== undefined ? { room } : name === "" ? {} : { with: name };
  const { messages } = await client.history(LISTED, whose);
  const lines = messages.filter(({ to }) => to === undefined)
    .map((one) => `  ${formatNumbered(one, localTime)}`);
  if (lines.length === 0) throw new InputError("There is no message there that could be deleted");
  view.tell(["DE and a number deletes one of these:", ...lines]);
}
