import { legibleLine } from "../../console/foreign.ts";
import { checkText, InputError, type Talk } from "../talk.ts";

/** `PM text`; `PM` asks for it, or in the compact style has plain text go to everybody. */
export async function publish(talk: Talk, rest: string): Promise<void> {
  if (rest === "" && talk.view.compact) {
    talk.target = undefined;
    return;
  }
  await talk.send(rest ? checkText(rest) : await talk.askText("Message:"));
}

/** `DM joe text`; what is missing is asked for. In the compact style `DM joe` has plain text go to joe. */
export async function direct(talk: Talk, rest: string): Promise<void> {
  const [, name = "", text = ""] = /^@?(\S*?)[:,]?(?:\s+(.*))?$/s.exec(rest) ?? [];
  const to = name === "" ? await talk.askUser() : await talk.findUser(name);
  await sendTo(talk, to, text);
}

/** `RE text`: to who sent the last direct message. */
export async function reply(talk: Talk, rest: string): Promise<void> {
  const { lastDirect } = talk.view;
  if (lastDirect === undefined) {
    throw new InputError(
      "Nobody has sent you a direct message since you came, so there is none to answer",
    );
  }
  // Another one may have come while this was typed.
  if (rest !== "" || !talk.view.compact) talk.view.tell([`To ${legibleLine(lastDirect)}.`]);
  await sendTo(talk, lastDirect, rest);
}

async function sendTo(talk: Talk, to: string, text: string): Promise<void> {
  if (text === "" && talk.view.compact) {
    talk.target = { to };
    return;
  }
  await talk.send(text ? checkText(text) : await talk.askText("Enter message:"), { to });
}
