/* Keeps the repository in order while the server runs: hourly, and whenever it is
 * asked to, it does what recording_keep.h says (too old, too much, the trash), removes
 * files on the volume's thread and then their rows, and brings the index of recordings
 * up to date. CTL. */
#ifndef MCU_RECORDING_KEEPER_H
#define MCU_RECORDING_KEEPER_H

#include "mcu/base/mbox.h"
#include "mcu/base/role.h"
#include "mcu/config.h"
#include "storage/recording_keep.h"
#include "storage/volume.h"

struct recording_keeper;

struct recording_keeper_cfg {
	const struct config *config;
	struct db *db;
	struct volume *volume;
	struct mbox *ctl;
};

/* cfg's pointers are borrowed for its life. */
int recording_keeper_new(struct recording_keeper **out, const struct recording_keeper_cfg *cfg)
	ON_THREAD(ROLE_CTL);
/* Before the registry and the volume go: nothing is asked of them any more. */
void recording_keeper_stop(struct recording_keeper *k) ON_THREAD(ROLE_CTL);
/* When the control mailbox does not run any more. */
void recording_keeper_free(struct recording_keeper **k) ON_THREAD(ROLE_CTL);
/* Soon; once more when it is under way. for_good: somebody has seen what goes and wants it
 * gone, so that keep_hold of recording_keep.h does not hold it up; otherwise only what is
 * marked to go for good goes in that time. */
void recording_keeper_run(struct recording_keeper *k, bool for_good) ON_THREAD(ROLE_CTL);
/* Until when (wall clock, milliseconds) nothing goes for good by itself; 0: it does. */
int64_t recording_keeper_held_until_ms(struct recording_keeper *k) ON_THREAD(ROLE_CTL);
/* What the configuration says, now. */
struct keep_policy recording_keeper_policy(const struct config *c);

#endif
