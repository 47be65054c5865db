// Server and clients in one process, over real sockets: the time until everybody has everything.
import { openUdp, RunningServer } from "../../tests/helpers/running_server.ts";

const RECEIVERS = 50;
const MESSAGES = 200;

for (const channel of ["UDP", "TCP"]) {
  const name = `${MESSAGES} messages to ${RECEIVERS} receivers, over ${channel}`;
  Deno.bench(name, { group: "fan-out", n: 5, warmup: 1 }, async (bench) => {
    await using server = await RunningServer.start();
    const openSocket = channel === "UDP" ? openUdp : () => undefined;
    const receivers = await Promise.all(
      Array.from({ length: RECEIVERS }, (_, index) => server.join(`user${index}`, openSocket)),
    );
    const sender = await server.join("sender");
    bench.start();
    await Promise.all(
      Array.from({ length: MESSAGES }, (_, index) => sender.chat.publish(`message ${index}`)),
    );
    await Promise.all(receivers.map((receiver) => receiver.received(MESSAGES)));
    bench.end();
    console.error(`  memory in use: ${(Deno.memoryUsage().rss / 1_048_576).toFixed(0)} MiB`);
  });
}
