import { formatRestriction } from "../operator_lines.ts";
import type { ServerStatus } from "./status.ts";

/** How a server is, on one screen. @param timeOf a time in milliseconds since 1970, as people read it */
export function formatStatus(status: ServerStatus, timeOf: (time: number) => string): string[] {
  const { messages, backlog, fileBytes, commits, logins, refusals, cluster } = status;
  const refused = Object.entries(refusals).map(([reason, count]) => `${count} ${reason}`);
  const oldest = status.oldestMessage;
  return [
    `chatserver ${status.version}, process ${status.pid}, since ${timeOf(status.started)}`,
    ...status.isStoring ? [] : ["NOTHING CAN BE STORED at present: the log says why"],
    line("users", `${status.users} (sessions here: ${status.sessions})`),
    line("connections", `${status.connections}, logged in or not`),
    line("accounts", `${status.accounts}`),
    line("rooms", `${status.rooms}`),
    line(
      "messages",
      `${status.messagesPerSecond.toFixed(1)} a second in the last minute; since the start ` +
        `${messages.public} public, ${messages.room} in rooms, ${messages.direct} direct`,
    ),
    line("deliveries", formatDeliveries(status)),
    line(
      "backlog",
      `${backlog} deliveries, ${size(status.backlogBytes)}; ${
        size(status.unwrittenBytes)
      } unwritten`,
    ),
    line(
      "journal",
      `up to event ${status.journal}; ${size(fileBytes.database + fileBytes.log)} on the disk; ` +
        (oldest === undefined ? "no message" : `oldest message of ${timeOf(oldest)}`),
    ),
    line(
      "commits",
      commits.longest === 0
        ? "none in the last minute"
        : `${commits.mean.toFixed(1)} ms in the last minute, the longest ${
          commits.longest.toFixed(1)
        } ms`,
    ),
    line("memory", size(status.memoryBytes)),
    line("logins", `${logins.new} since the start, and ${logins.returned} came back`),
    line("refused logins", [`${status.refusedLogins} since the start`, ...refused].join(", ")),
    line("muted, banned", `${status.restrictions}`),
    line("new accounts", formatNewAccounts(status, timeOf)),
    ...cluster === undefined ? [] : [line(
      "cluster",
      `other servers: ${cluster.otherServers}, users there: ${cluster.usersElsewhere}`,
    )],
  ];
}

function formatNewAccounts(
  { closed, locked }: ServerStatus,
  timeOf: (time: number) => string,
): string {
  if (locked !== undefined) return formatRestriction(locked, timeOf);
  return closed ? "are refused (--closed)" : "are taken";
}

function formatDeliveries({ deliveries: { udp, tcp }, datagrams }: ServerStatus): string {
  const all = udp.deliveries + tcp.deliveries;
  const share = all === 0 ? "" : `, ${Math.round(100 * udp.deliveries / all)} % by UDP`;
  return `${all} since the start${share}; ${udp.repeats + tcp.repeats} sent once more, ` +
    `${datagrams.dropped} datagrams dropped`;
}

function line(what: string, text: string): string {
  return `${what.padEnd(14)} ${text}`;
}

function size(bytes: number): string {
  if (bytes < 1_024) return `${bytes} bytes`;
  if (bytes < 1_048_576) return `${(bytes / 1_024).toFixed(1)} KiB`;
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
