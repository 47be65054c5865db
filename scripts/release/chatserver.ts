// The server of an executable, which has within itself what a cluster needs: evaluated only where --cluster is given.
import { loadClusterBy } from "../../lib/cluster/cluster.ts";

loadClusterBy(() => import("../../lib/cluster/nats_cluster.ts"));
await import("../../server.ts");
