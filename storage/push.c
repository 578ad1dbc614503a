#include "storage/push.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/base/role.h"
#include "storage/av_feed.h"
#include "storage/push_av.h"
#include "storage/push_retry.h"

METRIC_GAUGE(m_running, "mcu_pushes", "Rooms that are being sent to other servers, or try to be.");
METRIC_COUNTER(m_failures, "mcu_push_failures_total",
	       "Connections to servers that rooms are sent to that failed or were lost.");

enum {
	AAC_CONFIG_MAX = 64,
	POLL_MS = 20,
	PATIENCE_MS = 200,
	STALE_MS = 1000, /* the key frame with which it was connected is too old to begin with */
	TIMEOUT_MS = 10000,
	RETRY_MS = 1000,
	POST_TRIES = 500,
};

struct push {
	struct push_cfg cfg;
	struct push_events to;
	struct push_url url;
	uint8_t aac_config[AAC_CONFIG_MAX];
	struct av_feed *feed;
	_Atomic bool stop;
	/* the thread's */
	struct push_av *av; /* NULL: not connected */
	struct push_retry retry;
	bool given_up;
};

const char *push_state_name(enum push_state s)
{
	static const char *const names[] = {
		[PUSH_CONNECTING] = "connecting", [PUSH_LIVE] = "live",
		[PUSH_RETRYING] = "retrying", [PUSH_FAILED] = "failed", [PUSH_ENDED] = "ended",
	};

	return names[s];
}

/* --- telling ----------------------------------------------------------------------- */

struct event {
	struct push_events to;
	enum push_state state;
	char text[256];
	pthread_t thread; /* ENDED: that has nothing left to do but return */
};

static void deliver(void *obj, void *arg)
{
	struct event *e = obj;

	(void)arg;
	if (e->state == PUSH_ENDED)
		pthread_join(e->thread, NULL);
	e->to.state(e->to.obj, e->state, e->text);
	free(e);
}

static void rest_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * NS_PER_MS }, NULL);
}

/* This thread may wait; a control loop that does not come back in ten seconds is over.
 * False: it is. */
static bool post(const struct push_events *to, enum push_state state, const char *text)
{
	struct event *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->to = *to;
	e->state = state;
	e->thread = pthread_self();
	snprintf(e->text, sizeof(e->text), "%s", text);
	for (int i = 0; i < POST_TRIES; i++) {
		if (!mbox_post(to->mbox, deliver, e, NULL))
			return true;
		rest_ms(POLL_MS);
	}
	free(e);
	return false;
}

static void tell(const struct push *p, enum push_state state, const char *text)
{
	(void)post(&p->to, state, text);
}

/* --- the thread ---------------------------------------------------------------------- */

static bool stopping(const struct push *p)
{
	return atomic_load_explicit(&p->stop, memory_order_acquire);
}

static void failed(struct push *p, int err)
{
	char text[256];
	int64_t now = clock_now_ns(&clock_monotonic);

	push_av_close(&p->av);
	if (stopping(p))
		return;
	metric_add(&m_failures, 1);
	p->given_up = !push_retry_failed(&p->retry, now);
	if (p->given_up)
		snprintf(text, sizeof(text), "%s could not be reached for %d s. Check the address and the "
			 "key, then start again.", p->url.shown, p->cfg.give_up_s);
	else
		snprintf(text, sizeof(text), "%s cannot be reached, or has ended the connection; it is "
			 "tried again.", p->url.shown);
	/* Hosts are not told why: that would map the server's network for them. */
	log_warn(NULL, "push: %s (%s)", text, err_str(err));
	tell(p, p->given_up ? PUSH_FAILED : PUSH_RETRYING, text);
}

/* The key frame in *k is where it may begin. */
static void connect_with(struct push *p, const struct feed_packet *k)
{
	int err = push_av_open(&p->av, &p->cfg, p->url.kind, &p->stop, k->data, k->len);
	int64_t now = clock_now_ns(&clock_monotonic);

	if (!err && now - k->pts_ns < STALE_MS * NS_PER_MS)
		err = push_av_write(p->av, true, k->data, k->len, k->pts_ns, true);
	if (err) {
		failed(p, err);
		return;
	}
	push_retry_live(&p->retry, now);
	log_info(NULL, "push: connected to %s", p->url.shown);
	tell(p, PUSH_LIVE, "");
}

