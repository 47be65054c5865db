// Named here and not in deno.json: Deno fetches all that stands there, also for who only runs a program.
export { default } from "npm:fast-check@4.10.2";
