export type Bytes = Uint8Array<ArrayBuffer>;
/** What is served for a path: the file, or whatever goes wrong. */
export type Answer = Bytes | Response;

/** A server with the files of releases, by their paths. */
export class Releases implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(files: Record<string, () => Answer>) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const answer = files[new URL(request.url).pathname]?.();
      if (answer instanceof Response) return answer;
      return new Response(answer, { status: answer === undefined ? 404 : 200 });
    });
  }
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Every file below a folder. */
export function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${folder}/${name}`).map((file) => `${name}/${file}`) : [name]
  ).toSorted();
}
