import type { OtherServers } from "../../lib/cluster/other_servers.ts";
import type { NamedServer } from "../../lib/protocol/records.ts";

/** Other servers of a cluster, as a test names them. */
export class FakeOthers implements OtherServers {
  servers: readonly NamedServer[] = [];
  /** What the server under test has said of itself; undefined where it takes no clients. */
  announced: NamedServer | undefined;
  onChange = () => {};

  /** From now on these are the others. */
  name(...servers: NamedServer[]): void {
    this.servers = servers;
    this.onChange();
  }

  announce(self: NamedServer): void {
    this.announced = self;
  }

  withdraw(): Promise<void> {
    this.announced = undefined;
    return Promise.resolve();
  }
}
