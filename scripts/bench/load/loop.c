#include "loop.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

enum { TICK_US = 5000, EVENTS = 512 };

static void nothing(void) {}
static void no_tick(uint64_t now) { (void)now; }

void (*loop_before_waiting)(void) = nothing;
void (*loop_ticked)(uint64_t now) = no_tick;

static int epoll_of_loop(void) {
  static int fd = -1;
  if (fd < 0) fd = epoll_create1(EPOLL_CLOEXEC);
  return fd;
}

static void control(int operation, struct source *source, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = source};
  if (epoll_ctl(epoll_of_loop(), operation, source->fd, &event) != 0) {
    die("epoll_ctl: %s", strerror(errno));
  }
}

void loop_add(struct source *source, uint32_t events) { control(EPOLL_CTL_ADD, source, events); }

void loop_change(struct source *source, uint32_t events) {
  control(EPOLL_CTL_MOD, source, events);
}

void loop_turn(void) {
  static struct epoll_event events[EVENTS];
  static uint64_t tick_at;
  loop_before_waiting();
  int count = epoll_wait(epoll_of_loop(), events, EVENTS, TICK_US / 1000);
  for (int i = 0; i < count; i++) {
    struct source *source = events[i].data.ptr;
    // An earlier event of this turn may have closed it.
    if (source->fd >= 0) source->ready(source, events[i].events);
  }
  uint64_t now = now_us();
  if (now >= tick_at) {
    tick_at = now + TICK_US;
    loop_ticked(now);
  }
}

void loop_until(uint64_t time) {
  while (now_us() < time) loop_turn();
}

uint64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}
