/* Files that hosts upload to be played into their rooms. CTL.
 *
 * A ticket says who may upload how much for which room; its address is used once. The
 * octets go to the storage thread as they come, into a file whose name is a number; then a
 * media child says what is in it (playback_child.h), and only what can be played is kept. */
#ifndef MCU_UPLOADS_H
#define MCU_UPLOADS_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/config.h"
#include "storage/uploads.h"

struct engine;
struct server;
struct uploads;
struct volume;

struct uploads_cfg {
	const struct engine *engine;
	const struct config *config;
	struct db *db;
	struct volume *volume;
};

/* cfg's pointers are borrowed for its life. Blocks: removes what was left unfinished. */
int uploads_new(struct uploads **out, const struct uploads_cfg *cfg) ON_THREAD(ROLE_CTL);
void uploads_free(struct uploads **u) ON_THREAD(ROLE_CTL);
/* PUT /api/v1/uploads/:ticket */
int uploads_routes(struct uploads *u, struct server *s) ON_THREAD(ROLE_CTL);
bool uploads_is_idle(const struct uploads *u) ON_THREAD(ROLE_CTL);
void uploads_shutdown(struct uploads *u) ON_THREAD(ROLE_CTL);

struct upload_ask {
	const char *room, *by, *name; /* name: what the file is called */
	int64_t user_id;	      /* who asks; 0: a name and password alone */
	int64_t bytes;
};

/* url: the address to PUT to; borrowed. err with *why: too_large, -EDQUOT (quota), -ENOSPC
 * (disk_full). */
typedef void upload_ticket_cb(void *obj, int err, const char *url, const struct errmsg *why);
/* Answered later. 0 or -errno with *why. */
int uploads_ticket(struct uploads *u, const struct upload_ask *ask, upload_ticket_cb *cb, void *obj,
		   struct errmsg *why) ON_THREAD(ROLE_CTL);
/* The row goes, and then the file; -ENOENT: none of that room that who asks may see. */
void uploads_delete(struct uploads *u, const struct upload_view *view, int64_t id, upload_cb *cb, void *obj)
	ON_THREAD(ROLE_CTL);

#endif
