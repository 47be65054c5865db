// Senders who have a number of messages outstanding each.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "stamp.h"

struct client;

/** When a message is not outstanding any more. */
enum completion { WHEN_RECEIVED_BY_ALL, WHEN_ANSWERED };

/**
 * Lets the last `senders` clients send, each to everybody, or to the client of the same place from the
 * front where `direct`.
 */
void flows_start(bool direct, enum completion);
/** No new messages are sent. */
void flows_stop(void);
/** Messages are outstanding. */
bool flows_busy(void);
/** How many were sent, and how many of them are not outstanding any more. */
uint64_t flows_sent(void), flows_done(void);
/** Whether nothing of the first senders is outstanding. */
bool flows_finished(unsigned senders);
/** What nobody got at the end is counted as missing. */
void flows_settle(void);

/** Sends one message; for workloads with a pace of their own. */
void flow_send(unsigned sender, bool direct);
