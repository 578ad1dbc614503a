/* Where a room is sent to (storage/push.h): one list per room. Addresses are shown
 * without their secrets, and kept by the push alone. CTL. */
#ifndef MCU_PUSHES_H
#define MCU_PUSHES_H

#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/config.h"
#include "mcu/room/room.h"
#include "storage/push.h"

struct pushes;

/* What all use; everything is borrowed. */
struct pushes_env {
	const struct engine *engine;
	const struct config *config;
	size_t running; /* not yet gone */
};

/* Borrowed for the call. */
struct push_info {
	int64_t id;
	enum push_state state;
	const char *to, *text; /* text: a sentence, or "" */
	int64_t started_ms;
};

typedef void push_info_fn(void *obj, const struct push_info *i);

/* changed: each change of one of them, never from inside pushes_start. room, env:
 * borrowed. */
int pushes_new(struct pushes **out, struct pushes_env *env, struct room *room,
	       push_info_fn *changed, void *obj) ON_THREAD(ROLE_CTL);
/* All end; changed is not called any more. Before room_close. */
void pushes_close(struct pushes **p) ON_THREAD(ROLE_CTL);

/* admin: whether an administrator asks for it. 0 with *id; -EINVAL (push_invalid), -EACCES
 * (not_allowed), -EUSERS (too_many_pushes), -ENOMEM … with *why. */
int pushes_start(struct pushes *p, const char *url, bool admin, int64_t *id, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* Ends it, or forgets one that failed. -ENOENT. */
int pushes_stop(struct pushes *p, int64_t id) ON_THREAD(ROLE_CTL);
/* -ENOENT. *out is valid until something changes. */
int pushes_get(const struct pushes *p, int64_t id, struct push_info *out) ON_THREAD(ROLE_CTL);
/* In the order of their start; those that failed, too, until they are stopped. */
void pushes_each(const struct pushes *p, push_info_fn *fn, void *obj) ON_THREAD(ROLE_CTL);

#endif
