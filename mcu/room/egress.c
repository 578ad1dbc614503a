#include "mcu/room/egress.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "mcu/base/metrics.h"
#include "mcu/room/egress_priv.h"
#include "mcu/room/video_encode.h"

METRIC_COUNTER(m_video_dropped, "mcu_egress_video_dropped_total",
	       "Encoded pictures dropped because a network shard was behind.");
METRIC_COUNTER(m_sent, "mcu_egress_packets_total", "RTP packets sent.");
METRIC_COUNTER(m_not_sent, "mcu_egress_packets_dropped_total",
	       "RTP packets that the socket did not take.");
METRIC_COUNTER(m_keys_refused, "mcu_egress_key_requests_refused_total",
	       "Key frames that a receiver asked for too often to get them at once.");

enum { AUDIO_MBOX = 4096 };

static void group_free(void *p)
{
	struct group *g = p;

	role_assert_net();
	for (size_t i = 0; i < g->n; i++) {
		struct out_stream *o = g->out[i];

		if (o->group == g->id) {
			o->group = 0;
			o->late = false;
			o->wait_key = true; /* what it changes to is urgent now */
		} else {
			o->next_group = 0;
		}
	}
	rtp_batch_unref(&g->part);
	net_timer_free(&g->timer);
	history_free(&g->history);
	free(g->late);
	free(g->probed);
	free(g->out);
	free(g);
}

ON_THREAD(ROLE_NET) static struct group *group_make(struct egress *x, GHashTable *t, uint32_t id,
						    struct video_encode *v)
{
	struct group *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	g->id = id;
	g->egress = x;
	g->encode = v;
	if (v && (history_new(&g->history, 0, 0) ||
		  net_timer_new(&g->timer, x->shard, egress_pace, g))) {
		group_free(g);
		return NULL;
	}
	g_hash_table_insert(t, GUINT_TO_POINTER(id), g);
	return g;
}

static int group_add(struct group *g, struct out_stream *o)
{
	if (g->n == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 16;
		struct out_stream **out = realloc(g->out, cap * sizeof *out);

		if (!out)
			return -ENOMEM;
		g->out = out;
		g->cap = cap;
	}
	g->out[g->n++] = o;
	return 0;
}

void egress_remove(struct group *g, struct out_stream *o)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->out[i] != o)
			continue;
		g->out[i] = g->out[--g->n];
		break;
	}
	if (o->late && o->group == g->id)
		egress_not_late(g, o);
	for (size_t i = 0; i < g->n_probed; i++)
		if (g->probed[i] == o)
			g->probed[i] = g->probed[--g->n_probed];
}

void egress_put(struct out_stream *o, const struct out_pkt *pkt, size_t n)
{
	size_t sent = transport_send_rtp(o->transport, pkt, n);

	metric_add(&m_sent, (int64_t)sent);
	if (sent < n)
		metric_add(&m_not_sent, (int64_t)(n - sent));
}

void egress_send(struct egress *x, struct out_stream *o, const struct rtp_batch *b, unsigned first,
		 unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct rtp_batch_pkt *p = &b->pkt[first + i];
		size_t len = rtp_tx_header(&o->tx, b, first + i, rtp_tx_seq(&o->tx, b, first + i),
					   x->hdr[i]);

		x->pkt[i] = (struct out_pkt){
			.hdr = x->hdr[i], .hdr_len = (uint16_t)len,
			.payload = b->data + p->off, .payload_len = p->len,
		};
	}
	egress_put(o, x->pkt, n);
}

static void video_job(void *obj, void *arg)
{
	struct rtp_batch *b = arg;

	role_assert_net();
	egress_video(obj, b);
	rtp_batch_unref(&b);
}

/* Histories keep what nobody may ask for any more; new pictures go first. */
static void trim_job(void *obj, void *arg)
{
	struct egress *x = obj;
	GHashTableIter it;
	gpointer g;

	(void)arg;
	role_assert_net();
	g_hash_table_iter_init(&it, x->video);
	while (g_hash_table_iter_next(&it, NULL, &g))
		history_trim(((struct group *)g)->history);
}

void egress_trim(struct egress *x)
{
	(void)mbox_post(net_shard_mbox(x->shard), trim_job, x, NULL);
}

void egress_post_video(struct egress *x, struct rtp_batch *b)
{
	if (!mbox_post(net_shard_mbox(x->shard), video_job, x, b))
		return;
	metric_add(&m_video_dropped, 1);
	rtp_batch_unref(&b);
}

static void start_job(void *obj, void *arg)
{
	struct egress *x = obj;

	(void)arg;
	role_assert_net();
	if (net_fd_add(&x->audio_fd, x->shard, mbox_fd(x->audio_mbox), EPOLLIN,
		       egress_audio_ready, x))
		abort(); /* at start-up; nothing would ever be heard */
}

int egress_new(struct egress **out, const struct engine *e, unsigned shard)
{
	struct egress *x = calloc(1, sizeof *x);
	int err;

	if (!x)
		return -ENOMEM;
	x->engine = e;
	x->shard = e->shard[shard];
	err = mbox_new(&x->audio_mbox, AUDIO_MBOX);
	if (err) {
		free(x);
		return err;
	}
	x->video = g_hash_table_new_full(NULL, NULL, NULL, group_free);
	x->audio = g_hash_table_new_full(NULL, NULL, NULL, group_free);
	x->listener = g_hash_table_new(NULL, NULL);
	engine_post(net_shard_mbox(x->shard), start_job, x, NULL);
	*out = x;
	return 0;
}

