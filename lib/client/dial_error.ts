import { type Endpoint, formatEndpoint } from "../net/connection.ts";
import { reasonOf } from "../reasons.ts";

/** The codes and messages of what went wrong while the name was looked up. */
const NO_SUCH_NAME = /lookup|resolve|ENOTFOUND/;
const NO_NAME_SERVICE = /EAI_AGAIN|temporary failure/i;
/** The same of a server that speaks, but no TLS. */
const NO_TLS = /tls|ssl|socket disconnected|InvalidContentType|corrupt|ECONNRESET|UnexpectedEof/i;
const SILENCE = /TimeoutError|AbortError|ABORT_ERR|ETIMEDOUT/;

/** Why a server was not reached, as a sentence for its user: what is wrong, and what to look at. */
export function explainDialError(server: Endpoint, error: unknown): string {
  const where = formatEndpoint(server);
  const { code, name, message } = error instanceof Error
    ? error as Error & { code?: unknown }
    : { code: "", name: "", message: String(error) };
  const said = `${code} ${name} ${message}`;
  const host = JSON.stringify(server.hostname);
  if (code === "ECONNREFUSED") {
    return `nobody listens at ${where}: is the server running, is the port right?`;
  }
  if (NO_NAME_SERVICE.test(said)) {
    return `the name ${host} can't be looked up: is this machine connected to a network?`;
  }
  if (NO_SUCH_NAME.test(said)) return `there is no host ${host}`;
  if (SILENCE.test(said)) {
    return `nobody answers at ${where}: are the address and the port right, does a firewall stand ` +
      "between?";
  }
  if (NO_TLS.test(said)) {
    return `${where} is no chat server: another program answers there. Is the port right?`;
  }
  return `${where} can't be reached: ${reasonOf(error)}`;
}
