#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#include "loop.h"

char *buffer_reserve(struct buffer *buffer, size_t length) {
  size_t needed = buffer->length + length;
  if (needed > buffer->capacity) {
    size_t capacity = buffer->capacity == 0 ? 1024 : buffer->capacity;
    while (capacity < needed) capacity *= 2;
    buffer->data = realloc(buffer->data, capacity);
    if (buffer->data == NULL) die("out of memory");
    buffer->capacity = capacity;
  }
  return buffer->data + buffer->length;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length) {
  memcpy(buffer_reserve(buffer, length), data, length);
  buffer->length += length;
}

void buffer_drop(struct buffer *buffer, size_t length) {
  buffer->length -= length;
  memmove(buffer->data, buffer->data + length, buffer->length);
}
