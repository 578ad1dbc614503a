#include "mcu/movie_pump.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/movie_ring.h"
#include "mcu/movie_rtp.h"
#include "mcu/net/rtp_tcp.h"
#include "mcu/net/rtp_udp.h"
#include "storage/volume.h"

METRIC_COUNTER(m_played, "mcu_rtsp_plays_total", "Times that a recording was begun to be played");
METRIC_COUNTER(m_lost, "mcu_rtsp_samples_dropped_total",
	       "Pictures and sounds of recordings that could not be sent");

enum {
	FILL_BYTES = 1 << 20,  /* read in one turn of the volume's thread */
	LEAD_BYTES = 16 << 10, /* of what is only decoded, at once; then a pause of */
	LEAD_MS = 4,
	EMPTY_MS = 10,	       /* until the ring is looked at again */
	REPORT_S = 3,
	BURST = 64,	       /* samples in one turn of the shard */
};

/* One PLAY or PAUSE on its way from thread to thread, and its answer back. */
struct order {
	struct movie_pump *pump;
	uint32_t turn;
	int64_t from_ms, to_ms, at_ms;
	int scale, err;
	struct rtsp_started started;
};

struct movie_pump {
	const struct engine *engine;
	struct volume *volume;
	const struct movie_pump_events *ev;
	void *obj;
	struct movie_ring *ring;
	/* of CTL */
	struct rtp_ports *ports;
	bool closed;
	uint32_t turns;
	/* between threads */
	_Atomic(struct order *) wish; /* CTL → STO */
	atomic_bool closing, net_done;
	atomic_int under_way; /* orders that STO has sent to NET */
	/* of STO */
	struct volume_job job;
	char *path;
	struct player *player;
	bool looked, fills, held;
	struct player_sample sample; /* held: read, and not in the ring yet */
	uint32_t fill_turn;
	int64_t fill_to_ns;
	int fill_scale;
	struct player_info info; /* constant once opened() was told */
	/* of NET */
	struct net_shard *shard;
	struct transport *transport;
	struct net_timer *timer;
	struct movie_rtp rtp;
	struct rtp_udp_cfg to;
	char peer[RTP_ADDRESS_BYTES];
	bool used[PLAYER_TRACKS], connected, plays;
	uint32_t turn;
	int64_t npt_ns, begun_ns; /* the place where it began, and when; 0: not yet */
	int64_t report_ns;
	int scale;
};

static const enum rtp_line line_of[PLAYER_TRACKS] = {
	[PLAYER_AUDIO] = RTP_LINE_AUDIO, [PLAYER_VIDEO] = RTP_LINE_CAMERA,
};
static const enum rtsp_track track_of[PLAYER_TRACKS] = {
	[PLAYER_AUDIO] = RTSP_AUDIO, [PLAYER_VIDEO] = RTSP_VIDEO,
};

static void post_ctl(const struct movie_pump *p, mbox_fn *fn, void *obj)
{
	engine_post(p->engine->ctl, fn, obj, NULL);
}

/* --- what CTL is told ---------------------------------------------------------------------- */

static void ctl_opened(void *obj, void *arg)
{
	struct movie_pump *p = obj;
	int err = -(int)(uintptr_t)arg;

	role_assert_ctl();
	if (!p->closed)
		p->ev->opened(p->obj, err, err ? NULL : &p->info);
}

static void ctl_playing(void *obj, void *arg)
{
	struct order *o = obj;

	(void)arg;
	role_assert_ctl();
	if (!o->pump->closed)
		o->pump->ev->playing(o->pump->obj, o->err, &o->started);
	free(o);
}

static void ctl_paused(void *obj, void *arg)
{
	struct order *o = obj;

	(void)arg;
	role_assert_ctl();
	if (!o->pump->closed)
		o->pump->ev->paused(o->pump->obj, o->at_ms);
	free(o);
}

static void ctl_ended(void *obj, void *arg)
{
	struct movie_pump *p = obj;

	role_assert_ctl();
	if (!p->closed)
		p->ev->ended(p->obj, (int64_t)(uintptr_t)arg);
}

/* The last that is posted for it: nothing is on its way any more. */
static void ctl_gone(void *obj, void *arg)
{
	struct movie_pump *p = obj;

	(void)arg;
	role_assert_ctl();
	p->ev->gone(p->obj);
	rtp_ports_unref(&p->ports);
	movie_ring_free(&p->ring);
	free(p->path);
	free(p);
}

/* --- NET: sending ---------------------------------------------------------------------------- */

static int64_t now_of(const struct movie_pump *p) ON_THREAD(ROLE_NET)
{
	return net_shard_now_ns(p->shard);
}

