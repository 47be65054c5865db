// Named here and not in deno.json: Deno fetches all that stands there, also for who runs no cluster.
export * from "npm:@nats-io/jetstream@3.4.0";
export { type KV, type KvEntry, Kvm } from "npm:@nats-io/kv@3.4.0";
export {
  type Authenticator,
  connect,
  credsAuthenticator,
  headers,
  type MsgHdrs,
  type NatsConnection,
  nkeyAuthenticator,
  nkeys,
  type Subscription,
} from "npm:@nats-io/transport-node@3.4.0";
