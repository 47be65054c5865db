import { legibleLine } from "../../console/foreign.ts";
import { foldUsername, parsePassword } from "../../protocol/names.ts";
import { InputError, type Talk, whatIsWrong } from "../talk.ts";
import { listed } from "../view.ts";

/** Asks for the old password and the new one. */
export async function changePassword(talk: Talk, rest: string): Promise<void> {
  // It would be on the screen.
  if (rest !== "") throw new InputError("PW asks for the passwords itself: type PW alone");
  const old = await talk.askSecret("Old password:");
  const password = await talk.askSecret("New password:");
  const problem = whatIsWrong(() => parsePassword(password));
  if (problem !== undefined) throw new InputError(`${problem}, so the old one stays`);
  if (talk.hidden && await talk.askSecret("Repeat the password:") !== password) {
    throw new InputError("The two passwords differ, so the old one stays");
  }
  await talk.client.changePassword(old, password);
  talk.view.tell(["You have a new password. Your other sessions have ended."]);
}

/** `BL joe`, and again to undo it; `BL` says who is blocked. */
export async function block(talk: Talk, rest: string): Promise<void> {
  const { settings, view } = talk;
  const blocked = settings.get("blocked");
  if (rest === "") {
    const names = blocked.length === 0 ? "nobody" : listed(blocked);
    return view.tell([`You have blocked ${names}.`]);
  }
  const key = foldUsername(rest.replace(/^@/, ""));
  const others = blocked.filter((name) => foldUsername(name) !== key);
  if (others.length < blocked.length) {
    settings.set("blocked", others);
    view.tell([`${legibleLine(rest)} is not blocked any more.`]);
  } else {
    const name = await talk.findUser(key);
    if (talk.isOwn(name)) throw new InputError("That is you");
    settings.set("blocked", [...blocked, name]);
    view.tell([`You see nothing more of ${legibleLine(name)}. BL ${legibleLine(name)} undoes it.`]);
  }
  const problem = talk.keepSettings();
  if (problem !== undefined) view.complain(problem);
}
