/** Where an IRC server listens, and the folder with `key.pem` and `certificate.pem`. */
export interface IrcOptions {
  folder: string;
  port: number;
  tls: boolean;
}

/** ngircd without limits on how fast and how many, and without look-ups. */
export function ngircdConfig({ folder, port, tls }: IrcOptions): string {
  return `
[Global]
Name = bench.local
Info = bench
Listen = 127.0.0.1
${tls ? "" : `Ports = ${port}`}
ServerUID = root
ServerGID = root
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
MaxPenaltyTime = 0
PingTimeout = 300
PongTimeout = 300
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = ${folder}/certificate.pem
KeyFile = ${folder}/key.pem
${tls ? `Ports = ${port}` : ""}
`;
}

/** InspIRCd, the same. */
export function inspircdConfig({ folder, port, tls }: IrcOptions): string {
  const connect = {
    ...{ name: "bench", allow: "*", timeout: 60, pingfreq: 300, maxchans: 20 },
    ...{ hardsendq: 16_777_216, softsendq: 8_388_608, recvq: 1_048_576 },
    ...{ fakelag: "no", commandrate: 100_000_000, threshold: 1_000_000 },
    ...{ localmax: 20_000, globalmax: 20_000, limit: 20_000, maxconnwarn: "no" },
    ...{ resolvehostnames: "no", useident: "no" },
  };
  const attributes = Object.entries(connect).map(([name, value]) => `${name}="${value}"`);
  const files = `certfile="${folder}/certificate.pem" keyfile="${folder}/key.pem"`;
  return `<config format="xml">
<server name="bench.local" description="bench" id="1AA" network="bench">
<admin name="bench" nick="bench" email="bench@bench.local">
<bind address="127.0.0.1" port="${port}" type="clients"${tls ? ' sslprofile="bench"' : ""}>
<module name="ssl_gnutls">
<sslprofile name="bench" provider="gnutls" ${files}>
<connect ${attributes.join(" ")}>
<performance netbuffersize="10240" somaxconn="1024" softlimit="20000" quietbursts="yes">
<limits maxnick="30" maxchan="64" maxuser="30" maxhost="64" maxline="512">
<pid file="${folder}/pid">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="${folder}/inspircd.log">
`;
}
