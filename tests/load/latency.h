/* Delay through the server: from the last input byte that carries an event
 * until the first output byte that carries it. Senders flip their picture from
 * black to white and make short bursts of sound, in turn; a viewer decodes and
 * notes when the first packet with the change arrived. Same process, same
 * clock; arrival times are the kernel's. */
#ifndef TESTS_LOAD_LATENCY_H
#define TESTS_LOAD_LATENCY_H

#include "tests/load/options.h"

/* The whole run; the exit status. */
int latency_run(const struct options *o);

#endif
