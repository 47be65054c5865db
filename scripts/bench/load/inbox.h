// Our protocol's delivery numbers: each message once, in order, whichever channel it takes.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "stamp.h"

struct client;

struct inbox {
  uint64_t delivered;  // every number below was shown
  uint64_t end;        // every number that was received is below
  unsigned early;      // how many wait for their turn
  struct stamp *waits; // a ring by number; `present` says which are there
  bool *present;
};

struct range {
  uint64_t first, last;
};

void inbox_reset(struct inbox *);
void inbox_take(struct client *, uint64_t number, const struct stamp *);
/** The lowest ranges beyond `delivered`. @returns how many */
unsigned inbox_ranges(const struct inbox *, struct range *ranges, unsigned most);
