/** So many of the newest ids are looked after: far more than direct messages that anybody asks about. */
export const IDS = 65_536;

/**
 * How direct messages were acknowledged, of the newest ids. A byte for each id: an entry in a `Map` for each message
 * would take several times as long, and be garbage.
 */
export class DirectMarks {
  /** By the id modulo their number: 0 where nothing is known. */
  readonly #marks = new Uint8Array(IDS);
  #newest = 0;

  /** A message was acknowledged; of one that is too old nothing is kept. */
  set(id: number, via: "udp" | "tcp"): void {
    if (id <= this.#newest - IDS) return;
    for (let next = Math.max(this.#newest, id - IDS) + 1; next <= id; next++) {
      this.#marks[next % IDS] = 0;
    }
    this.#newest = Math.max(this.#newest, id);
    this.#marks[id % IDS] = via === "udp" ? 1 : 2;
  }

  /** How a message was acknowledged; undefined where that is not known. */
  get(id: number): "udp" | "tcp" | undefined {
    if (id > this.#newest || id <= this.#newest - IDS) return undefined;
    return ([undefined, "udp", "tcp"] as const)[this.#marks[id % IDS]!];
  }
}
