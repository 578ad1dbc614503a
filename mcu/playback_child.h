/* A media child (mcu/media/main.c): the process in which a file or camera is opened. CTL.
 * It has nothing of the server but a socket, the memory that both share, and the file. */
#ifndef MCU_PLAYBACK_CHILD_H
#define MCU_PLAYBACK_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/media/wire.h"

struct playback_child;

struct playback_child_events {
	/* It says something; one that writes nonsense has been killed instead. */
	void (*note)(void *obj, const struct media_note *n);
	/* The process is gone, and the handle with it. Last. */
	void (*gone)(void *obj);
};

struct playback_child_cfg {
	enum media_kind kind;
	bool probe;
	int file;	 /* descriptor, borrowed for the call; -1: none */
	int shm;	 /* likewise; of playback_child_memory */
	const char *url; /* NULL: none */
	uint32_t max_w, max_h;
};

/* Shared memory for pictures of at most that size: a descriptor that can be mapped but
 * never made smaller, and *out where it is mapped. -errno. */
int playback_child_memory(uint32_t max_w, uint32_t max_h, struct media_shm **out)
	ON_THREAD(ROLE_CTL);
void playback_child_unmap(struct media_shm **shm, uint32_t max_w, uint32_t max_h);

/* NULL: beside the program that runs. Borrowed. */
void playback_child_program(const char *path) ON_THREAD(ROLE_CTL);

/* ev: borrowed for its life. 0 or -errno with *why. */
int playback_child_start(struct playback_child **out, const struct playback_child_cfg *cfg,
			 const struct playback_child_events *ev, void *obj, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* What it does not take is as lost as the child is then. */
void playback_child_order(struct playback_child *c, enum media_order_type type, uint32_t serial,
			  int64_t pos, bool flag) ON_THREAD(ROLE_CTL);
/* Kills it; gone() comes later, note() does not any more. */
void playback_child_kill(struct playback_child *c) ON_THREAD(ROLE_CTL);

#endif
