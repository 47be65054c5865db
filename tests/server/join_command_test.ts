import { assertEquals } from "@std/assert";
import { joinCommand, type Start } from "../../lib/server/join_command.ts";

const SOURCE: Start = {
  standalone: false,
  execPath: "/usr/bin/deno",
  cwd: "/home/ann/chat",
  source: "/home/ann/chat/",
  denoVersion: "2.9.6",
};
const EXECUTABLE: Start = { ...SOURCE, standalone: true, execPath: "/home/ann/bin/chatserver" };

const at = (start: Partial<Start>, plain = false) =>
  joinCommand({ ...SOURCE, ...start }, { hostname: "10.0.0.114", port: 1300, plain });

Deno.test("joinCommand() names the client as it can be called where the server was started", () => {
  assertEquals(at({}), "deno task client 10.0.0.114 1300");
  assertEquals(at({}, true), "deno task client 10.0.0.114 1300 --plain");
  assertEquals(
    at({ cwd: "/home/ann" }),
    "deno task --cwd /home/ann/chat client 10.0.0.114 1300",
  );
  assertEquals(
    at({ cwd: "/", source: "/my chat" }),
    'deno task --cwd "/my chat" client 10.0.0.114 1300',
  );
  assertEquals(
    at({ execPath: "/home/ann/.npm/_npx/1f/node_modules/deno/deno" }),
    "npx -y deno@2.9.6 task client 10.0.0.114 1300",
  );
});

Deno.test("joinCommand() of an executable names the one beside it", () => {
  assertEquals(at(EXECUTABLE), "chatclient 10.0.0.114 1300");
  assertEquals(
    at({ ...EXECUTABLE, execPath: "/tmp/chatserver-0.1.0-linux-x86_64" }),
    "/tmp/chatclient-0.1.0-linux-x86_64 10.0.0.114 1300",
  );
  assertEquals(at({ ...EXECUTABLE, execPath: "/tmp/serve" }), "chatclient 10.0.0.114 1300");
});

Deno.test("joinCommand() has nothing that a shell takes for more than a word", () => {
  for (const start of [SOURCE, EXECUTABLE]) {
    assertEquals(/[<>|&;$`*?]/.test(at(start)), false);
  }
});
