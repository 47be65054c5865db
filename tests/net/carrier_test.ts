import { assertEquals, assertRejects } from "@std/assert";
import { once } from "node:events";
import { Carrier } from "../../lib/net/carrier.ts";

/** A connection whose other side takes nothing: a write ends only with the connection. */
function stuckConnection() {
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  let closings = 0;
  const conn = {
    read: () => closed.promise,
    write: () => closed.promise,
    close() {
      closings++;
      closed.reject(new Deno.errors.Interrupted());
    },
  } as unknown as Deno.Conn;
  return { conn, closings: () => closings };
}

Deno.test("Carrier.cut() closes the connection at once, whatever waits to be written", async () => {
  const { conn, closings } = stuckConnection();
  const carrier = new Carrier(conn);
  carrier.on("error", () => {});
  const written = new Promise<void>((resolve, reject) =>
    carrier.write("x", (error) => error ? reject(error) : resolve())
  );
  carrier.cut();
  assertEquals(closings(), 1);
  await Promise.all([once(carrier, "close"), assertRejects(() => written, Error)]);
});
