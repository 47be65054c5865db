import { runChat } from "./lib/client/run/chat.ts";
import { runDoctor } from "./lib/client/run/doctor.ts";
import { runJson } from "./lib/client/run/json.ts";
import { runSend } from "./lib/client/run/send.ts";
import { CHATCLIENT } from "./lib/client/usage.ts";
import { runProgram } from "./lib/program.ts";
import { completionScript } from "./lib/usage/completions.ts";
import { parseProgram } from "./lib/usage/parse.ts";

async function main(): Promise<void> {
  const commandLine = parseProgram(Deno.args, CHATCLIENT);
  if (commandLine === undefined) return;
  switch (commandLine.command) {
    case "completions":
      return console.log(completionScript(CHATCLIENT, commandLine.arguments["shell"]!));
    case "doctor":
      return Deno.exit(await runDoctor(commandLine));
    case "send":
      return await runSend(commandLine);
    default:
      return await (commandLine.flags.has("json") ? runJson : runChat)(commandLine);
  }
}

await runProgram("chatclient", main);
