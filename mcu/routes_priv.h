/* The insides of the HTTP routes, shared by routes.c and routes_admin.c. CTL. */
#ifndef MCU_ROUTES_PRIV_H
#define MCU_ROUTES_PRIV_H

#include <glib.h>

#include "mcu/routes.h"
#include "storage/db.h"
#include "storage/password.h"

struct routes {
	struct routes_cfg cfg;
	GThreadPool *hashing; /* one password at a time: 64 MiB each; NULL: stopping */
	GPtrArray *waiting;   /* struct wait */
};

/* A request that waits for the registry or for a password's hash. Never two of
 * these at once, so one object does for the whole way. */
struct wait {
	struct routes *routes;
	struct http_req *req; /* NULL: answered already, at the stop */
	/* What the administrator wants: 0, or the registry's refusal. May not end w
	 * on an error. */
	int (*next)(struct wait *w);
	char room[DB_NAME_MAX + 1], title[DB_NAME_MAX + 1];
	char password[PASSWORD_MAX + 1], hash[PASSWORD_HASH_MAX];
	/* Orders the hand-over to the hashing thread, also for those who cannot see
	 * GLib's own (the thread sanitizer). */
	_Atomic bool handed;
	int verdict;
};

/* NULL: out of memory, answered. */
struct wait *wait_new(struct routes *r, struct http_req *req) ON_THREAD(ROLE_CTL);
void wait_end(struct wait *w) ON_THREAD(ROLE_CTL);
void wait_reply_busy(struct wait *w) ON_THREAD(ROLE_CTL);

int routes_admin_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
void routes_admin_stop(struct routes *r) ON_THREAD(ROLE_CTL);

#endif
