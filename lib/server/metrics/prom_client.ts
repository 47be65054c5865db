// Named here and not in deno.json: Deno fetches all that stands there, also for who wants no metrics.
export { Counter, Gauge, Histogram, Registry } from "npm:prom-client@15.1.3";
