#include "mcu/load_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mcu/base/log.h"
#include "mcu/base/machine.h"
#include "mcu/conference_priv.h"
#include "mcu/room/audio_worker.h"

METRIC_COUNTER(m_transitions, "mcu_overload_transitions_total",
	       "Times a room gave up something for want of processors, or got it back.");
METRIC_COUNTER(m_refused, "mcu_admission_refused_total",
	       "Rooms and participants refused because the server was too busy.");

/* Thousandths of a processor: a picture of 1280x720 at 30 a second encoded and
 * composed, a sender of pictures decoded, a sender of sound, a viewer. */
enum { COST_ENCODER = 120, COST_SENDER = 15, COST_SOUND = 5, COST_VIEWER = 1 };
enum { SATURATED_PERMILLE = 500, POOL_SATURATED_PERMILLE = 800 };

struct load_watch {
	struct conference *c;
	const struct engine *engine;
	struct overload overload;
	struct admission admission;
	unsigned millicores;
	guint timer; /* 0: no room runs */
	int64_t seen_ns;
	uint64_t cpu_ns, audio_missed;
	GPtrArray *loads; /* struct overload_room of the halls, beside … */
	GPtrArray *halls; /* … these, while a step is made */
};

int load_watch_new(struct load_watch **out, struct conference *c)
{
	struct load_watch *w = calloc(1, sizeof *w);

	if (!w)
		return -ENOMEM;
	w->c = c;
	w->engine = c->cfg.engine;
	w->millicores = machine_millicores("");
	w->loads = g_ptr_array_new();
	w->halls = g_ptr_array_new();
	overload_init(&w->overload);
	admission_init(&w->admission, c->cfg.config->overload.high_percent, w->millicores);
	*out = w;
	return 0;
}

void load_watch_free(struct load_watch **wp)
{
	struct load_watch *w = *wp;

	if (!w)
		return;
	if (w->timer)
		g_source_remove(w->timer);
	g_ptr_array_unref(w->loads);
	g_ptr_array_unref(w->halls);
	free(w);
	*wp = NULL;
}

static uint64_t process_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)(t.tv_sec * NS_PER_S + t.tv_nsec);
}

static uint64_t audio_missed(const struct engine *e)
{
	uint64_t n = 0;

	for (size_t i = 0; i < e->n_audio; i++)
		n += audio_worker_missed_count(e->audio[i]);
	return n;
}

/* --- what rooms give up ------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void log_level(const struct hall *h, enum overload_level level,
					  unsigned permille)
{
	struct log_ctx ctx = { .room = room_name(h->room) };

	if (level)
		log_warn(&ctx, "overload: level %d, %d pictures per second%s; the server uses %u %% of "
			 "its processors", (int)level, room_fps(h->room),
			 level == OVERLOAD_NO_TOP ? ", none of the largest" :
			 level == OVERLOAD_FROZEN ? ", nothing decoded" : "", permille / 10);
	else
		log_info(&ctx, "overload: over, %d pictures per second", room_fps(h->room));
}

ON_THREAD(ROLE_CTL) static struct leg_event event_of(const struct hall *h)
{
	enum overload_level level = room_overload(h->room);

	return (struct leg_event){
		.type = LEG_EVENT_OVERLOAD,
		.u.overload = { .level = (int)level, .text = overload_text(level) },
	};
}

void load_tell(struct hall *h, struct leg_handle *p)
{
	struct leg_event ev = event_of(h);

	p->ev->event(p->obj, &ev);
	leg_event_clear(&ev);
}

ON_THREAD(ROLE_CTL) static void tell(struct hall *h, unsigned permille)
{
	struct leg_event ev = event_of(h);

	metric_add(&m_transitions, 1);
	log_level(h, room_overload(h->room), permille);
	hall_tell(h, &ev, NULL);
	hall_tell_uplinks(h);
}

/* A room's legs may end while they are told, rooms never do at once. */
ON_THREAD(ROLE_CTL) static void give_up(struct load_watch *w, unsigned permille)
{
	for (guint i = 0; i < w->halls->len; i++) {
		struct hall *h = g_ptr_array_index(w->halls, i);
		enum overload_level before = room_overload(h->room);

		room_give_up(h->room);
		if (room_overload(h->room) != before)
			tell(h, permille);
	}
}

