import { statfs } from "node:fs/promises";
import { cpuUsage } from "node:process";
import { Alarm, type Clock } from "../../clock.ts";
import type { ServerStatus } from "../status.ts";
import { Counter, Gauge, Histogram, Registry } from "./prom_client.ts";
import { COMMITS, type Figures, LOOP_LAG, type Metric, METRICS, type Timing } from "./table.ts";

/** How often it is looked how late the loop is, in milliseconds. */
const LOOK_MS = 200;

/** What {@linkcode Exposition} looks at. */
export interface ExpositionOptions {
  describe: () => ServerStatus;
  folder: string;
  clock: Clock;
}

/** A server's metrics as text, in the format of Prometheus. */
export class Exposition implements Disposable {
  readonly contentType: string;
  readonly #options: ExpositionOptions;
  readonly #registry = new Registry();
  readonly #commits: Histogram;
  readonly #lag: Histogram;
  readonly #looking: Alarm;
  #figures: Figures | undefined;

  constructor(options: ExpositionOptions) {
    this.#options = options;
    this.contentType = this.#registry.contentType;
    for (const metric of METRICS) this.#register(metric);
    this.#commits = this.#histogram(COMMITS);
    this.#lag = this.#histogram(LOOP_LAG);
    const { clock } = options;
    this.#looking = new Alarm(clock, (late) => {
      this.#lag.observe(late / 1_000);
      this.#looking.set(clock.now() + LOOK_MS);
    });
    this.#looking.set(clock.now() + LOOK_MS);
  }

  noteCommit(ms: number): void {
    this.#commits.observe(ms / 1_000);
  }

  /** All metrics as they are now. */
  async text(): Promise<string> {
    const diskFreeBytes = await freeBytes(this.#options.folder);
    const { user, system } = cpuUsage();
    const cpuSeconds = (user + system) / 1_000_000;
    this.#figures = { ...this.#options.describe(), cpuSeconds, diskFreeBytes };
    return await this.#registry.metrics();
  }

  [Symbol.dispose](): void {
    this.#looking[Symbol.dispose]();
  }

  #register({ name, type, help, label, value }: Metric): void {
    const labelNames = label === undefined ? [] : [label];
    const read = () => this.#figures && value(this.#figures);
    const options = { name, help, labelNames, registers: [this.#registry] };
    if (type === "gauge") {
      new Gauge({
        ...options,
        collect() {
          put(this, read(), label);
        },
      });
    } else {
      new Counter({
        ...options,
        collect() {
          put(this, read(), label);
        },
      });
    }
  }

  #histogram(timing: Timing): Histogram {
    return new Histogram({ ...timing, registers: [this.#registry] });
  }
}

function put(
  metric: Gauge | Counter,
  values: ReturnType<Metric["value"]>,
  label: string | undefined,
): void {
  metric.reset();
  // A 0 would be a guess.
  if (values === undefined) return metric.remove();
  if (typeof values === "number") return metric.inc(values);
  for (const [key, value] of Object.entries(values)) metric.inc({ [label!]: key }, value);
}

/** What a user may write to a folder's disk; undefined where that is not to be had. */
async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
