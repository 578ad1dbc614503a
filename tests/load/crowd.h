/* All participants of a run: who there is, when they come and go, and whether
 * all went as expected. */
#ifndef TESTS_LOAD_CROWD_H
#define TESTS_LOAD_CROWD_H

#include "tests/load/options.h"

struct crowd;

struct crowd *crowd_new(const struct options *o);
void crowd_free(struct crowd **c);
/* Takes part for its time; 0 or 1: the exit status. */
int crowd_run(struct crowd *c);
/* Before crowd_run. Fills in what all participants have in common. */
void crowd_defaults(const struct crowd *c, struct peer_cfg *cfg, enum peer_kind kind);
struct peer *crowd_add(struct crowd *c, const struct peer_cfg *cfg);
/* Called at the end of the run to add to the summary; obj is borrowed. */
void crowd_on_summary(struct crowd *c, void (*fn)(void *obj, json_t *summary), void *obj);

#endif