ON_THREAD(ROLE_CTL) static void collect(struct load_watch *w)
{
	GHashTableIter it;
	gpointer h;

	g_ptr_array_set_size(w->loads, 0);
	g_ptr_array_set_size(w->halls, 0);
	g_hash_table_iter_init(&it, w->c->halls);
	while (g_hash_table_iter_next(&it, NULL, &h)) {
		g_ptr_array_add(w->halls, h);
		g_ptr_array_add(w->loads, room_load(((struct hall *)h)->room));
	}
}

/* --- looking ------------------------------------------------------------------ */

/* Whether more would hurt: something is given up, and not for one encoder that is too
 * slow alone while processors idle. */
ON_THREAD(ROLE_CTL) static bool is_strained(const struct load_watch *w, unsigned permille,
					    int64_t window_ns)
{
	uint64_t pool_ns = (uint64_t)window_ns * workers_threads(w->engine->video), used_ns = 0;
	bool any = false;

	for (guint i = 0; i < w->loads->len; i++) {
		const struct overload_room *r = g_ptr_array_index(w->loads, i);

		any |= r->level != OVERLOAD_NONE;
		used_ns += r->cpu_ns;
	}
	return any && (permille >= SATURATED_PERMILLE ||
		       used_ns >= pool_ns / 1000 * POOL_SATURATED_PERMILLE);
}

ON_THREAD(ROLE_CTL) static void look(struct load_watch *w)
{
	int64_t now = clock_now_ns(w->engine->clock), window = now - w->seen_ns;
	uint64_t cpu = process_time_ns(), missed = audio_missed(w->engine);
	struct overload_load l = {
		.processors_ns = (uint64_t)window / 1000 * w->millicores,
		.overdue_ns = workers_overdue_ns(w->engine->video),
		.audio_missed = missed - w->audio_missed,
	};

	if (window <= 0)
		return;
	l.permille = (unsigned)((cpu - w->cpu_ns) / (l.processors_ns / 1000 + 1));
	l.permille = MIN(l.permille, 1000);
	collect(w);
	if (w->c->cfg.config->overload.degrade &&
	    overload_step(&w->overload, &l, (struct overload_room *const *)w->loads->pdata,
			  w->loads->len, now))
		log_debug(NULL, "overload: %u %% of the processors used", l.permille / 10);
	admission_see(&w->admission, &(struct admission_load){
		.permille = l.permille, .strained = is_strained(w, l.permille, window),
		.sound_missed = l.audio_missed, .memory_left = machine_memory_left("") });
	w->seen_ns = now;
	w->cpu_ns = cpu;
	w->audio_missed = missed;
	give_up(w, l.permille);
}

static gboolean on_timer(gpointer arg)
{
	struct load_watch *w = arg;

	role_assert_ctl();
	look(w);
	if (g_hash_table_size(w->c->halls) || w->c->parlours->len)
		return G_SOURCE_CONTINUE;
	w->timer = 0;
	/* nobody is left to be hurt */
	admission_init(&w->admission, w->c->cfg.config->overload.high_percent, w->millicores);
	return G_SOURCE_REMOVE;
}

void load_watch_start(struct load_watch *w)
{
	if (w->timer)
		return;
	w->seen_ns = clock_now_ns(w->engine->clock);
	w->cpu_ns = process_time_ns();
	w->audio_missed = audio_missed(w->engine);
	w->timer = g_timeout_add(OVERLOAD_WINDOW_MS, on_timer, w);
}

/* --- who is taken ------------------------------------------------------------- */

static unsigned by_size(const struct engine_cfg *c, unsigned cost)
{
	return (unsigned)((uint64_t)cost * (unsigned)(c->width * c->height) * (unsigned)c->fps /
			  (1280 * 720 * 30));
}

static unsigned cost_of_encoder(const struct engine_cfg *c)
{
	static const struct { const char *preset; unsigned percent; } known[] = {
		{ "ultrafast", 65 }, { "veryfast", 150 }, { "faster", 250 }, { "fast", 350 },
		{ "medium", 450 },
	};
	unsigned cost = by_size(c, COST_ENCODER);

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (c->preset && !strcmp(c->preset, known[i].preset))
			cost = cost * known[i].percent / 100;
	return cost;
}

/* Its picture is decoded at the size of its tile: it is told that size. */
static unsigned cost_of_sender(const struct engine_cfg *c)
{
	return by_size(c, COST_SENDER) + COST_SOUND;
}