/* False: there was nothing to do. */
static bool step(struct push *p)
{
	int64_t now = clock_now_ns(&clock_monotonic);
	struct feed_packet pkt;
	bool video;
	int err = 0;

	if (!av_feed_next(p->feed, now, PATIENCE_MS * NS_PER_MS, &pkt, &video))
		return false;
	/* What waited while it was connected is thrown away, but for a late picture's group. */
	if (p->av)
		err = push_av_write(p->av, video, pkt.data, pkt.len, pkt.pts_ns, pkt.key);
	else if (video && pkt.key && !p->given_up && now >= p->retry.next_ns)
		connect_with(p, &pkt);
	av_feed_pop(p->feed);
	if (err)
		failed(p, err);
	return true;
}

static void push_destroy(struct push *p)
{
	av_feed_free(&p->feed);
	if (p->cfg.url)
		explicit_bzero((char *)p->cfg.url, strlen(p->cfg.url));
	free((char *)p->cfg.url);
	free(p);
}

static void *run(void *obj)
{
	struct push *p = obj;
	const struct push_events to = p->to;

	role_enter(ROLE_ID_STO);
	tell(p, PUSH_CONNECTING, "");
	while (!stopping(p))
		if (!step(p))
			rest_ms(POLL_MS);
	push_av_close(&p->av);
	log_info(NULL, "push: %s is over", p->url.shown);
	metric_add(&m_running, -1);
	push_destroy(p);
	if (!post(&to, PUSH_ENDED, ""))
		pthread_detach(pthread_self()); /* nobody is there to wait for it */
	return NULL;
}

/* --- life ------------------------------------------------------------------------------ */

static int start_thread(struct push *p)
{
	pthread_t t;

	return -pthread_create(&t, NULL, run, p);
}

int push_start(struct push **out, const struct push_cfg *cfg, const struct push_events *ev,
	       struct errmsg *why)
{
	struct push *p = calloc(1, sizeof(*p));
	int err = p ? push_url_parse(&p->url, cfg->url, why) : -ENOMEM;

	if (err == -EINVAL) {
		free(p);
		return err;
	}
	if (!err && cfg->aac_config_len > AAC_CONFIG_MAX)
		err = -EINVAL;
	if (!err)
		err = av_feed_new(&p->feed, AV_FEED_VIDEO_BYTES, AV_FEED_AUDIO_BYTES);
	if (err)
		goto out;
	p->cfg = *cfg;
	p->cfg.url = strdup(cfg->url);
	memcpy(p->aac_config, cfg->aac_config, cfg->aac_config_len);
	p->cfg.aac_config = p->aac_config;
	p->cfg.timeout_ms = cfg->timeout_ms ? cfg->timeout_ms : TIMEOUT_MS;
	p->retry.first_ms = cfg->retry_ms ? cfg->retry_ms : RETRY_MS;
	p->retry.give_up_ms = (int64_t)cfg->give_up_s * 1000;
	p->to = *ev;
	metric_add(&m_running, 1);
	err = p->cfg.url ? start_thread(p) : -ENOMEM;
	if (!err) {
		*out = p;
		return 0;
	}
	metric_add(&m_running, -1);
out:
	if (p)
		push_destroy(p);
	return errmsg_set(why, err, "internal", "The push cannot be started: %s.", err_str(err));
}

void push_stop(struct push **p)
{
	if (*p)
		atomic_store_explicit(&(*p)->stop, true, memory_order_release);
	*p = NULL;
}

void push_video(struct push *p, const struct buf *au, int64_t pts_ns, bool key)
{
	av_feed_video(p->feed, au, pts_ns, key);
}

void push_audio(struct push *p, const struct buf *aac, int64_t pts_ns)
{
	av_feed_audio(p->feed, aac, pts_ns);
}
