#include "tests/load/latency.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/load/crowd.h"
#include "tests/load/summary.h"
#include "tests/load/util.h"

enum {
	MAX_SENDERS = 9,
	MAX_SAMPLES = 10000,
	SLOT_MS = 500,
	AUDIO_MS = 20,
	WARMUP_S = 3,
	MIN_SAMPLES = 10
};
/* Not 1/30 s, so that the phase to the server's own clock takes all values. */
static const int64_t FRAME_NS = 33900000;
/* Later than this the event belongs to another mark. */
static const int64_t TOO_LATE_NS = 450 * BOT_NS_PER_MS;

struct samples {
	double ms[MAX_SAMPLES];
	size_t n;
};

struct latency;

struct probe {
	struct latency *of;
	struct peer *peer;
	int64_t flipped_ns; /* white has been sent and not been seen yet; 0: no */
	bool bright;
};

struct latency {
	struct probe probe[MAX_SENDERS];
	size_t probes;
	struct peer *viewer;
	int64_t burst_ns, start_ns;
	uint64_t bursts, flips;
	struct samples audio, video;
};

static bool is_warm(const struct latency *l)
{
	return bot_now_ns() > l->start_ns + WARMUP_S * BOT_NS_PER_S;
}

static void add(struct latency *l, struct samples *s, int64_t ns)
{
	if (ns > 0 && ns < TOO_LATE_NS && s->n < MAX_SAMPLES && is_warm(l))
		s->ms[s->n++] = (double)ns / 1e6;
}

static void on_marked(void *obj, bool video, int64_t sent_ns)
{
	struct probe *p = obj;
	struct latency *l = p->of;

	if (video)
		p->flipped_ns = sent_ns;
	else
		l->burst_ns = sent_ns;
	l->flips += video && is_warm(l);
	l->bursts += !video && is_warm(l);
}

static void on_burst(void *obj, int64_t arrival_ns)
{
	struct latency *l = obj;

	if (l->burst_ns)
		add(l, &l->audio, arrival_ns - l->burst_ns);
	l->burst_ns = 0;
}

static void on_picture(void *obj, const struct picture *pic, int64_t arrival_ns)
{
	struct latency *l = obj;

	for (size_t i = 0; i < l->probes; i++) {
		struct probe *p = &l->probe[i];
		const struct peer_tile *t = peer_tile(l->viewer, peer_leg(p->peer));
		bool bright;

		if (!t)
			continue;
		bright = picture_luma(pic, t->x + t->width / 2, t->y + t->height / 2) > 128;
		if (bright && !p->bright && p->flipped_ns) {
			add(l, &l->video, arrival_ns - p->flipped_ns);
			p->flipped_ns = 0;
		}
		p->bright = bright;
	}
}

static json_t *describe(struct samples *s, uint64_t sent)
{
	size_t n = s->n;

	return json_pack("{s:I, s:I, s:f, s:f, s:f, s:f}", "sent", (json_int_t)sent, "seen",
			 (json_int_t)n, "min_ms", summary_percentile(s->ms, n, 0), "p50_ms",
			 summary_percentile(s->ms, n, 0.5), "p95_ms",
			 summary_percentile(s->ms, n, 0.95), "max_ms",
			 summary_percentile(s->ms, n, 1));
}

static void on_summary(void *obj, json_t *summary)
{
	struct latency *l = obj;

	json_object_set_new(summary, "latency_audio", describe(&l->audio, l->bursts));
	json_object_set_new(summary, "latency_video", describe(&l->video, l->flips));
}

static void add_sender(struct latency *l, struct crowd *c, unsigned i, unsigned n)
{
	struct probe *p = &l->probe[l->probes++];
	struct peer_cfg cfg;

	p->of = l;
	crowd_defaults(c, &cfg, PEER_SENDER);
	snprintf(cfg.name, sizeof cfg.name, "sender-%u", i);
	cfg.audio = media_make_bursts(i, n);
	cfg.video = media_make_flips(i, n);
	/* Slots of sound are in step, packets are not. */
	cfg.send_align_ns = (int64_t)n * SLOT_MS * BOT_NS_PER_MS;
	cfg.send_offset_ns = (int64_t)i * AUDIO_MS * BOT_NS_PER_MS / n;
	cfg.frame_ns = FRAME_NS;
	cfg.marked = on_marked;
	cfg.obj = p;
	p->peer = crowd_add(c, &cfg);
}

int latency_run(const struct options *o)
{
	struct latency *l = bot_alloc(sizeof *l);
	struct crowd *c = crowd_new(o);
	unsigned n = o->senders ? o->senders : 4;
	struct peer_cfg cfg;
	int status;

	if (n > MAX_SENDERS)
		bot_die("--latency takes at most %d senders", MAX_SENDERS);
	for (unsigned i = 0; i < n; i++)
		add_sender(l, c, i, n);
	crowd_defaults(c, &cfg, PEER_VIEWER);
	snprintf(cfg.name, sizeof cfg.name, "viewer-0");
	cfg.stamps = cfg.decode = true;
	cfg.picture = on_picture;
	cfg.burst = on_burst;
	cfg.obj = l;
	l->viewer = crowd_add(c, &cfg);
	l->start_ns = bot_now_ns();
	crowd_on_summary(c, on_summary, l);
	status = crowd_run(c);
	if (l->audio.n < MIN_SAMPLES || l->video.n < MIN_SAMPLES) {
		fprintf(stderr, "too few events came through: %zu bursts, %zu flips\n", l->audio.n,
			l->video.n);
		status = 1;
	}
	crowd_free(&c);
	free(l);
	return status;
}
