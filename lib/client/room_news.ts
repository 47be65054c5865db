import { legibleLine } from "../console/foreign.ts";
import type { ServerRecords } from "../protocol/records.ts";

/** What each act comes to, for people: of whoever did it, whom, in which room. */
const SENTENCES: Readonly<
  Record<
    string,
    (by: string, room: string, { user, text }: { user: string; text: string }) => string
  >
> = {
  joined: (by, room) => `${by} joined ${room}`,
  left: (by, room, { user }) =>
    user === ""
      ? `${by} left ${room}`
      : `${by} left ${room}: ${user === "you" ? "you own" : `${user} owns`} it now`,
  invite: (by, room, { user }) => `${by} invited ${user} to ${room}`,
  topic: (by, room, { text }) =>
    text === ""
      ? `${by} took the topic of ${room} away`
      : `${by} set the topic of ${room}: ${text}`,
  kick: (by, room, { user }) => `${by} kicked ${user} out of ${room}`,
  ban: (by, room, { user }) => `${by} banned ${user} from ${room}`,
  unban: (by, room, { user }) => `${by} lets ${user} into ${room} again`,
  mute: (by, room, { user }) => `${by} muted ${user} in ${room}`,
  unmute: (by, room, { user }) => `${by} lets ${user} speak in ${room} again`,
  moderator: (by, room, { user }) => `${by} made ${user} a moderator of ${room}`,
  member: (by, room, { user }) => `${by} made ${user} a plain member of ${room}`,
  owner: (by, room, { user }) => `${by} handed ${room} over to ${user}`,
  open: (by, room) => `${by} opened ${room} to everybody`,
  closed: (by, room) => `${by} closed ${room}: only who is invited may join`,
  "from-join": (by, room) => `${by} keeps what was said in ${room} before one joined from members`,
  "from-start": (by, room) => `${by} lets members look back to the beginning of ${room}`,
};

/** What was done in a room, in a sentence without its full stop; undefined for what later versions do. */
export function describeNews(
  { room, what, by, user = "", text = "" }: ServerRecords["room"],
  isForUser: boolean,
): string | undefined {
  if (!Object.hasOwn(SENTENCES, what)) return undefined;
  const name = `#${legibleLine(room)}`;
  const said = SENTENCES[what]!(legibleLine(by), name, {
    user: isForUser ? "you" : legibleLine(user),
    text: legibleLine(text),
  });
  return isForUser && what === "invite" ? `${said}: JO ${name} joins it` : said;
}
