import type { Receipt } from "../protocol/frames.ts";
import type { Progress } from "../protocol/records.ts";

/** How far the newest messages got, by id. */
export class DeliveryMarks {
  readonly #capacity: number;
  readonly #marks = new Map<number, Mark>();

  /** @param capacity of so many messages it is known */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Begins to count for a message. */
  open(message: number): Mark {
    const mark = new Mark();
    this.#marks.set(message, mark);
    if (this.#marks.size > this.#capacity) {
      const [oldest] = this.#marks.keys();
      this.#marks.delete(oldest!);
    }
    return mark;
  }

  find(message: number): Mark | undefined {
    return this.#marks.get(message);
  }
}

/** How far one message got. */
export class Mark implements Receipt {
  readonly progress: Progress = { users: 0, udp: 0, tcp: 0 };

  /** It goes to one more user, on `sessions` sessions; what each of these does with the result. */
  expect(sessions: number): Receipt {
    this.progress.users++;
    return sessions === 1 ? this : new SharedReceipt(this, sessions);
  }

  acknowledged(via: "udp" | "tcp"): void {
    this.progress[via]++;
  }

  lost(): void {
    this.progress.users--;
  }
}

/** Several sessions of one user: the first acknowledgement counts. */
class SharedReceipt implements Receipt {
  readonly #mark: Mark;
  #open: number;
  #done = false;

  constructor(mark: Mark, sessions: number) {
    this.#mark = mark;
    this.#open = sessions;
  }

  acknowledged(via: "udp" | "tcp"): void {
    if (!this.#done) this.#mark.acknowledged(via);
    this.#done = true;
  }

  lost(): void {
    if (--this.#open === 0 && !this.#done) this.#mark.lost();
  }
}
