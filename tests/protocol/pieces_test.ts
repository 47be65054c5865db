import { assertEquals } from "@std/assert";
import { Pieces } from "../../lib/protocol/pieces.ts";

Deno.test("Pieces.cut() gives arrays of zeros that do not overlap", () => {
  const pieces = new Pieces(10);
  const arrays = [4, 6, 7, 10, 0, 3, 1].map((bytes) => pieces.cut(bytes));
  assertEquals(arrays.map(({ length }) => length), [4, 6, 7, 10, 0, 3, 1]);
  arrays.forEach((array, index) => {
    assertEquals(array, new Uint8Array(array.length));
    array.fill(index + 1);
  });
  arrays.forEach((array, index) =>
    assertEquals(array, new Uint8Array(array.length).fill(index + 1))
  );
});

Deno.test("Pieces.cut() cuts what fits from one piece", () => {
  const pieces = new Pieces(10);
  const [first, second, third] = [4, 6, 1].map((bytes) => pieces.cut(bytes).buffer);
  assertEquals([first === second, second === third], [true, false]);
});
