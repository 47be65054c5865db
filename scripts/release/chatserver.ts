// The server of an executable, which has within itself what a cluster and metrics need: evaluated only where --cluster
// or --metrics is given.
import { loadClusterBy } from "../../lib/cluster/cluster.ts";
import { loadMetricsBy } from "../../lib/server/metrics/metrics.ts";

loadClusterBy(() => import("../../lib/cluster/nats_cluster.ts"));
loadMetricsBy(() => import("../../lib/server/metrics/endpoint.ts"));
await import("../../server.ts");
