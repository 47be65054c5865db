import { isIP } from "node:net";
import { nkeys } from "../../lib/cluster/nats.ts";
import { encodePem } from "../../lib/net/certificate.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/**
 * Makes what NATS and the chat servers know each other by: `nats.pem` and `nats-key.pem` for every NATS server,
 * `ca.pem`, which has signed it, and `chat.nkey` for the chat servers. The key of `ca.pem` is kept nowhere.
 *
 * @param folder where the files go
 * @param hosts the names and addresses of the NATS servers
 * @returns the public key of `chat.nkey`, for `CHAT_USER` in `nats.env`
 */
export async function makeCredentials(folder: string, hosts: readonly string[]): Promise<string> {
  const x509 = await import("@peculiar/x509");
  const newKeys = () =>
    crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
  const [authority, server] = [await newKeys(), await newKeys()];
  const dates = {
    notBefore: new Date("2000-01-01T00:00:00Z"),
    notAfter: new Date("2099-12-31T23:59:59Z"),
    signingAlgorithm: ALGORITHM,
  };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...dates,
    name: "CN=chat cluster",
    keys: authority,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const certificate = await x509.X509CertificateGenerator.create({
    ...dates,
    subject: "CN=nats",
    issuer: ca.subject,
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension(
        // Who connects to an IP address asks for "localhost": NATS' package gives TLS no name then.
        [...hosts, "localhost"].map((value) => ({
          type: isIP(value) === 0 ? "dns" as const : "ip" as const,
          value,
        })),
      ),
    ],
  });
  const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", server.privateKey));
  const user = nkeys.createUser();
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const files = {
    "ca.pem": encodePem("CERTIFICATE", new Uint8Array(ca.rawData)),
    "nats.pem": encodePem("CERTIFICATE", new Uint8Array(certificate.rawData)),
    "nats-key.pem": encodePem("PRIVATE KEY", key),
    "chat.nkey": new TextDecoder().decode(user.getSeed()),
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o600 });
  }
  return user.getPublicKey();
}
