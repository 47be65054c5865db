import { assertEquals, assertRejects } from "@std/assert";
import { ExitError } from "../../lib/exit.ts";
import { bindPorts, ownAddresses } from "../../lib/net/ports.ts";
import { UdpSocket } from "../../lib/net/udp.ts";

const onIncoming = () => {};
const onShortage = () => {};

Deno.test("bindPorts() gives TCP and UDP one number", async () => {
  for (const hostname of [undefined, "127.0.0.1"]) {
    const { tcp, udp, port } = await bindPorts(0, { hostname, onIncoming, onShortage });
    assertEquals([tcp.port, udp.port], [port, port]);
    tcp.close();
    udp[Symbol.dispose]();
  }
});

Deno.test("bindPorts() leaves nothing open where only UDP is taken", async () => {
  using socket = new UdpSocket({ hostname: "127.0.0.1", port: 0 });
  await assertRejects(
    () => bindPorts(socket.port, { hostname: "127.0.0.1", onIncoming, onShortage }),
    ExitError,
    "in use",
  );
});

Deno.test("ownAddresses() gives at least one address", () => {
  assertEquals(ownAddresses().length > 0, true);
});
