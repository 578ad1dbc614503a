/* The insides of uploads. CTL.
 *   uploads.c          tickets, deleting, time
 *   uploads_receive.c  a file on its way in */
#ifndef MCU_UPLOADS_PRIV_H
#define MCU_UPLOADS_PRIV_H

#include <glib.h>

#include "mcu/playback_child.h"
#include "mcu/room/engine.h"
#include "mcu/uploads.h"
#include "signaling/server.h"
#include "storage/volume.h"

enum {
	SECRET_CHARS = 32, TICKETS = 64, TICKETS_EACH = 4, TICKET_S = 300, CHUNK_BYTES = 65536, CHUNKS_AHEAD = 16,
	PROBES = 2, PROBE_S = 40, TIDY_S = 3600,
	SYNC_BYTES = 8 << 20, /* so that the disk of a recorder never has much to write at once */
};

enum upload_state { TICKET, RECEIVING, FLUSHING, PROBING, SAVING };

/* One file on its way in. */
struct upload {
	struct uploads *owner;
	enum upload_state state;
	char secret[SECRET_CHARS + 1], url[80], part[UPLOAD_PATH_MAX + 8], path[UPLOAD_PATH_MAX + 1];
	struct upload_row row;
	int64_t made_ns;
	upload_ticket_cb *cb; /* until it has been answered */
	void *obj;
	struct http_req *req; /* that waits for the end; NULL: nobody does */
	bool gone;  /* nobody wants it any more */
	bool held;  /* the sender waits */
	bool queued; /* it is on the disk, and waits to be looked into */
	uint8_t *chunk;
	size_t filled;
	unsigned in_flight; /* jobs of the storage thread */
	struct playback_child *child;
	bool known;
	struct errmsg why;
	int64_t sent;	/* octets that the storage thread was given */
	int64_t spare;	/* what the disk has; the storage thread's, as fd */
	int64_t synced, written; /* likewise */
	int fd; /* the storage thread's, while jobs are in flight */
	int err;
};

struct uploads {
	struct uploads_cfg cfg;
	GPtrArray *all; /* struct upload */
	unsigned asking; /* requests of the registry */
	guint timer;
	bool stopping;
};

/* Asks how much the disk may take, into u->spare; then() follows. 0 or -errno. */
int upload_look(struct upload *u, void (*then)(struct upload *u)) ON_THREAD(ROLE_CTL);
/* Looks into the next file that waits for it, when it may. */
void uploads_probe_next(struct uploads *all) ON_THREAD(ROLE_CTL);
/* Frees it, once nothing works for it any more. */
void upload_discard(struct upload *u) ON_THREAD(ROLE_CTL);
extern const struct http_sink upload_sink; /* its ctx: the uploads */
void upload_received(void *ctx, struct http_req *req);

#endif
