/**
 * Makes the certificates and the key of a cluster: `docs/SCALING.md` says what goes where.
 *
 *     deno task cluster:credentials FOLDER HOST...
 *
 * @module
 */
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { runProgram } from "../../lib/program.ts";
import { makeCredentials } from "./credentials.ts";

await runProgram("make_credentials", async () => {
  const [folder, ...hosts] = Deno.args;
  if (folder === undefined || hosts.length === 0) {
    throw new ExitError(
      ExitCode.usage,
      "name a folder, and the NATS servers' names or addresses: keys 10.0.0.1 10.0.0.2 10.0.0.3",
    );
  }
  if (await Deno.stat(`${folder}/chat.nkey`).then(() => true, () => false)) {
    throw new ExitError(ExitCode.refused, `${folder} has keys already: name another folder`);
  }
  const user = await makeCredentials(folder, hosts);
  console.log(`CHAT_USER="${user}"`);
});
