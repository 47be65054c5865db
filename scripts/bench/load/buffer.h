// Bytes that grow.
#pragma once
#include <stddef.h>

struct buffer {
  char *data;
  size_t length, capacity;
};

/** Room for `length` bytes behind those that are there. */
char *buffer_reserve(struct buffer *, size_t length);
void buffer_append(struct buffer *, const void *data, size_t length);
/** Takes bytes away from the front. */
void buffer_drop(struct buffer *, size_t length);
