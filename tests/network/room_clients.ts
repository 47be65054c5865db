/**
 * The clients of rooms_test.ts, in their namespace: they write a line when they are there, act until they can
 * read one, write one when all has come, leave when they can read one, and write what they did and were shown.
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
await crowd.settle();
console.log("all has come");
await Deno.stdin.read(new Uint8Array(1));
console.log(JSON.stringify(await crowd.leave()));
// A client that is still busy with leaving is not waited for.
Deno.exit();
