#include "mcu/recording_keeper.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <glib.h>

#include "mcu/base/clock.h"
#include "mcu/base/err.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "storage/recording_search.h"
#include "storage/repository.h"

METRIC_COUNTER(m_trashed, "mcu_recordings_trashed_total",
	       "Recordings that went into the trash by age or for a quota.");
METRIC_COUNTER(m_purged, "mcu_recordings_purged_total", "Recordings that were removed for good.");
METRIC_COUNTER(m_failures, "mcu_recordings_purge_failures_total",
	       "Files of recordings that could not be removed; tried again later.");

/* EVERY_S: the second run is the first after the hold that begins with the first. */
enum { FIRST_RUN_S = 5, EVERY_S = KEEP_HOLD_MS / 1000 + 10, INDEX_AT_ONCE = 100 };

#define GB 1000000000LL

struct recording_keeper {
	struct recording_keeper_cfg cfg;
	guint timer;
	struct keep_hold hold;
	bool running, again, stopped;
	bool for_good; /* wanted by somebody, who has seen what goes */
	struct keep_item *items; /* that go for good */
	size_t n, at;
};

/* One file on its way out, and back. */
struct removal {
	struct volume_event event; /* first */
	struct recording_keeper *keeper;
	struct volume *volume;
	int64_t id;
	char path[RECORDING_PATH_MAX + 1];
	int err;
};

static void run_now(struct recording_keeper *k) ON_THREAD(ROLE_CTL);
static void next_removal(struct recording_keeper *k) ON_THREAD(ROLE_CTL);

struct keep_policy recording_keeper_policy(const struct config *c)
{
	return (struct keep_policy){
		.now_ms = clock_wall_ns() / NS_PER_MS,
		.keep_days = c->recording.keep_days,
		.trash_days = c->recording.trash_days,
		.quota_bytes = c->recording.quota_gb * GB,
		.room_quota_bytes = c->recording.room_quota_gb * GB,
		.user_quota_bytes = c->recording.user_quota_gb * GB,
	};
}

static void on_index(void *obj, int err, bool done)
{
	struct recording_keeper *k = obj;

	role_assert_ctl();
	if (!err && !done)
		recording_index(k->cfg.db, INDEX_AT_ONCE, on_index, k);
	else if (err)
		log_warn(NULL, "the index of recordings cannot be written: %s", err_str(err));
}

ON_THREAD(ROLE_CTL) static void finish(struct recording_keeper *k)
{
	free(k->items);
	k->items = NULL;
	k->running = false;
	if (k->again)
		run_now(k);
	else
		k->for_good = false;
}

static void on_forgotten(void *obj, int err, const struct recording_row *row)
{
	struct recording_keeper *k = obj;

	(void)row;
	role_assert_ctl();
	if (err)
		log_warn(NULL, "a recording that was removed is still in the registry: %s",
			 err_str(err));
	else
		metric_add(&m_purged, 1);
	next_removal(k);
}

static void drop_removal(void *obj, void *arg)
{
	(void)arg;
	free(obj);
}

static void on_removed(void *obj, void *arg)
{
	struct removal *r = obj;
	struct recording_keeper *k = r->keeper;
	int64_t id = r->id;
	int err = r->err;

	(void)arg;
	role_assert_ctl();
	if (err) {
		metric_add(&m_failures, 1);
		log_warn(NULL, "the recording %s cannot be removed: %s", r->path, err_str(err));
	}
	free(r);
	if (k->stopped)
		return;
	if (err || recordings_forget(k->cfg.db, id, on_forgotten, k))
		next_removal(k);
}

static void remove_files(void *obj, void *arg)
{
	struct removal *r = obj;

	(void)arg;
	role_assert_sto();
	r->err = repository_unlink(volume_root(r->volume), r->path);
	volume_deliver(r->volume, &r->event);
}

static void next_removal(struct recording_keeper *k)
{
	struct removal *r;

	if (k->at == k->n) {
		finish(k);
		return;
	}
	r = calloc(1, sizeof *r);
	if (r) {
		r->event = (struct volume_event){ .to = k->cfg.ctl, .fn = on_removed,
						  .drop = drop_removal, .obj = r };
		r->keeper = k;
		r->volume = k->cfg.volume;
		r->id = k->items[k->at].id;
		snprintf(r->path, sizeof r->path, "%s", k->items[k->at].path);
		k->at++;
	}
	if (!r || mbox_post(volume_mbox(k->cfg.volume), remove_files, r, NULL)) {
		free(r);
		finish(k); /* the next time */
	}
}

static void on_plan(void *obj, int err, const struct keep_plan *p)
{
	struct recording_keeper *k = obj;

	role_assert_ctl();
	k->n = k->at = 0;
	k->items = err ? NULL : calloc(p->n ? p->n : 1, sizeof *k->items);
	if (!k->items) {
		log_warn(NULL, "recordings cannot be tidied up: %s", err_str(err ? err : -ENOMEM));
		finish(k);
		return;
	}
	for (size_t i = 0; i < p->n; i++) {
		if (p->items[i].why >= KEEP_TRASH_AGE) {
			k->items[k->n++] = p->items[i];
			continue;
		}
		metric_add(&m_trashed, 1);
		log_info(NULL, "recording %" PRId64 " went into the trash: %s", p->items[i].id,
			 keep_why_name(p->items[i].why));
	}
	k->again |= p->all > p->n;
	next_removal(k);
}

int64_t recording_keeper_held_until_ms(struct recording_keeper *k)
{
	int64_t now_ms = clock_now_ns(&clock_monotonic) / NS_PER_MS;
	int64_t wall_ms = clock_wall_ns() / NS_PER_MS;

	return keep_hold_look(&k->hold, now_ms, wall_ms) ? wall_ms + k->hold.until_ms - now_ms : 0;
}

static void run_now(struct recording_keeper *k)
{
	struct keep_policy policy = recording_keeper_policy(k->cfg.config);

	policy.hold = recording_keeper_held_until_ms(k) && !k->for_good;
	k->running = true;
	k->again = false;
	recording_index(k->cfg.db, INDEX_AT_ONCE, on_index, k);
	if (recordings_keep(k->cfg.db, &policy, false, on_plan, k))
		finish(k);
}

void recording_keeper_run(struct recording_keeper *k, bool for_good)
{
	k->for_good |= for_good;
	if (k->running)
		k->again = true;
	else
		run_now(k);
}

static gboolean on_time(gpointer obj)
{
	struct recording_keeper *k = obj;

	role_assert_ctl();
	k->timer = g_timeout_add_seconds(EVERY_S, on_time, k);
	recording_keeper_run(k, false);
	return G_SOURCE_REMOVE;
}

int recording_keeper_new(struct recording_keeper **out, const struct recording_keeper_cfg *cfg)
{
	struct recording_keeper *k = calloc(1, sizeof *k);

	if (!k)
		return -ENOMEM;
	k->cfg = *cfg;
	k->timer = g_timeout_add_seconds(FIRST_RUN_S, on_time, k);
	*out = k;
	return 0;
}

void recording_keeper_stop(struct recording_keeper *k)
{
	if (!k->stopped)
		g_source_remove(k->timer);
	k->stopped = true;
}

void recording_keeper_free(struct recording_keeper **pk)
{
	struct recording_keeper *k = *pk;

	if (!k)
		return;
	recording_keeper_stop(k);
	free(k->items);
	free(k);
	*pk = NULL;
}