/* How far it has played, in its own time. */
static int64_t place_ns(const struct movie_pump *p, int64_t now_ns)
{
	int64_t at = p->npt_ns + (p->begun_ns ? (now_ns - p->begun_ns) * p->scale : 0);

	if (at < 0)
		return 0;
	return p->info.duration_ns && at > p->info.duration_ns ? p->info.duration_ns : at;
}

static void report(struct movie_pump *p, int64_t now_ns, bool bye) ON_THREAD(ROLE_NET)
{
	movie_rtp_report(&p->rtp, p->transport, p->begun_ns ? now_ns - p->begun_ns : 0, bye);
	p->report_ns = now_ns + REPORT_S * NS_PER_S;
}

static void end(struct movie_pump *p, int64_t now_ns) ON_THREAD(ROLE_NET)
{
	int64_t at_ms = place_ns(p, now_ns) / NS_PER_MS;

	p->plays = false;
	engine_post(p->engine->ctl, ctl_ended, p, (void *)(uintptr_t)at_ms);
}

/* Octets of the queue that it takes, with all that is around it. */
static size_t need_of(const struct movie_item *i)
{
	return i->len + i->len / 8 + TRANSPORT_MTU;
}

/* Whether there can ever be room for it: what has to wait for that waits for good. */
static bool fits(const struct movie_pump *p, const struct movie_item *i)
{
	return !rtp_ports_tcp(p->to.ports) ||
	       need_of(i) <= RTP_TCP_QUEUE_BYTES - RTP_TCP_RESERVE_BYTES;
}

/* How long until the item is due; 0: now. */
static int64_t wait_of(const struct movie_pump *p, const struct movie_item *i, int64_t now_ns,
		       size_t lead_sent) ON_THREAD(ROLE_NET)
{
	int64_t due;

	if (rtp_ports_tcp(p->to.ports) && fits(p, i) && transport_tcp_room(p->transport) < need_of(i))
		return EMPTY_MS * NS_PER_MS;
	if (i->lead)
		return lead_sent > LEAD_BYTES ? LEAD_MS * NS_PER_MS : 0;
	if (!p->begun_ns)
		return 0;
	due = p->begun_ns + (i->npt_ns - p->npt_ns) / p->scale;
	return due > now_ns ? due - now_ns : 0;
}

static void send_item(struct movie_pump *p, const struct movie_item *i, int64_t now_ns)
	ON_THREAD(ROLE_NET)
{
	if (!i->lead && !p->begun_ns) {
		p->begun_ns = now_ns;
		report(p, now_ns, false);
	}
	if (i->end) {
		report(p, now_ns, true);
		end(p, now_ns);
	} else if (p->used[i->track] &&
		   (!fits(p, i) ||
		    !movie_rtp_send(&p->rtp, p->transport, (enum player_track_no)i->track, i->data,
				    i->len, (i->npt_ns - p->npt_ns) / p->scale, i->lead))) {
		metric_add(&m_lost, 1);
	}
}

/* What is due; then sleeps until something is. */
static void tick(struct movie_pump *p) ON_THREAD(ROLE_NET)
{
	int64_t now = now_of(p), wait = EMPTY_MS * NS_PER_MS;
	size_t lead_sent = 0;
	struct movie_item i;

	if (!p->connected)
		return;
	for (int n = 0; movie_ring_peek(p->ring, &i); n++) {
		int32_t age = (int32_t)(i.turn - p->turn);

		if (age > 0) /* its order is on the way */
			break;
		if (age == 0) {
			if (!p->plays)
				return;
			wait = n < BURST ? wait_of(p, &i, now, lead_sent) : NS_PER_MS;
			if (wait)
				break;
			send_item(p, &i, now);
			lead_sent += i.lead ? i.len : 0;
		}
		movie_ring_pop(p->ring);
		wait = EMPTY_MS * NS_PER_MS;
	}
	if (!p->plays)
		return;
	if (p->begun_ns && now >= p->report_ns)
		report(p, now, false);
	net_timer_start(p->timer, now + (wait < NS_PER_S ? wait : NS_PER_S), 0);
}

static void on_timer(void *obj, int64_t due_ns)
{
	(void)due_ns;
	role_assert_net();
	tick(obj);
}

static void on_connected(void *obj, const char *profile)
{
	struct movie_pump *p = obj;

	(void)profile;
	role_assert_net();
	p->connected = true;
	tick(p);
}

static void on_closed(void *obj, const char *reason)
{
	struct movie_pump *p = obj;

	(void)reason;
	role_assert_net();
	p->connected = false;
	net_timer_stop(p->timer);
	end(p, now_of(p));
}

static const struct transport_events transport_events = {
	.connected = on_connected,
	.closed = on_closed,
};

/* --- NET: orders ------------------------------------------------------------------------------- */

