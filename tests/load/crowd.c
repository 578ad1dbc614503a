#include "tests/load/crowd.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/load/summary.h"
#include "tests/load/util.h"

enum {
	TICK_MS = 1,
	NICE_TICKS = 5,
	STORM_MAX = 400,
	STORM_STAY_MS = 3000,
	BYE_WAIT_MS = 1500,
	BYE_EACH_MS = 5 /* more for each who leaves at the same time */
};

struct crowd {
	const struct options *o;
	struct peer **peer;
	size_t peers, cap;
	struct peer *storm[STORM_MAX];
	struct storm_result storm_result;
	int64_t start_ns, storm_count;
	FILE *file; /* what one viewer is shown */
	void (*on_summary)(void *obj, json_t *summary);
	void *obj;
};

/* DIR/STEM0.END and so on: how many there are. */
static size_t count_files(const char *dir, const char *stem, const char *end)
{
	char path[4096];
	size_t n = 0;

	do
		snprintf(path, sizeof path, "%s/%s%zu.%s", dir, stem, n, end);
	while (!access(path, R_OK) && ++n);
	return n;
}

static const struct media *load(const struct crowd *c, bool video, const char *path)
{
	const struct media *m = video ? media_load_video(path) : media_load_audio(path);

	if (video && c->o->adapt)
		media_load_sizes(path);
	return m;
}

/* What the i-th sender sends. */
static const struct media *nth(const struct crowd *c, bool video, size_t i)
{
	const char *const stems[2][2] = { { "voice", "tone" }, { "cam", "colour" } };
	const char *end = video ? "h264" : "ogg";
	char *const *list = video ? c->o->video : c->o->audio;
	size_t n = video ? c->o->videos : c->o->audios;
	char path[4096];

	if (n)
		return load(c, video, list[i % n]);
	for (size_t k = 0; k < 2; k++) {
		n = count_files(c->o->media, stems[video][k], end);
		if (!n)
			continue;
		snprintf(path, sizeof path, "%s/%s%zu.%s", c->o->media, stems[video][k], i % n,
			 end);
		return load(c, video, path);
	}
	bot_die("no %s0.%s or %s0.%s in %s: make them with tests/load/media.sh", stems[video][0],
		end, stems[video][1], end, c->o->media);
}

static int64_t bye_wait_ns(const struct crowd *c)
{
	return (BYE_WAIT_MS + BYE_EACH_MS * (int64_t)(c->o->senders + c->o->viewers)) *
	       BOT_NS_PER_MS;
}

void crowd_defaults(const struct crowd *c, struct peer_cfg *cfg, enum peer_kind kind)
{
	const struct options *o = c->o;
	bool sends = kind != PEER_VIEWER;

	*cfg = (struct peer_cfg){ .url = &o->url,
				  .kind = kind,
				  .nack = o->nack,
				  .transport_cc = !o->no_twcc,
				  .only = o->only,
				  .feedback_hz = o->feedback_hz,
				  .drop_rx_permille = o->drop_rx,
				  .drop_tx_permille = o->drop_tx,
				  .late_tx_permille = o->late_tx,
				  .join_ns = c->start_ns,
				  .bad_after_ns = (int64_t)(o->bad_after_s * 1e9),
				  .frame_ns = BOT_NS_PER_S / (kind == PEER_RUSH ? 1000 : 30) };
	cfg->ice = o->relay || (sends && kind != PEER_GARBAGE && kind != PEER_FLOOD && !o->mini_senders) ?
			   ICE_NICE : ICE_MINI;
	cfg->vp8 = kind == PEER_VIEWER && o->vp8;
	cfg->has_max_height = kind == PEER_VIEWER && o->has_max_height;
	cfg->max_height = o->max_height;
	cfg->send_only_video = kind == PEER_SENDER && o->send_only_video;
	cfg->audio_only = o->audio_only;
	cfg->bye_wait_ns = bye_wait_ns(c);
	cfg->adapt = o->adapt;
	cfg->idle = o->idle;
	cfg->stamps = kind == PEER_VIEWER && o->stamps;
	if (o->fps)
		cfg->frame_ns = BOT_NS_PER_S / o->fps;
	snprintf(cfg->room, sizeof cfg->room, "%s", o->room);
}

struct peer *crowd_add(struct crowd *c, const struct peer_cfg *cfg)
{
	if (c->peers == c->cap) {
		c->cap = 2 * c->cap + 16;
		c->peer = realloc(c->peer, c->cap * sizeof *c->peer);
		if (!c->peer)
			bot_die("out of memory");
	}
	c->peer[c->peers] = peer_new(cfg);
	return c->peer[c->peers++];
}

