/* An audio worker: the ticker thread and the rooms hashed to it. */
#include "mcu/room/audio_worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mcu/base/ticker.h"
#include "mcu/room/room_audio_priv.h"

enum { MBOX_CAPACITY = 4096, TICK_NS = 20 * 1000 * 1000 };

struct audio_worker {
	struct ticker *ticker;
	struct room_audio *rooms;
	char name[16];
};

static void tick(void *obj, int64_t number, int64_t due_ns)
{
	struct audio_worker *w = obj;

	role_assert_mixa();
	for (struct room_audio *r = w->rooms; r; r = room_audio_next(r))
		room_audio_tick(r, number, due_ns);
}

int audio_worker_new(struct audio_worker **out, const struct clock *clock, unsigned index)
{
	struct audio_worker *w = calloc(1, sizeof *w);
	int err;

	if (!w)
		return -ENOMEM;
	snprintf(w->name, sizeof w->name, "audio%u", index);
	err = ticker_new(&w->ticker, w->name, clock, TICK_NS, MBOX_CAPACITY, tick, w);
	if (err) {
		free(w);
		return err;
	}
	*out = w;
	return 0;
}

void audio_worker_free(struct audio_worker **w)
{
	if (!*w)
		return;
	ticker_free(&(*w)->ticker);
	free(*w);
	*w = NULL;
}

struct mbox *audio_worker_mbox(struct audio_worker *w)
{
	return ticker_mbox(w->ticker);
}

uint64_t audio_worker_missed_count(const struct audio_worker *w)
{
	return ticker_missed_count(w->ticker);
}

struct room_audio **audio_worker_rooms(struct audio_worker *w)
{
	return &w->rooms;
}