static int make_transport(struct movie_pump *p) ON_THREAD(ROLE_NET)
{
	bool tcp = rtp_ports_tcp(p->to.ports);
	int err = movie_rtp_init(&p->rtp, p->engine->video_batches, &p->info, p->used, now_of(p));

	for (int i = 0; i < PLAYER_TRACKS; i++)
		p->to.ssrc[line_of[i]] = p->rtp.stream[i].ssrc;
	if (!err)
		err = net_timer_new(&p->timer, p->shard, on_timer, p);
	if (!err)
		err = tcp ? transport_tcp_new(&p->transport, p->shard, &p->to, &transport_events, p) :
			    transport_udp_new(&p->transport, p->shard, &p->to, &transport_events, p);
	return err;
}

static void net_play(void *obj, void *arg)
{
	struct order *o = obj;
	struct movie_pump *p = o->pump;

	(void)arg;
	role_assert_net();
	if (!o->err && atomic_load(&p->net_done))
		o->err = -ECANCELED;
	if (!o->err && !p->transport)
		o->err = make_transport(p);
	if (!o->err) {
		p->turn = o->turn;
		p->npt_ns = o->started.from_ms * NS_PER_MS;
		p->begun_ns = 0;
		p->scale = o->scale;
		p->plays = true;
		movie_rtp_begin(&p->rtp, now_of(p));
		for (int i = 0; i < PLAYER_TRACKS; i++) {
			o->started.track[track_of[i]].there = p->rtp.stream[i].there;
			o->started.track[track_of[i]].seq = p->rtp.stream[i].seq;
			o->started.track[track_of[i]].ts = p->rtp.stream[i].base;
		}
		metric_add(&m_played, 1);
	}
	if (p->plays && p->timer)
		net_timer_start(p->timer, now_of(p) + NS_PER_MS, 0);
	post_ctl(p, ctl_playing, o);
	atomic_fetch_sub(&p->under_way, 1); /* p may go from here on */
}

static void net_pause(void *obj, void *arg)
{
	struct order *o = obj;
	struct movie_pump *p = o->pump;

	(void)arg;
	role_assert_net();
	o->at_ms = place_ns(p, now_of(p)) / NS_PER_MS;
	p->plays = false;
	if (p->timer)
		net_timer_stop(p->timer);
	post_ctl(p, ctl_paused, o);
}

static void net_close(void *obj, void *arg)
{
	struct movie_pump *p = obj;
	struct volume *v = p->volume;

	(void)arg;
	role_assert_net();
	transport_close(&p->transport);
	if (p->timer)
		net_timer_free(&p->timer);
	atomic_store(&p->net_done, true); /* p may go from here on */
	volume_wake(v);
}

/* --- STO ----------------------------------------------------------------------------------------- */

static void look(struct movie_pump *p) ON_THREAD(ROLE_STO)
{
	int err = player_open(&p->player, p->path);

	p->looked = true;
	if (!err)
		p->info = *player_get_info(p->player);
	engine_post(p->engine->ctl, ctl_opened, p, (void *)(uintptr_t)-err);
}

/* Holds the next sample, or an end without data. */
static void read_next(struct movie_pump *p) ON_THREAD(ROLE_STO)
{
	int64_t last_ns = p->sample.npt_ns;

	if (player_next(p->player, &p->sample) <= 0 ||
	    (p->fill_to_ns >= 0 && (p->sample.npt_ns - p->fill_to_ns) * p->fill_scale >= 0))
		p->sample = (struct player_sample){ .npt_ns = last_ns, .track = PLAYER_TRACKS };
	p->held = true;
}

static void obey(struct movie_pump *p, struct order *o) ON_THREAD(ROLE_STO)
{
	int64_t from_ns = o->from_ms * NS_PER_MS;

	p->held = p->fills = false;
	o->err = p->player ? player_seek(p->player, from_ns, o->scale) : -EBADMSG;
	o->started = (struct rtsp_started){ .from_ms = o->from_ms, .scale = o->scale };
	if (!o->err) {
		p->fill_turn = o->turn;
		p->fill_scale = o->scale;
		p->fill_to_ns = o->to_ms < 0 ? -1 : o->to_ms * NS_PER_MS;
		p->sample.npt_ns = from_ns;
		read_next(p);
		p->fills = true;
		/* among key frames it begins with one */
		if (o->scale != 1)
			o->started.from_ms = p->sample.npt_ns / NS_PER_MS;
	}
	atomic_fetch_add(&p->under_way, 1);
	engine_post(net_shard_mbox(p->shard), net_play, o, NULL);
}