static unsigned cost_of(const struct engine_cfg *c, enum admission_kind kind)
{
	switch (kind) {
	case ADMISSION_ROOM: return cost_of_encoder(c) + cost_of_sender(c);
	case ADMISSION_SENDER: return cost_of_sender(c);
	case ADMISSION_CONTENT: return by_size(c, COST_SENDER);
	case ADMISSION_ENCODER: return cost_of_encoder(c);
	case ADMISSION_SOUND: return COST_SOUND;
	default: return COST_VIEWER;
	}
}

ON_THREAD(ROLE_CTL) static int refuse(const struct leg_handle *p, enum admission_kind kind,
				      struct errmsg *why)
{
	static const char *const what[ADMISSION_N] = {
		[ADMISSION_ROOM] = "open another room", [ADMISSION_SENDER] = "take another camera",
		[ADMISSION_CONTENT] = "show what you share",
		[ADMISSION_ENCODER] = "make another picture for you",
		[ADMISSION_SOUND] = "take another microphone", [ADMISSION_VIEWER] = "let anybody in",
	};
	struct log_ctx ctx = { .room = p->room };

	metric_add(&m_refused, 1);
	log_warn(&ctx, "too busy to %s: %u %% of the processors are used or promised "
		 "(overload.high_percent)", what[kind],
		 admission_permille(&p->conf->load->admission) / 10);
	return errmsg_set(why, -EBUSY, "overloaded", "The server is too busy to %s. Try again in a "
			  "few minutes%s.", what[kind],
			  kind == ADMISSION_SENDER ? ", or come without a camera" : "");
}

ON_THREAD(ROLE_CTL) static int ask(struct leg_handle *p, enum admission_kind kind,
				   struct errmsg *why)
{
	struct load_watch *w = p->conf->load;
	unsigned cost;

	if (p->who.back || p->admitted & 1u << kind)
		return 0;
	cost = cost_of(&w->engine->cfg, kind);
	/* a room costs what its people then negotiate */
	if (!admission_ask(&w->admission, kind, cost, kind == ADMISSION_ROOM ? COST_VIEWER : cost))
		return refuse(p, kind, why);
	p->admitted |= 1u << kind;
	return 0;
}

int load_admit_room(struct leg_handle *p, struct errmsg *why)
{
	if (g_hash_table_size(p->conf->halls))
		return ask(p, ADMISSION_ROOM, why);
	/* Who is alone hurts nobody, however small the machine: with all he has. */
	p->admitted = (1u << ADMISSION_N) - 1;
	return 0;
}

int load_admit_join(struct leg_handle *p, struct errmsg *why)
{
	return ask(p, ADMISSION_VIEWER, why);
}

int load_admit_media(struct leg_handle *p, const struct leg_media *m, struct errmsg *why)
{
	const struct leg_tx_format *f = &m->video.tx_format;
	int err = 0;

	if (m->video.rx)
		err = ask(p, ADMISSION_SENDER, why);
	else if (m->audio.rx)
		err = ask(p, ADMISSION_SOUND, why);
	if (!err && m->content.rx)
		err = ask(p, ADMISSION_CONTENT, why);
	if (!err && m->video.tx && !room_has_encode(p->hall->room, f))
		err = ask(p, ADMISSION_ENCODER, why);
	return err;
}

int load_admit_view(struct leg_handle *p, const struct leg_view *v, struct errmsg *why)
{
	const struct engine_cfg *c = &p->conf->load->engine->cfg;
	int64_t more = leg_view_pixels(p->leg, v);
	unsigned cost;

	if (more <= 0 || (g_hash_table_size(p->conf->halls) == 1 && p->hall->people->len == 1))
		return 0;
	cost = (unsigned)(cost_of_encoder(c) * more / ((int64_t)c->width * c->height * c->fps));
	return admission_ask(&p->conf->load->admission, ADMISSION_ENCODER, cost, cost) ?
		       0 : refuse(p, ADMISSION_ENCODER, why);
}

int load_watch_metrics(const struct load_watch *w, struct metrics_text *out)
{
	int err = metrics_family(out, "mcu_load_ratio", "Of the processors that the server may use: "
				 "in use, or promised to those who have just come.", "gauge");

	if (!err)
		err = metrics_series(out, "mcu_load_ratio", NULL,
				     admission_permille(&w->admission) / 1000.0);
	if (!err)
		err = metrics_family(out, "mcu_processors", "That the server may use; less than the "
				     "machine has where a container sets a quota.", "gauge");
	return err ? err : metrics_series(out, "mcu_processors", NULL, w->millicores / 1000.0);
}
