/* The storage thread of one recording volume (ROLE_STO, nice +10): everything
 * that reads or writes files of recordings runs here. It drains the recorders
 * about ten times a second, so that packets cost no wake-up each. */
#ifndef MCU_STORAGE_VOLUME_H
#define MCU_STORAGE_VOLUME_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/mbox.h"
#include "mcu/base/role.h"

struct volume;

/* root: the data folder, created when missing (one level). 0 or -errno with
 * *why. Starts the thread. */
int volume_new(struct volume **out, const char *root, struct errmsg *why);
/* Finishes every recorder that was stopped, joins. All recorders must have been
 * stopped. Events that cannot be delivered any more are dropped. */
void volume_free(struct volume **v);
/* For other jobs on the volume's files. */
struct mbox *volume_mbox(struct volume *v);
const char *volume_root(const struct volume *v);

#endif
