#include "mcu/capture.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "mcu/base/thread.h"
#include "mcu/net/tap.h"
#include "mcu/room/room.h"
#include "storage/pcap.h"

enum { POLL_MS = 20, NICE = 10 };

struct capture {
	struct captures *owner;
	struct capture_info info;
	char path[512];
	struct leg *leg; /* NULL once it is no longer tapped */
	guint timer;
	struct tap *tap;
	struct pcap_writer *file; /* the thread's while it runs */
	pthread_t thread;
	_Atomic bool stop, full;
	_Atomic uint64_t bytes, packets;
	_Atomic int err;
	int64_t wall_offset_ns;
};

struct captures {
	const struct engine *engine;
	char folder[400];
	uint32_t next_id;
	GPtrArray *all; /* struct capture */
};

/* --- the thread --------------------------------------------------------------- */

static void write_some(struct capture *c)
{
	const struct tap_packet *p;

	while ((p = tap_peek(c->tap))) {
		size_t have = p->len < TAP_OCTETS ? p->len : TAP_OCTETS;

		if (!c->err && c->bytes < CAPTURE_MAX_BYTES)
			c->err = pcap_write(c->file, p->out, p->time_ns + c->wall_offset_ns,
					    p->octets, have, p->len);
		c->packets++;
		c->bytes = pcap_size(c->file);
		tap_pop(c->tap);
	}
}

static void *run(void *arg)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * NS_PER_MS };
	struct capture *c = arg;
	int err;

	role_enter(ROLE_ID_STO);
	while (!c->stop) {
		write_some(c);
		nanosleep(&pause, NULL);
	}
	write_some(c);
	err = pcap_close(&c->file);
	if (!c->err)
		c->err = err;
	return NULL;
}

/* --- control -------------------------------------------------------------------- */

static void capture_free(void *p)
{
	struct capture *c = p;

	tap_free(&c->tap);
	free(c);
}

int captures_new(struct captures **out, const struct engine *e, const char *folder)
{
	struct captures *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	c->engine = e;
	c->all = g_ptr_array_new_with_free_func(capture_free);
	snprintf(c->folder, sizeof c->folder, "%s/captures", folder);
	/* Names never repeat: files of earlier runs stay. */
	c->next_id = (uint32_t)(clock_wall_ns() / NS_PER_S);
	*out = c;
	return 0;
}

ON_THREAD(ROLE_CTL) static void untap(struct capture *c)
{
	struct leg *l = c->leg;

	c->leg = NULL;
	if (c->timer)
		g_source_remove(c->timer);
	c->timer = 0;
	if (l)
		leg_untap(l);
}

void captures_stop(struct captures *c)
{
	for (guint i = 0; i < c->all->len; i++)
		untap(g_ptr_array_index(c->all, i));
}

void captures_free(struct captures **c)
{
	if (!*c)
		return;
	g_ptr_array_unref((*c)->all);
	free(*c);
	*c = NULL;
}

/* The leg's shard no longer writes into the tap. */
static void released(void *obj, void *arg)
{
	struct capture *c = obj;

	(void)arg;
	role_assert_ctl();
	c->leg = NULL; /* it may have left by itself */
	if (c->timer)
		g_source_remove(c->timer);
	c->timer = 0;
	c->stop = true;
	pthread_join(c->thread, NULL); /* at most POLL_MS and what is buffered */
	c->info.running = false;
	c->info.dropped = tap_dropped(c->tap);
	tap_free(&c->tap);
	log_info(NULL, "capture %s ended: %llu packets", c->path,
		 (unsigned long long)c->packets);
}

static gboolean on_time(gpointer arg)
{
	struct capture *c = arg;

	role_assert_ctl();
	c->timer = 0;
	untap(c);
	return G_SOURCE_REMOVE;
}

static size_t running(const struct captures *c)
{
	size_t n = 0;

	for (guint i = 0; i < c->all->len; i++)
		n += ((struct capture *)g_ptr_array_index(c->all, i))->info.running;
	return n;
}

static int open_file(struct captures *o, struct capture *c, struct errmsg *why)
{
	int err;

	if (mkdir(o->folder, 0700) && errno != EEXIST)
		return errmsg_set(why, -errno, "capture_failed", "The folder %s cannot be made: %s.",
				  o->folder, err_str(-errno));
	c->info.id = o->next_id++;
	snprintf(c->path, sizeof c->path, "%s/capture-%u.pcap", o->folder, c->info.id);
	err = pcap_open(&c->file, c->path);
	if (err)
		return errmsg_set(why, err, "capture_failed", "The file %s cannot be made: %s.",
				  c->path, err_str(err));
	return 0;
}