static void fill(struct movie_pump *p) ON_THREAD(ROLE_STO)
{
	size_t octets = 0;

	while (p->fills && octets < FILL_BYTES) {
		struct movie_item i;
		int err;

		if (!p->held)
			read_next(p);
		i = (struct movie_item){
			.npt_ns = p->sample.npt_ns, .len = (uint32_t)p->sample.len, .turn = p->fill_turn,
			.track = (uint8_t)p->sample.track, .lead = p->sample.lead,
			.end = p->sample.track == PLAYER_TRACKS, .data = p->sample.data,
		};
		err = movie_ring_push(p->ring, &i);
		if (err == -EAGAIN)
			return;
		if (err)
			metric_add(&m_lost, 1);
		octets += i.len;
		p->held = false;
		p->fills = !i.end;
	}
}

static bool run(struct volume_job *j, int64_t now_ns, bool last)
{
	struct movie_pump *p = (struct movie_pump *)(void *)((char *)j - offsetof(struct movie_pump, job));
	struct order *o;

	(void)now_ns;
	role_assert_sto();
	if (last || (atomic_load(&p->closing) && atomic_load(&p->net_done) &&
		     !atomic_load(&p->under_way))) {
		player_close(&p->player);
		free(atomic_exchange(&p->wish, NULL));
		post_ctl(p, ctl_gone, p);
		return false;
	}
	if (atomic_load(&p->closing))
		return true;
	if (!p->looked)
		look(p);
	o = atomic_exchange(&p->wish, NULL);
	if (o)
		obey(p, o);
	if (p->fills)
		fill(p);
	return true;
}

/* --- CTL ------------------------------------------------------------------------------------------ */

int movie_pump_new(struct movie_pump **out, const struct engine *engine, struct volume *volume,
		   const char *path, const struct movie_pump_events *ev, void *obj)
{
	struct movie_pump *p = calloc(1, sizeof *p);
	int err = p ? movie_ring_new(&p->ring) : -ENOMEM;

	role_assert_ctl();
	if (!err) {
		p->path = strdup(path);
		err = p->path ? 0 : -ENOMEM;
	}
	if (!err) {
		p->engine = engine;
		p->volume = volume;
		p->ev = ev;
		p->obj = obj;
		p->job.run = run;
		err = volume_add_job(volume, &p->job);
	}
	if (err && p) {
		movie_ring_free(&p->ring);
		free(p->path);
		free(p);
	}
	if (!err)
		*out = p;
	return err;
}

void movie_pump_send_to(struct movie_pump *p, struct rtp_ports *ports, const char *peer,
			const struct rtsp_to to[RTSP_TRACKS])
{
	role_assert_ctl();
	p->ports = rtp_ports_ref(ports);
	p->shard = p->engine->shard[rtp_ports_shard(ports)];
	strncpy(p->peer, peer, sizeof p->peer - 1);
	p->to.ports = ports;
	p->to.signaling = p->peer;
	for (int i = 0; i < PLAYER_TRACKS; i++) {
		const struct rtsp_to *t = &to[track_of[i]];
		struct rtp_udp_line *l = &p->to.line[line_of[i]];

		p->used[i] = l->used = l->tx = t->used;
		l->port = t->port;
		l->rtcp_port = t->rtcp_port;
		strcpy(l->address, p->peer);
		strcpy(l->rtcp_address, p->peer);
		if (t->used)
			rtp_ports_use(ports, line_of[i]);
	}
}

static struct order *order_new(struct movie_pump *p)
{
	struct order *o = calloc(1, sizeof *o);

	if (o)
		o->pump = p;
	return o;
}

void movie_pump_play(struct movie_pump *p, int64_t from_ms, int64_t to_ms, int scale)
{
	struct order *o = order_new(p);

	role_assert_ctl();
	if (!o) {
		p->ev->playing(p->obj, -ENOMEM, NULL);
		return;
	}
	o->turn = ++p->turns;
	o->from_ms = from_ms;
	o->to_ms = to_ms;
	o->scale = scale;
	free(atomic_exchange(&p->wish, o)); /* one at a time waits: signaling/rtsp_session.c */
	volume_wake(p->volume);
}

void movie_pump_pause(struct movie_pump *p)
{
	struct order *o = order_new(p);

	role_assert_ctl();
	if (o)
		engine_post(net_shard_mbox(p->shard), net_pause, o, NULL);
	else
		p->ev->paused(p->obj, 0);
}

void movie_pump_close(struct movie_pump **pp)
{
	struct movie_pump *p = *pp;

	role_assert_ctl();
	*pp = NULL;
	p->closed = true;
	atomic_store(&p->closing, true);
	if (p->shard) {
		engine_post(net_shard_mbox(p->shard), net_close, p, NULL);
	} else {
		atomic_store(&p->net_done, true);
		volume_wake(p->volume);
	}
}
