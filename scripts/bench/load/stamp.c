#include "stamp.h"

#include <string.h>

static void write_hex(char *to, int digits, uint64_t value) {
  while (digits-- > 0) {
    to[digits] = "0123456789abcdef"[value & 15];
    value >>= 4;
  }
}

static uint64_t read_hex(const char *from, int digits) {
  uint64_t value = 0;
  for (int i = 0; i < digits; i++) {
    unsigned digit = (unsigned char)from[i];
    value = value << 4 | ((digit & 15) + (digit >> 6) * 9);
  }
  return value;
}

void stamp_write(char *text, size_t size, const struct stamp *stamp) {
  text[0] = STAMP_MARK;
  write_hex(text + 1, 4, stamp->sender);
  write_hex(text + 5, 8, stamp->number);
  write_hex(text + 13, 12, stamp->sent);
  memset(text + STAMP_SIZE, '.', size - STAMP_SIZE);
}

struct stamp stamp_read(const char *text) {
  return (struct stamp){
      .sender = (uint32_t)read_hex(text + 1, 4),
      .number = (uint32_t)read_hex(text + 5, 8),
      .sent = read_hex(text + 13, 12),
  };
}
