// Clients that come back by their tokens, as soon as they are there. IRC has nothing like it.
#include "client.h"
#include "options.h"
#include "process.h"
#include "report.h"
#include "workloads.h"

static uint64_t count;
static bool running;
static unsigned back[65536], back_count;

static void on_ready(struct client *client) {
  if (!running) return;
  count++;
  // Not here: the stream is being read.
  back[back_count++] = client->index;
}

static void come_back(void) {
  unsigned waiting = back_count;
  back_count = 0;
  for (unsigned i = 0; i < waiting; i++) {
    struct client *client = &clients[back[i]];
    stream_close(&client->stream);
    channel_close(client);
    client_connect(client);
  }
}

void logins(void) {
  clients_open(options.receivers, 0);
  hooks.ready = on_ready;
  running = true;
  for (unsigned i = 0; i < options.receivers; i++) back[back_count++] = i;
  uint64_t start = now_us();
  double cpu = server_cpu(), own = own_cpu();
  while (now_us() < start + (uint64_t)(options.seconds * 1e6)) {
    come_back();
    loop_turn();
  }
  double seconds = (double)(now_us() - start) / 1e6;
  report_number("loginsPerSecond", (double)count / seconds);
  report_number("serverCpu", (server_cpu() - cpu) / seconds);
  report_number("loadCpu", (own_cpu() - own) / seconds);
}
