import { dealWithNuisance } from "./helpers/nuisance.ts";
import { startServer } from "./helpers/programs.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

Deno.test({
  name: "a nuisance among thirty people behind one address is dealt with, and disturbs nobody",
  // Windows has no chatserver control.
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TempFolder.create();
    const started = await startServer(folder.path);
    await using _server = started.server;
    await dealWithNuisance([{ ...started, folder: folder.path }]);
  },
});
