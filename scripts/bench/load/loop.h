// The event loop: one thread, epoll, and a tick every 5 ms.
#pragma once
#include <stdint.h>

/** Something with a file descriptor. It stays where it is in memory until the process ends. */
struct source {
  int fd; // -1: none
  void (*ready)(struct source *, uint32_t events);
};

void loop_add(struct source *, uint32_t events);
void loop_change(struct source *, uint32_t events);

/** Is called before the loop waits. */
extern void (*loop_before_waiting)(void);
/** Is called every 5 ms. */
extern void (*loop_ticked)(uint64_t now);

/** Waits for events, 5 ms at most, and handles them. */
void loop_turn(void);
/** Turns until then. */
void loop_until(uint64_t time);

/** Monotonic, in microseconds. */
uint64_t now_us(void);

/** Ends the process with a line on standard error. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
