import type { Chat } from "./chat.ts";
import type { Planned } from "./ledger.ts";

/** What is sent, by whom and how fast. */
export interface Load {
  clients: number;
  messages: number;
  /** How long a client waits at least from one message to its next, in milliseconds. */
  interval: number;
  /** The characters of half of the messages. The others are short. @default all are */
  length?: number;
  /** How many of the clients send. @default all */
  senders?: number;
  /** How many messages of a sender come to one that goes to all; the others go to one each. @default 8 */
  publicEvery?: number;
}

/** A plan in rounds, in each of which everybody who sends sends one message. */
function plan(
  { clients, messages, length = 0, senders = clients, publicEvery = 8 }: Load,
): Planned[] {
  return Array.from({ length: messages }, (_, index) => {
    const sender = index % senders;
    const round = Math.floor(index / senders);
    // A step that goes round all others.
    const to = (sender + 1 + round % (clients - 1)) % clients;
    const text = `message ${index}`;
    return {
      sender,
      to: round % publicEvery === 0 ? undefined : to,
      text: round % (2 * publicEvery) < publicEvery ? text : text.padEnd(length, "-"),
    };
  });
}

/**
 * Sends all messages, and waits until it has been said of each that it was sent. As at a prompt, nobody
 * types the next one before.
 *
 * @param halfway is called when half of them have been typed
 */
export async function send(
  chat: Chat,
  load: Load,
  halfway: () => Promise<void> = async () => {},
): Promise<void> {
  const messages = plan(load);
  const { senders = load.clients, interval } = load;
  let typed = 0;
  let middle = Promise.resolve();
  const sending = Array.from({ length: senders }, async (_, sender) => {
    // Not all at once.
    let next = performance.now() + interval * sender / senders;
    for (const message of messages.filter((message) => message.sender === sender)) {
      await pause(next - performance.now());
      next = Math.max(next + interval, performance.now());
      if (++typed === messages.length / 2) middle = halfway();
      await chat.send(message);
    }
  });
  // Nothing goes on after one has failed.
  await Promise.allSettled([...sending, middle]);
  await Promise.all(sending);
  await middle;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