static void add_regular(struct crowd *c, enum peer_kind kind, size_t index, const char *name)
{
	size_t at = c->peers;
	struct peer_cfg cfg;

	crowd_defaults(c, &cfg, kind);
	snprintf(cfg.name, sizeof cfg.name, "%s%s-%zu", c->o->prefix, name, index);
	if (c->o->rooms > 1)
		snprintf(cfg.room, sizeof cfg.room, "%s-%zu", c->o->room, index % c->o->rooms);
	if (kind != PEER_VIEWER) {
		bool talks = !c->o->has_talkers || index / c->o->rooms < c->o->talkers;

		if (!c->o->no_audio)
			cfg.audio = talks ? nth(c, false, index) : media_make_quiet();
		cfg.video = c->o->no_video || c->o->audio_only ? NULL : nth(c, true, index);
		cfg.content = kind == PEER_SENDER && !index && c->o->content ?
				      media_load_video(c->o->content) : NULL;
	}
	if (!at)
		cfg.say = c->o->say;
	if (c->o->h264 && !c->file && kind == PEER_VIEWER) {
		c->file = cfg.file = fopen(c->o->h264, "wb");
		if (!c->file)
			bot_die("cannot write %s", c->o->h264);
	}
	cfg.decode = c->o->decode_every && at % c->o->decode_every == 0;
	cfg.join_ns = c->start_ns + (int64_t)at * BOT_NS_PER_S / c->o->ramp_hz;
	crowd_add(c, &cfg);
}

struct crowd *crowd_new(const struct options *o)
{
	static const char *const bad_names[PEER_KINDS] = { "",	     "",	"stall",
							   "vanish", "garbage", "signaling", "flood",
							   "rush" };
	struct crowd *c = bot_alloc(sizeof *c);

	c->o = o;
	c->start_ns = bot_now_ns() + 50 * BOT_NS_PER_MS;
	if (o->latency)
		return c;
	for (size_t i = 0; i < o->senders; i++)
		add_regular(c, PEER_SENDER, i, "sender");
	for (size_t i = 0; i < o->bads; i++)
		add_regular(c, o->bad[i], i, bad_names[o->bad[i]]);
	for (size_t i = 0; i < o->viewers; i++)
		add_regular(c, PEER_VIEWER, i, "viewer");
	/* Loading took its time; nobody is late because of it. */
	for (size_t i = 0; i < c->peers; i++)
		peer_postpone(c->peer[i], bot_now_ns() + 50 * BOT_NS_PER_MS - c->start_ns);
	c->start_ns = bot_now_ns() + 50 * BOT_NS_PER_MS;
	return c;
}

void crowd_free(struct crowd **c)
{
	if (!*c)
		return;
	for (size_t i = 0; i < (*c)->peers; i++)
		peer_free(&(*c)->peer[i]);
	for (size_t i = 0; i < STORM_MAX; i++)
		peer_free(&(*c)->storm[i]);
	free((*c)->peer);
	if ((*c)->file && fclose((*c)->file))
		bot_die("cannot write %s", (*c)->o->h264);
	free(*c);
	*c = NULL;
}

void crowd_on_summary(struct crowd *c, void (*fn)(void *obj, json_t *summary), void *obj)
{
	c->on_summary = fn;
	c->obj = obj;
}

static void storm_spawn(struct crowd *c, struct peer **to, int64_t now_ns)
{
	bool sends = bot_random_below(3) == 0;
	struct peer_cfg cfg;

	crowd_defaults(c, &cfg, sends ? PEER_SENDER : PEER_VIEWER);
	snprintf(cfg.name, sizeof cfg.name, "storm-%lld", (long long)c->storm_count);
	cfg.storm = true;
	if (sends) {
		cfg.audio = c->o->no_audio ? NULL : nth(c, false, bot_random_below(4));
		cfg.video = c->o->no_video || c->o->audio_only ? NULL
							       : nth(c, true, bot_random_below(4));
	}
	cfg.abrupt = bot_random_below(4) == 0;
	cfg.join_ns = now_ns;
	cfg.leave_ns = now_ns + 1 + bot_random_below(STORM_STAY_MS) * BOT_NS_PER_MS;
	*to = peer_new(&cfg);
	c->storm_result.joins++;
}

