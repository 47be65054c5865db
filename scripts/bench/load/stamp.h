// What the texts of the messages say: who sent them, which one it is, and when.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct stamp {
  uint32_t sender, number;
  uint64_t sent; // in microseconds, `now_us`
};

/** A text begins with this character, which stands nowhere else in what a server sends with it. */
enum { STAMP_MARK = '|', STAMP_SIZE = 25 };

/** Writes a text of `size` bytes, at least STAMP_SIZE. */
void stamp_write(char *text, size_t size, const struct stamp *);
/** Reads one; there are STAMP_SIZE bytes. */
struct stamp stamp_read(const char *text);
