import { assertEquals } from "@std/assert";
import { DeliveryMarks } from "../../lib/server/marks.ts";

class Session {
  delivered = 0;
  wentByTcp(): boolean {
    return true;
  }
}

function found(marks: DeliveryMarks, id: number): string[] | undefined {
  const by = marks.find(id);
  return by && [...by].map(([account, mark]) => `${account} ${mark}`).sort();
}

Deno.test("DeliveryMarks.find() knows how messages of rooms got to each account, whatever stands between them", () => {
  const marks = new DeliveryMarks(100);
  const [ann, bob] = [new Session(), new Session()];
  const [annHas, bobHas] = [marks.open("ann", ann), marks.open("bob", bob)];
  // ann is in one room, where 1, 2, 5 and 6 were said; bob is in another one, too, and 4 is public.
  marks.addPublic([4]);
  marks.addRooms([1, 2, 3, 5, 6]);
  marks.noteRoom(annHas, { ids: [1, 2], from: 0, to: 2, number: 0 });
  marks.noteRoom(annHas, { ids: [4, 5, 6], from: 0, to: 3, number: 2 });
  marks.noteRoom(bobHas, { ids: [1, 2, 3], from: 1, to: 3, number: 0 });
  marks.noteRoom(bobHas, { ids: [4, 5, 6], from: 0, to: 3, number: 2 });
  ann.delivered = 3;
  bob.delivered = 1;
  assertEquals(found(marks, 1), ["ann tcp"]);
  assertEquals(found(marks, 2), ["ann tcp", "bob tcp"]);
  assertEquals(found(marks, 3), ["bob waits"]);
  assertEquals(found(marks, 4), ["ann tcp", "bob waits"]);
  assertEquals(found(marks, 5), ["ann waits", "bob waits"]);
  assertEquals(found(marks, 7), undefined);
});

Deno.test("DeliveryMarks forgets the oldest messages of rooms, and nothing of the others", () => {
  const marks = new DeliveryMarks(10);
  const session = new Session();
  const ledger = marks.open("ann", session);
  for (let id = 1; id <= 95; id++) {
    marks.addRooms([id]);
    // Every third one goes to somebody else.
    const number = id - 1 - Math.floor(id / 3);
    if (id % 3 > 0) marks.noteRoom(ledger, { ids: [id], from: 0, to: 1, number });
  }
  session.delivered = 1_000;
  const known = Array.from({ length: 95 }, (_, at) => at + 1).filter((id) => found(marks, id));
  assertEquals(known, Array.from({ length: known.length }, (_, at) => 96 - known.length + at));
  assertEquals(known.length >= 10 && known.length < 20, true);
  for (const id of known) assertEquals(found(marks, id), id % 3 > 0 ? ["ann tcp"] : []);
});