static void storm_collect(struct crowd *c, struct peer **p)
{
	struct storm_result *s = &c->storm_result;

	s->connected += peer_connected_ms(*p) >= 0;
	s->saw_pictures += peer_first_frame_ms(*p) >= 0;
	s->auth_fail += peer_auth_fail(*p);
	if (peer_error(*p)[0]) {
		if (!s->errors++)
			snprintf(s->first_error, sizeof s->first_error, "%s", peer_error(*p));
	}
	peer_free(p);
}

static void storm_tick(struct crowd *c, int64_t now_ns, int64_t since_ns, bool spawn)
{
	for (size_t i = 0; i < STORM_MAX; i++) {
		if (c->storm[i]) {
			peer_tick(c->storm[i], now_ns);
			if (peer_state(c->storm[i]) == PEER_ENDED)
				storm_collect(c, &c->storm[i]);
		} else if (spawn &&
			   c->storm_count * BOT_NS_PER_S / c->o->storm_hz <= now_ns - since_ns) {
			storm_spawn(c, &c->storm[i], now_ns);
			c->storm_count++;
		}
	}
}

enum phase { PHASE_JOIN, PHASE_RUN, PHASE_LEAVE };

static bool all_in(const struct crowd *c, bool (*test)(const struct peer *))
{
	for (size_t i = 0; i < c->peers; i++)
		if (!test(c->peer[i]))
			return false;
	return true;
}

static bool has_ended(const struct peer *p)
{
	return peer_state(p) == PEER_ENDED;
}

static bool storm_is_over(const struct crowd *c)
{
	for (size_t i = 0; i < STORM_MAX; i++)
		if (c->storm[i])
			return false;
	return true;
}

static volatile sig_atomic_t told_to_end;

static void on_sigterm(int sig)
{
	(void)sig;
	told_to_end = 1;
}

static bool phase_over(const struct crowd *c, enum phase phase, int64_t since_ns, int64_t now_ns)
{
	int64_t last = c->start_ns + (int64_t)c->peers * BOT_NS_PER_S / c->o->ramp_hz;

	switch (phase) {
	case PHASE_JOIN:
		return all_in(c, peer_ready) || now_ns > last + c->o->ready_s * BOT_NS_PER_S;
	case PHASE_RUN: return told_to_end || now_ns >= since_ns + c->o->seconds * BOT_NS_PER_S;
	case PHASE_LEAVE:
		return (all_in(c, has_ended) && storm_is_over(c)) ||
		       now_ns > since_ns + 2 * bye_wait_ns(c);
	}
	return true;
}

static void run_phase(struct crowd *c, enum phase phase)
{
	int64_t since_ns = bot_now_ns(), now_ns;
	bool done = false;

	for (int64_t tick = 0; !done; tick++) {
		bot_sleep_until(since_ns + tick * TICK_MS * BOT_NS_PER_MS);
		now_ns = bot_now_ns();
		/* After a stall of the machine the missed ticks are not made up. */
		if (now_ns - since_ns > (tick + 1) * TICK_MS * BOT_NS_PER_MS)
			tick = (now_ns - since_ns) / (TICK_MS * BOT_NS_PER_MS);
		if (phase != PHASE_RUN || c->o->storm_hz || tick % NICE_TICKS == 0)
			ice_nice_sweep_all();
		for (size_t i = 0; i < c->peers; i++)
			peer_tick(c->peer[i], now_ns);
		if (c->o->storm_hz && phase != PHASE_JOIN)
			storm_tick(c, now_ns, since_ns, phase == PHASE_RUN);
		done = phase_over(c, phase, since_ns, now_ns);
	}
}

static void leave_all(struct crowd *c)
{
	int64_t now_ns = bot_now_ns();

	for (size_t i = 0; i < c->peers; i++)
		peer_leave(c->peer[i], now_ns);
	for (size_t i = 0; i < STORM_MAX; i++)
		if (c->storm[i])
			peer_leave(c->storm[i], now_ns);
}

int crowd_run(struct crowd *c)
{
	struct summary s;
	int status;

	signal(SIGTERM, on_sigterm);
	run_phase(c, PHASE_JOIN);
	for (size_t i = 0; i < c->peers; i++)
		peer_mark(c->peer[i]);
	fprintf(stderr, "ready\n");
	run_phase(c, PHASE_RUN);
	summary_begin(&s, c->o, c->peer, c->peers);
	leave_all(c);
	run_phase(c, PHASE_LEAVE);
	for (size_t i = 0; i < STORM_MAX; i++)
		if (c->storm[i])
			storm_collect(c, &c->storm[i]);
	if (c->on_summary)
		c->on_summary(c->obj, s.json);
	status = summary_end(&s, c->o, c->peer, c->peers, &c->storm_result);
	return status;
}
