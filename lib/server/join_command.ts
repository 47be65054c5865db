import { basename, join, resolve } from "node:path";

/** How the server was started, so that what it prints works in the same place. */
export interface Start {
  /** Whether it is an executable of its own. */
  standalone: boolean;
  /** The executable: the server's own, or Deno. */
  execPath: string;
  /** The folder it was started in. */
  cwd: string;
  /** The folder of the source. */
  source: string;
  denoVersion: string;
}

/** The command that joins the server at an address, to be pasted as it is. */
export function joinCommand(
  start: Start,
  { hostname, port, plain }: { hostname: string; port: number; plain: boolean },
): string {
  return `${clientOf(start)} ${hostname} ${port}${plain ? " --plain" : ""}`;
}

function clientOf({ standalone, execPath, cwd, source, denoVersion }: Start): string {
  if (standalone) {
    const name = basename(execPath);
    const client = name.replace("chatserver", "chatclient");
    // One that has its version in its name was unpacked by hand, and is not found by its name alone.
    return /^chatserver(\.exe)?$/i.test(name) || client === name
      ? "chatclient"
      : quoted(join(execPath, "..", client));
  }
  // npx keeps its packages in a folder of this name, and puts nothing on the path.
  const deno = /[\\/]_npx[\\/]/.test(execPath) ? `npx -y deno@${denoVersion}` : "deno";
  const [here, there] = [resolve(cwd), resolve(source)];
  return here === there ? `${deno} task client` : `${deno} task --cwd ${quoted(there)} client`;
}

/** As shells take it for one word. */
function quoted(path: string): string {
  return /^[\w./\\:+-]+$/.test(path) ? path : JSON.stringify(path);
}

/** How this process was started. */
export function howStarted(): Start {
  const here = import.meta.dirname;
  return {
    standalone: Deno.build.standalone,
    execPath: Deno.execPath(),
    cwd: Deno.cwd(),
    source: here === undefined ? "." : join(here, "..", ".."),
    denoVersion: Deno.version.deno,
  };
}
