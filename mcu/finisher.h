/* Finishes recordings (storage/finish.h), one after the other, each in a process of
 * its own that gets only the processor and the disk that nobody else wants. What is
 * to be finished is in the registry (recordings_to_finish), so that a restart goes on
 * where it was; nothing is kept here but the one that runs. CTL.
 *
 *   registry ──► finisher ──spawn──► mcu --finish (finish_process.c) ──► files
 *       ▲           │  ◄── progress and result, by lines, through a pipe ──┘
 *       └───────────┘ */
#ifndef MCU_FINISHER_H
#define MCU_FINISHER_H

#include <stdbool.h>
#include <stddef.h>

#include "mcu/base/role.h"

struct db;
struct finisher;

struct finisher_cfg {
	struct db *db;          /* borrowed until db_close */
	const char *data_dir;   /* borrowed */
	const char *language;   /* of chapters: "en", "ko"; borrowed */
};

/* 0 or -ENOMEM. */
int finisher_new(struct finisher **out, const struct finisher_cfg *cfg) ON_THREAD(ROLE_CTL);
/* Something may have been queued: looks, if nothing runs. f may be NULL. */
void finisher_look(struct finisher *f) ON_THREAD(ROLE_CTL);
/* Ends the one that runs; it is run again at the next start. Starts nothing more. */
void finisher_stop(struct finisher *f) ON_THREAD(ROLE_CTL);
/* Nothing runs, and nothing is known to wait. */
bool finisher_is_idle(const struct finisher *f) ON_THREAD(ROLE_CTL);
/* After db_close. */
void finisher_free(struct finisher **f) ON_THREAD(ROLE_CTL);

/* What the process does: argv[1] is "--finish", then the data folder and the path.
 * Chapters come by standard input. Its exit status. */
int finish_process(int argc, char **argv);

#endif