static void stop_job(void *obj, void *arg)
{
	struct egress *x = obj;

	(void)arg;
	role_assert_net();
	net_fd_remove(&x->audio_fd);
	egress_audio(x);
	g_hash_table_remove_all(x->video); /* their timers belong to the shard */
	g_hash_table_remove_all(x->audio);
}

void egress_stop(struct egress *x)
{
	engine_post(net_shard_mbox(x->shard), stop_job, x, NULL);
}

void egress_free(struct egress **x)
{
	if (!*x)
		return;
	g_hash_table_destroy((*x)->video);
	g_hash_table_destroy((*x)->audio);
	g_hash_table_destroy((*x)->listener);
	mbox_free(&(*x)->audio_mbox);
	for (size_t i = 0; i < (*x)->n_waiting; i++)
		rtp_batch_unref(&(*x)->waiting[i].b);
	free(*x);
	*x = NULL;
}

static void open_job(void *obj, void *arg)
{
	struct egress *x = obj;
	struct video_encode *v = arg;

	role_assert_net();
	group_make(x, x->video, video_encode_id(v), v);
}

void egress_open(struct egress *x, struct video_encode *v)
{
	engine_post(net_shard_mbox(x->shard), open_job, x, v);
}

struct close_note {
	struct video_encode *v;
	mbox_fn *closed;
	void *obj;
};

static void close_job(void *obj, void *arg)
{
	struct egress *x = obj;
	struct close_note *c = arg;

	role_assert_net();
	g_hash_table_remove(x->video, GUINT_TO_POINTER(video_encode_id(c->v)));
	engine_post(x->engine->ctl, c->closed, c->obj, NULL);
	free(c);
}

void egress_close(struct egress *x, struct video_encode *v, mbox_fn *closed, void *obj)
{
	struct close_note *c = malloc(sizeof *c);

	if (!c)
		abort();
	*c = (struct close_note){ .v = v, .closed = closed, .obj = obj };
	engine_post(net_shard_mbox(x->shard), close_job, x, c);
}

/* Less than it has now is urgent: there is not enough room on its way. */
static void ask(struct egress *x, const struct out_stream *o, const struct group *next)
{
	const struct group *now = egress_group(x->video, o->group);

	if (now && now->encode && video_encode_bps(next->encode) >= video_encode_bps(now->encode))
		video_encode_request_switch(next->encode);
	else
		video_encode_request_key(next->encode);
}

ON_THREAD(ROLE_NET) static void forget_next(struct egress *x, struct out_stream *o)
{
	struct group *g = o->next_group ? egress_group(x->video, o->next_group) : NULL;

	if (g)
		egress_remove(g, o);
	o->next_group = 0;
}

int egress_watch(struct egress *x, uint32_t encode_id, struct out_stream *video)
{
	struct group *g = egress_group(x->video, encode_id);
	bool has_picture = video->group && !video->wait_key;

	if (video->group == encode_id) {
		forget_next(x, video);
		return 0;
	}
	if (video->next_group == encode_id)
		return 0;
	forget_next(x, video);
	if (!has_picture || !g)
		egress_unwatch(x, video);
	if (!g)
		return 0;
	if (group_add(g, video))
		return -ENOMEM;
	if (has_picture) {
		video->next_group = encode_id;
		if (!egress_catch_up(x, g, video))
			ask(x, video, g);
		return 0;
	}
	video->group = encode_id;
	video->wait_key = true;
	if (!egress_catch_up(x, g, video))
		video_encode_request_key(g->encode);
	return 0;
}

void egress_unwatch(struct egress *x, struct out_stream *video)
{
	struct group *g = video->group ? egress_group(x->video, video->group) : NULL;

	forget_next(x, video);
	if (g)
		egress_remove(g, video);
	video->group = 0;
	free(video->resent);
	video->resent = NULL;
}

int egress_listen(struct egress *x, uint32_t group, struct out_stream *audio)
{
	struct group *g;

	if (audio->group == group)
		return 0;
	egress_unlisten(x, audio);
	g = egress_group(x->audio, group);
	if (!g)
		g = group_make(x, x->audio, group, NULL);
	if (!g || group_add(g, audio))
		return -ENOMEM;
	audio->group = group;
	g_hash_table_insert(x->listener, GUINT_TO_POINTER(audio->leg_id), audio);
	return 0;
}

void egress_unlisten(struct egress *x, struct out_stream *audio)
{
	struct group *g = audio->group ? egress_group(x->audio, audio->group) : NULL;

	red_tx_clear(&audio->red);
	if (!g)
		return;
	g_hash_table_remove(x->listener, GUINT_TO_POINTER(audio->leg_id));
	egress_remove(g, audio);
	audio->group = 0;
	if (!g->n)
		g_hash_table_remove(x->audio, GUINT_TO_POINTER(g->id));
}

/* One receiver alone must not turn everybody's picture into key frames; as long as it
 * waits for its first one, the fan-out asks by itself. */
void egress_key_request(struct egress *x, struct out_stream *video)
{
	struct group *g = video->group ? egress_group(x->video, video->group) : NULL;

	/* one that is on its way answers it */
	if (!g || (video->late && !video->wait_key))
		return;
	if (!video->wait_key && !keyframe_gate_ask(&video->asks, net_shard_now_ns(x->shard))) {
		metric_add(&m_keys_refused, 1);
		return;
	}
	video_encode_request_key(g->encode);
}

void egress_key_poll(struct egress *x, struct out_stream *video)
{
	struct group *g = video->group ? egress_group(x->video, video->group) : NULL;

	if (g && keyframe_gate_poll(&video->asks, net_shard_now_ns(x->shard)))
		video_encode_request_key(g->encode);
}
