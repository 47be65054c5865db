import type { Place } from "../helpers/classroom.ts";
import { NatsServer } from "../helpers/nats.ts";
import { dealWithNuisance } from "../helpers/nuisance.ts";
import { startServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

Deno.test("a nuisance among thirty people at two servers is dealt with, and disturbs nobody", async () => {
  await using opened = new AsyncDisposableStack();
  const nats = opened.use(await NatsServer.start());
  const places: Place[] = [];
  for (let i = 0; i < 2; i++) {
    const folder = opened.use(await TempFolder.create()).path;
    const started = await startServer(folder, "--cluster", `nats://${nats.address}`);
    opened.use(started.server);
    places.push({ ...started, folder });
  }
  await dealWithNuisance(places);
});
