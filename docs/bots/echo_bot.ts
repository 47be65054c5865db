// Answers every direct message with its own words:
// deno run --allow-run=chatclient echo_bot.ts <host> <port> <name> --password-file FILE
const chat = new Deno.Command("chatclient", {
  args: ["--json", ...Deno.args],
  stdin: "piped",
  stdout: "piped",
}).spawn();
const commands = chat.stdin.getWriter();
const utf8 = new TextEncoder();

let begun = "";
for await (const chunk of chat.stdout.pipeThrough(new TextDecoderStream())) {
  const lines = (begun + chunk).split("\n");
  begun = lines.pop() ?? "";
  for (const { type, from, to, text } of lines.map((line) => JSON.parse(line))) {
    if (type !== "message" || to === undefined) continue;
    const answer = { type: "direct", to: from, text: `You said: ${text}` };
    await commands.write(utf8.encode(`${JSON.stringify(answer)}\n`));
  }
}
Deno.exit((await chat.status).code);
