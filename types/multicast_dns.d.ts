// What this project uses of the npm package `multicast-dns`, which comes without types.

declare module "multicast-dns" {
  import type { EventEmitter } from "node:events";

  export interface Question {
    name: string;
    type: string;
  }
  export type Answer =
    | { type: "PTR"; name: string; ttl: number; data: string }
    | { type: "SRV"; name: string; ttl: number; data: { port: number; target: string } }
    | { type: "TXT"; name: string; ttl: number; data: (string | Uint8Array)[] }
    | { type: "A"; name: string; ttl: number; data: string };
  export interface Packet {
    questions: Question[];
    answers: Answer[];
    additionals: Answer[];
  }
  export interface MulticastDns extends EventEmitter {
    query(questions: Question[]): void;
    respond(packet: Partial<Packet>, done?: () => void): void;
    destroy(done?: () => void): void;
  }
  export default function createMulticastDns(
    options: { interface: string; bind: string },
  ): MulticastDns;
}
