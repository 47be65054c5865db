import { assertEquals } from "@std/assert";
import { formatFinding } from "../../../lib/client/doctor/report.ts";

const page = { columns: 40, styled: false, wideAmbiguous: false };

Deno.test("formatFinding() wraps text under itself, and leaves commands whole to be copied", () => {
  const command = `sudo firewall-cmd ${"--add-port=1300/udp ".repeat(3)}`;
  const finding = {
    check: "UDP",
    result: "wrong",
    what: "nothing that this machine sends gets there",
    where: "the network",
    cures: [`open it:\n${command}`],
  } as const;
  assertEquals(formatFinding(finding, page).split("\n"), [
    "WRONG  UDP       nothing that this",
    "                   machine sends gets",
    "                   there",
    "         where: the network",
    "         try: open it:",
    `           ${command}`,
  ]);
});

Deno.test("formatFinding() shows nothing of a server's that a terminal would obey", () => {
  const text = formatFinding(
    { check: "identity", result: "wrong", what: "\u001b[2J\n\u202eok" },
    { ...page, columns: 10 },
  );
  // deno-lint-ignore no-control-regex
  assertEquals(/[\u001b\u202e]|\nok/.test(text), false);
});
