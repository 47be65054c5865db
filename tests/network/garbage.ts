// Sends nonsense to an address's port for multicast DNS: packets of bytes, and packets that nearly are
// questions or answers. ADDRESS COUNT SEED
import { Buffer } from "node:buffer";

const [address = "", count = "0", seed = "1"] = Deno.args;
let state = Number(seed);
/** A whole number below `limit` (mulberry32). */
function random(limit: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}

// A question for _chat._udp.local, PTR; then the same name with an answer that points at its beginning.
const QUESTION = "000000000001000000000000055f6368617404" + "5f756470056c6f63616c00000c0001";
const ANSWER = "000084000000000100000000055f6368617404" + "5f756470056c6f63616c00000c0001" +
  "000000780002c00c";
const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
for (let sent = 0; sent < Number(count); sent++) {
  const model = [QUESTION, ANSWER, ""][random(3)]!;
  const bytes = Buffer.concat([Buffer.from(model, "hex"), Buffer.alloc(random(40))]);
  for (let changes = random(6); changes > 0 && bytes.length > 0; changes--) {
    bytes[random(bytes.length)] = random(256);
  }
  const cut = bytes.subarray(0, random(10) === 0 ? random(bytes.length + 1) : bytes.length);
  await socket.send(cut, { transport: "udp", hostname: address, port: 5353 });
}
socket.close();
