#include "inbox.h"

#include <stdlib.h>

#include "client.h"

/** A server sends at most so far ahead. */
enum { AHEAD = 16384 };

void inbox_reset(struct inbox *inbox) {
  free(inbox->waits);
  free(inbox->present);
  *inbox = (struct inbox){0};
}

static void keep(struct client *client, uint64_t number, const struct stamp *stamp) {
  struct inbox *inbox = &client->inbox;
  if (number >= inbox->delivered + AHEAD) {
    client_problem(client, "a message was sent too far ahead");
    return;
  }
  if (inbox->waits == NULL) {
    inbox->waits = calloc(AHEAD, sizeof *inbox->waits);
    inbox->present = calloc(AHEAD, sizeof *inbox->present);
    if (inbox->waits == NULL || inbox->present == NULL) die("out of memory");
  }
  if (inbox->present[number % AHEAD]) {
    totals.duplicates++;
    return;
  }
  inbox->present[number % AHEAD] = true;
  inbox->waits[number % AHEAD] = *stamp;
  inbox->early++;
  if (number >= inbox->end) inbox->end = number + 1;
}

void inbox_take(struct client *client, uint64_t number, const struct stamp *stamp) {
  struct inbox *inbox = &client->inbox;
  if (number < inbox->delivered) {
    totals.duplicates++;
    return;
  }
  if (number > inbox->delivered) return keep(client, number, stamp);
  if (inbox->early > 0 && inbox->present[number % AHEAD]) abort();
  inbox->delivered++;
  client_shows(client, stamp);
  while (inbox->early > 0 && inbox->present[inbox->delivered % AHEAD]) {
    unsigned slot = (unsigned)(inbox->delivered++ % AHEAD);
    inbox->present[slot] = false;
    inbox->early--;
    client_shows(client, &inbox->waits[slot]);
  }
  if (inbox->end < inbox->delivered) inbox->end = inbox->delivered;
}

unsigned inbox_ranges(const struct inbox *inbox, struct range *ranges, unsigned most) {
  unsigned count = 0;
  if (inbox->early == 0) return 0;
  for (uint64_t number = inbox->delivered; number < inbox->end; number++) {
    if (!inbox->present[number % AHEAD]) continue;
    if (count > 0 && ranges[count - 1].last + 1 == number) {
      ranges[count - 1].last = number;
    } else {
      if (count == most) break;
      ranges[count++] = (struct range){number, number};
    }
  }
  return count;
}
