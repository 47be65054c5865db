// Named here and not in deno.json: Deno fetches all that stands there, also for who only runs a program.
export { unzipSync, type Zippable, zipSync } from "npm:fflate@0.8.3";
export { packTar, unpackTar } from "npm:modern-tar@0.8.6";
