/* Captures: one leg's RTP and RTCP in plain text in a pcap file, on request of an
 * administrator, for a limited time and size. Files are below data.path/captures,
 * readable by the server's user alone, and stay until they are deleted.
 *
 * CTL; a thread per capture writes its file. */
#ifndef MCU_CAPTURE_H
#define MCU_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/room/leg.h"

enum { CAPTURE_MAX_RUNNING = 4, CAPTURE_MAX_KEPT = 100, CAPTURE_MAX_S = 600 };
#define CAPTURE_MAX_BYTES (256u << 20)

struct captures;

struct capture_info {
	uint32_t id;
	uint32_t leg;
	char room[257], name[257];
	int64_t started_ms; /* since 1970 */
	bool running;
	uint64_t bytes, packets, dropped;
	int err; /* -errno of the disk; 0: fine */
	const char *path;
};

/* folder: data.path; copied. */
int captures_new(struct captures **out, const struct engine *e, const char *folder)
	ON_THREAD(ROLE_CTL);
/* Asks those that run to stop: before the rooms close. */
void captures_stop(struct captures *c) ON_THREAD(ROLE_CTL);
/* After every leg has gone and the control mailbox has run. */
void captures_free(struct captures **c) ON_THREAD(ROLE_CTL);

/* seconds: 1…CAPTURE_MAX_S. -EINVAL, -EBUSY (this leg is being captured, or too
 * many are), -ENOSPC (too many are kept), -errno of the disk; *why is filled in. */
int capture_start(struct captures *c, struct leg *l, int seconds, uint32_t *id, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* Before its time; it ends a moment later. -ENOENT. */
int capture_end(struct captures *c, uint32_t id) ON_THREAD(ROLE_CTL);
/* Deletes a finished one. -ENOENT, -EBUSY: it is running. */
int capture_delete(struct captures *c, uint32_t id) ON_THREAD(ROLE_CTL);
/* In order of their start; false past the end. */
bool capture_get(const struct captures *c, size_t i, struct capture_info *out)
	ON_THREAD(ROLE_CTL);
bool capture_find(const struct captures *c, uint32_t id, struct capture_info *out)
	ON_THREAD(ROLE_CTL);

#endif
