/**
 * A TLS 1.3 server (RFC 8446) that shows a certificate without having its key: its CertificateVerify
 * is a signature by any key that it is given. No library helps to be so wrong, so it is made by hand: one cipher
 * suite (TLS_AES_128_GCM_SHA256), one group (x25519).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";

/** A running impostor. */
export interface Impostor extends Disposable {
  port: number;
  /** For each connection the number of bytes that the client sent after the server's handshake. */
  after: Promise<number>[];
}

/** Serves every connection. */
export function startImpostor(certificate: Uint8Array, privateKey: KeyObject): Impostor {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const after: Promise<number>[] = [];
  (async () => {
    // A client that goes in the middle of the handshake has sent nothing after it.
    for await (const conn of listener) {
      after.push(serve(conn, certificate, privateKey).catch(() => 0));
    }
  })();
  return { port: listener.addr.port, after, [Symbol.dispose]: () => listener.close() };
}

async function serve(
  conn: Deno.TcpConn,
  certificate: Uint8Array,
  privateKey: KeyObject,
): Promise<number> {
  using _conn = conn;
  const clientHello = await readRecord(conn);
  const { session, share } = parseClientHello(clientHello);

  const ephemeral = generateKeyPairSync("x25519");
  const theirs = createPublicKey({
    key: Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), share]),
    format: "der",
    type: "spki",
  });
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: theirs });
  const ours = ephemeral.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const serverHello = handshakeMessage(2, [
    bytes("0303"),
    Buffer.alloc(32, 7),
    vector(1, session),
    bytes("130100"),
    vector(2, Buffer.concat([bytes("002b00020304"), bytes("00330024001d0020"), ours])),
  ]);

  // The key schedule, section 7.1, as far as the server's handshake traffic key.
  const empty = sha256(Buffer.alloc(0));
  const early = hmac(Buffer.alloc(32), Buffer.alloc(32));
  const handshakeSecret = hmac(expandLabel(early, "derived", empty, 32), shared);
  const transcript = [clientHello, serverHello];
  const secret = expandLabel(handshakeSecret, "s hs traffic", hashOf(transcript), 32);
  const key = expandLabel(secret, "key", Buffer.alloc(0), 16);
  const iv = expandLabel(secret, "iv", Buffer.alloc(0), 12);

  transcript.push(handshakeMessage(8, [bytes("0000")]));
  const entry = Buffer.concat([vector(3, certificate), bytes("0000")]);
  transcript.push(handshakeMessage(11, [bytes("00"), vector(3, entry)]));
  const context = Buffer.from("TLS 1.3, server CertificateVerify\0");
  const signed = Buffer.concat([Buffer.alloc(64, 0x20), context, hashOf(transcript)]);
  const signature = sign("sha256", signed, privateKey);
  transcript.push(handshakeMessage(15, [bytes("0403"), vector(2, signature)]));
  const finishedKey = expandLabel(secret, "finished", Buffer.alloc(0), 32);
  transcript.push(handshakeMessage(20, [hmac(finishedKey, hashOf(transcript))]));

  await writeAll(conn, record(0x16, serverHello));
  await writeAll(conn, encrypted(Buffer.concat(transcript.slice(2)), key, iv));
  return await countToEnd(conn);
}

function parseClientHello(message: Buffer): { session: Buffer; share: Buffer } {
  let at = 4 + 2 + 32;
  const session = message.subarray(at + 1, at + 1 + message[at]!);
  at += 1 + session.length;
  at += 2 + message.readUInt16BE(at);
  at += 1 + message[at]!;
  const end = at + 2 + message.readUInt16BE(at);
  for (at += 2; at < end; at += 4 + message.readUInt16BE(at + 2)) {
    if (message.readUInt16BE(at) !== 0x33) continue;
    const last = at + 4 + message.readUInt16BE(at + 2);
    for (let entry = at + 6; entry < last; entry += 4 + message.readUInt16BE(entry + 2)) {
      if (message.readUInt16BE(entry) === 0x1d) {
        return { session, share: message.subarray(entry + 4, entry + 36) };
      }
    }
  }
  throw new Error("Cannot go on: the client offers no x25519");
}

async function readRecord(conn: Deno.Conn): Promise<Buffer> {
  const header = await readExactly(conn, 5);
  return await readExactly(conn, header.readUInt16BE(3));
}

async function readExactly(conn: Deno.Conn, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let read = 0; read < length;) {
    const count = await conn.read(buffer.subarray(read));
    if (count === null) throw new Error("Cannot go on: the client has gone");
    read += count;
  }
  return buffer;
}

async function countToEnd(conn: Deno.Conn): Promise<number> {
  let total = 0;
  const buffer = new Uint8Array(4_096);
  try {
    for (let count; (count = await conn.read(buffer)) !== null;) total += count;
  } catch {
    // Reset: that is an end too.
  }
  return total;
}

async function writeAll(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let written = 0; written < data.length;) written += await conn.write(data.subarray(written));
}

function encrypted(content: Buffer, key: Buffer, iv: Buffer): Buffer {
  const inner = Buffer.concat([content, bytes("16")]);
  const header = Buffer.from([0x17, 3, 3, 0, 0]);
  header.writeUInt16BE(inner.length + 16, 3);
  const cipher = createCipheriv("aes-128-gcm", key, iv);
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
}

function record(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 3]), vector(2, content)]);
}

function handshakeMessage(type: number, parts: Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from([type]), vector(3, Buffer.concat(parts))]);
}

/** Bytes after their length, which has `size` bytes itself. */
function vector(size: number, content: Uint8Array): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(content.length, 0, size);
  return Buffer.concat([length, content]);
}

function expandLabel(secret: Buffer, label: string, context: Buffer, length: number): Buffer {
  const info = Buffer.concat([
    Buffer.from([length >> 8, length & 255]),
    vector(1, Buffer.from(`tls13 ${label}`)),
    vector(1, context),
  ]);
  // HKDF-Expand alone: one round is all that these lengths need (RFC 5869, section 2.3).
  return hmac(secret, Buffer.concat([info, bytes("01")])).subarray(0, length);
}

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

function sha256(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

function hashOf(transcript: Buffer[]): Buffer {
  return sha256(Buffer.concat(transcript));
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, "hex");
}
