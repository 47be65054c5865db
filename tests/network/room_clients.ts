/**
 * The clients of rooms_test.ts, in their namespace: they are there when a line was written, act until a line can
 * be read, and the second line that is written is what they did and were shown.
 *
 * Arguments: the server's address and port, the folder with its identity, and how long clients rest, in
 * milliseconds.
 *
 * @module
 */
import { loadIdentity } from "../../lib/net/identity.ts";
import { dialTls } from "../../lib/net/tls_client.ts";
import { RoomCrowd } from "../helpers/room_crowd.ts";

const [hostname = "", port, folder = "", pauseMs] = Deno.args;
const { certificate } = await loadIdentity(folder);
using crowd = await RoomCrowd.join(() => dialTls({ hostname, port: Number(port) }, certificate));
console.log("all are in their rooms");
await Promise.race([crowd.act(Number(pauseMs)), Deno.stdin.read(new Uint8Array(1))]);
console.log(JSON.stringify(await crowd.end()));
// A client that is still busy with leaving is not waited for.
Deno.exit();
