// A server and the NATS server beside it are cut off from the others, in network namespaces: root, Linux, iproute2.
import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Site } from "./chat_cluster.ts";

const COUNT = 3;

/** A hub, where the clients are, and a namespace for each pair of servers, all on one bridge. */
class Bridge implements AsyncDisposable {
  readonly hub = `chat-hub-${Deno.pid}`;
  readonly #nodes = Array.from({ length: COUNT }, (_, i) => `chat-node-${Deno.pid}-${i}`);

  static async create(): Promise<Bridge> {
    const bridge = new Bridge();
    try {
      await bridge.#build();
    } catch (error) {
      await bridge[Symbol.asyncDispose]();
      throw error;
    }
    return bridge;
  }

  get site(): Site {
    return {
      hosts: this.#nodes.map((_, i) => `10.0.9.${i + 1}`),
      launchers: this.#nodes.map((node) => ["ip", "netns", "exec", node]),
    };
  }

  async #build(): Promise<void> {
    await ip("netns", "add", this.hub);
    await ip("-n", this.hub, "link", "set", "lo", "up");
    await ip("-n", this.hub, "link", "add", "bridge", "type", "bridge");
    await ip("-n", this.hub, "address", "add", "10.0.9.254/24", "dev", "bridge");
    await ip("-n", this.hub, "link", "set", "bridge", "up");
    for (const [i, node] of this.#nodes.entries()) {
      await ip("netns", "add", node);
      await ip("-n", node, "link", "set", "lo", "up");
      const device = `to-node${i}`;
      const peer = ["peer", "name", "to-hub", "netns", node];
      await ip("-n", this.hub, "link", "add", device, "type", "veth", ...peer);
      await ip("-n", this.hub, "link", "set", device, "master", "bridge", "up");
      await ip("-n", node, "address", "add", `10.0.9.${i + 1}/24`, "dev", "to-hub");
      await ip("-n", node, "link", "set", "to-hub", "up");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [this.hub, ...this.#nodes]) await ip("netns", "del", name).catch(() => {});
  }
}

async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args }).output();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

Deno.test("everything is everywhere once after the leader's machine was cut off from the others", async () => {
  await using bridge = await Bridge.create();
  const script = fileURLToPath(new URL("./in_partition.ts", import.meta.url));
  // Without it Deno would ask the registry for versions, which can't be reached from there.
  const lock = `--lock=${fileURLToPath(new URL("../../deno.lock", import.meta.url))}`;
  const { code } = await new Deno.Command("ip", {
    args: [
      ...["netns", "exec", bridge.hub, Deno.execPath(), "run", "--no-prompt", "--allow-all"],
      ...[lock, script, JSON.stringify(bridge.site)],
    ],
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  assertEquals(code, 0);
});
