import { assert, assertEquals } from "@std/assert";
import { DESCRIPTORS_PER_CONNECTION } from "../../lib/net/listener.ts";
import {
  countFreeDescriptors,
  descriptorsFor,
  fitToDescriptors,
} from "../../lib/server/descriptors.ts";
import { DEFAULT_LIMITS } from "../../lib/server/limits.ts";

const limits = { ...DEFAULT_LIMITS, pending: 100, pendingPerAddress: 80 };

Deno.test("fitToDescriptors() leaves the limits alone where there are enough", () => {
  const fitted = fitToDescriptors(limits, descriptorsFor(limits));
  assertEquals(fitted, { connections: 200, limits, warning: undefined });
});

Deno.test("fitToDescriptors() lowers the limits where there are too few, and says so", () => {
  const free = 50 + 80 * DESCRIPTORS_PER_CONNECTION;
  const fitted = fitToDescriptors(limits, free);
  assertEquals(fitted.connections, 80);
  assertEquals(fitted.limits, { ...limits, pending: 40, pendingPerAddress: 20 });
  assert(fitted.warning!.includes(`only ${free} more files open, so there may be 80 connections,`));
  assertEquals(fitToDescriptors(limits, 3).limits, { ...limits, pending: 1, pendingPerAddress: 1 });
});

Deno.test("countFreeDescriptors() gives back what it has counted", () => {
  const free = countFreeDescriptors(100);
  assert(free > 0);
  assertEquals(countFreeDescriptors(100), free);
});
