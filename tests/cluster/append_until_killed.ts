/**
 * Appends messages and acknowledgements to a cluster's journal until it is killed, and prints a line for each
 * message that was appended: FOLDER ADDRESS ROUND.
 *
 * @module
 */
import { openStream } from "./open_stream.ts";

const [folder, address, round] = Deno.args as [string, string, string];
const { journal } = await openStream(folder, { servers: [address] });
const login = await journal.append({
  ...{ type: "login", account: "joe", credential: "c", token: round.padStart(64, "0") },
  ...{ last: journal.last, expires: 1 },
});
for (let batch = 0;; batch++) {
  const appended = Array.from({ length: 20 }, async (_, i) => {
    const text = `${round} ${batch} ${i}`;
    const to = i % 3 === 0 ? "ann" : undefined;
    const origin = { login, request: 1 + batch * 20 + i };
    const number = await journal.append({
      type: "message",
      from: "joe",
      to,
      sent: 1,
      text,
      origin,
    });
    console.log(`${number} ${text}`);
    return to === undefined ? [] : [number];
  });
  const direct = (await Promise.all(appended)).flat();
  const messages = direct.filter((_, i) => i % 2 === 0);
  void journal.append({ type: "acknowledgement", account: "ann", messages });
}