ON_THREAD(ROLE_CTL) static int begin(struct captures *o, struct capture *c, struct leg *l,
				 struct errmsg *why)
{
	int err = tap_new(&c->tap);

	if (err)
		return errmsg_set(why, err, "internal", "The server is out of memory.");
	err = open_file(o, c, why);
	if (err)
		return err;
	c->wall_offset_ns = clock_wall_ns() - clock_now_ns(&clock_monotonic);
	err = thread_start(&c->thread, "mcu-capture", NICE, run, c);
	if (err) {
		pcap_close(&c->file);
		return errmsg_set(why, err, "internal", "No thread for the capture: %s.", err_str(err));
	}
	err = leg_tap(l, c->tap, released, c);
	if (err) {
		c->stop = true;
		pthread_join(c->thread, NULL);
		unlink(c->path);
		return errmsg_set(why, err, "already_captured", "This participant is being captured.");
	}
	return 0;
}

int capture_start(struct captures *o, struct leg *l, int seconds, uint32_t *id, struct errmsg *why)
{
	struct capture *c;
	struct leg_info i;
	int err;

	if (seconds < 1 || seconds > CAPTURE_MAX_S)
		return errmsg_set(why, -EINVAL, "bad_message", "A capture lasts 1 to %d seconds.",
				  CAPTURE_MAX_S);
	if (running(o) >= CAPTURE_MAX_RUNNING)
		return errmsg_set(why, -EBUSY, "too_many_captures",
				  "%d captures are running. Wait until one has ended.",
				  CAPTURE_MAX_RUNNING);
	if (o->all->len >= CAPTURE_MAX_KEPT)
		return errmsg_set(why, -ENOSPC, "too_many_captures",
				  "%d captures are kept. Delete some first.", CAPTURE_MAX_KEPT);
	c = calloc(1, sizeof *c);
	if (!c)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	err = begin(o, c, l, why);
	if (err) {
		capture_free(c);
		return err;
	}
	leg_get_info(l, &i);
	c->owner = o;
	c->leg = l;
	c->info.leg = i.id;
	c->info.running = true;
	c->info.started_ms = clock_wall_ns() / NS_PER_MS;
	snprintf(c->info.name, sizeof c->info.name, "%s", i.name);
	snprintf(c->info.room, sizeof c->info.room, "%s", room_name(leg_room(l)));
	c->timer = g_timeout_add_seconds((guint)seconds, on_time, c);
	g_ptr_array_add(o->all, c);
	*id = c->info.id;
	log_warn(NULL, "capturing the packets of %s in %s for %d s into %s", c->info.name,
		 c->info.room, seconds, c->path);
	return 0;
}

static struct capture *find(const struct captures *o, uint32_t id)
{
	for (guint i = 0; i < o->all->len; i++) {
		struct capture *c = g_ptr_array_index(o->all, i);

		if (c->info.id == id)
			return c;
	}
	return NULL;
}

int capture_end(struct captures *o, uint32_t id)
{
	struct capture *c = find(o, id);

	if (!c)
		return -ENOENT;
	untap(c);
	return 0;
}

int capture_delete(struct captures *o, uint32_t id)
{
	struct capture *c = find(o, id);

	if (!c)
		return -ENOENT;
	if (c->info.running)
		return -EBUSY;
	unlink(c->path);
	g_ptr_array_remove(o->all, c);
	return 0;
}

static void describe(const struct capture *c, struct capture_info *out)
{
	*out = c->info;
	out->bytes = c->bytes;
	out->packets = c->packets;
	if (c->tap)
		out->dropped = tap_dropped(c->tap);
	out->err = c->err;
	out->path = c->path;
}

bool capture_get(const struct captures *o, size_t i, struct capture_info *out)
{
	if (i >= o->all->len)
		return false;
	describe(g_ptr_array_index(o->all, i), out);
	return true;
}

bool capture_find(const struct captures *o, uint32_t id, struct capture_info *out)
{
	const struct capture *c = find(o, id);

	if (c)
		describe(c, out);
	return c != NULL;
}
