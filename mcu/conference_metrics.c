/* The per-room families of /metrics: what the laws can be checked by. */
#include "mcu/conference_priv.h"

#include <stdio.h>

/* One gauge per room, from struct room_counts. */
struct gauge {
	const char *name, *help;
	const char *label, *value; /* a second label; NULL: none */
	size_t (*get)(const struct room_counts *c);
};

#define GETTER(field)                                         \
	static size_t get_##field(const struct room_counts *c) \
	{                                                     \
		return c->field;                              \
	}

GETTER(legs)
GETTER(tiles)
GETTER(receivers)
GETTER(views)
GETTER(pictures)
GETTER(video_encoders)
GETTER(video_decoders)
GETTER(listener_mixes)
GETTER(listener_encoders)
GETTER(talker_encoders)
GETTER(overload)

static const struct gauge gauges[] = {
	{ "mcu_legs", "Participants of the room.", NULL, NULL, get_legs },
	{ "mcu_tiles", "Tiles in the main view.", NULL, NULL, get_tiles },
	{ "mcu_video_receivers", "Legs that receive the room's picture.", NULL, NULL, get_receivers },
	{ "mcu_views", "Views of the room.", NULL, NULL, get_views },
	{ "mcu_pictures", "Different pictures of the room that are composed.", NULL, NULL,
	  get_pictures },
	{ "mcu_video_encoders", "Running video encoders.", NULL, NULL, get_video_encoders },
	{ "mcu_video_decoders", "Running video decoders.", NULL, NULL, get_video_decoders },
	{ "mcu_listener_mixes", "Listener mixes made per audio tick.", NULL, NULL,
	  get_listener_mixes },
	{ "mcu_audio_encoders", "Running audio encoders.", "kind", "listener", get_listener_encoders },
	{ "mcu_audio_encoders", NULL, "kind", "talker", get_talker_encoders },
	{ "mcu_overload_level", "What the room gives up for want of processors: 0 nothing, 1 to 3 "
	  "pictures per second, 4 also the largest picture, 5 its pictures stand still.", NULL, NULL,
	  get_overload },
};

ON_THREAD(ROLE_CTL) static int write_gauge(struct conference *c, const struct gauge *g, struct metrics_text *out)
{
	GHashTableIter it;
	gpointer value;
	int err = g->help ? metrics_family(out, g->name, g->help, "gauge") : 0;

	g_hash_table_iter_init(&it, c->halls);
	while (!err && g_hash_table_iter_next(&it, NULL, &value)) {
		struct hall *h = value;
		const char *labels[] = { "room", room_name(h->room), g->label, g->value, NULL };
		struct room_counts counts;

		room_get_counts(h->room, &counts);
		err = metrics_series(out, g->name, labels, (double)g->get(&counts));
	}
	return err;
}

ON_THREAD(ROLE_CTL) static int write_intervals(struct hall *h, struct metrics_text *out)
{
	const char *room = room_name(h->room);
	struct tick_stats s;
	uint64_t sum = 0;
	int err = 0;

	room_get_tick_stats(h->room, &s);
	for (int i = 0; !err && i < TICK_BUCKETS; i++) {
		char le[16];
		const char *labels[] = { "room", room, "le", le, NULL };

		if (TICK_BUCKET_MS[i])
			snprintf(le, sizeof le, "%g", TICK_BUCKET_MS[i] / 1000.0);
		else
			snprintf(le, sizeof le, "+Inf");
		sum += s.bucket[i];
		err = metrics_series(out, "mcu_frame_interval_seconds_bucket", labels, (double)sum);
	}
	if (!err) {
		const char *labels[] = { "room", room, NULL };

		err = metrics_series(out, "mcu_frame_interval_seconds_sum", labels,
				     (double)s.interval_sum_ns / 1e9);
		if (!err)
			err = metrics_series(out, "mcu_frame_interval_seconds_count", labels,
					     (double)sum);
	}
	return err;
}

ON_THREAD(ROLE_CTL) static int write_views(struct hall *h, struct metrics_text *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < room_view_count(h->room); i++) {
		struct room_view_info v;

		room_view_info(h->room, i, &v);
		err = metrics_series(out, "mcu_view_encoders",
				     (const char *[]){ "room", room_name(h->room), "view", v.name, NULL },
				     (double)v.encoders);
	}
	return err;
}

ON_THREAD(ROLE_CTL) static int write_uplinks(struct hall *h, struct metrics_text *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < h->people->len; i++) {
		const struct leg_handle *p = g_ptr_array_index(h->people, i);
		struct leg_net_stats s;
		uint64_t octets;
		char leg[16];
		const char *labels[] = { "room", room_name(h->room), "leg", leg, NULL };

		snprintf(leg, sizeof leg, "%u", leg_id(p->leg));
		leg_get_stats(p->leg, &s);
		octets = s.uplink_audio.octets + s.uplink_video.octets + s.uplink_content.octets;
		if (octets)
			err = metrics_series(out, "mcu_uplink_octets_total", labels, (double)octets);
	}
	return err;
}

/* What the video workers did for each room. */
static double jobs_late(const struct work_done *d)
{
	return (double)d->late;
}

static double cpu_seconds(const struct work_done *d)
{
	return (double)d->cpu_ns / 1e9;
}

ON_THREAD(ROLE_CTL) static int write_work(struct conference *c, struct metrics_text *out,
					  const char *name, const char *help,
					  double (*get)(const struct work_done *d))
{
	int err = metrics_family(out, name, help, "counter");
	GHashTableIter it;
	gpointer value;

	g_hash_table_iter_init(&it, c->halls);
	while (!err && g_hash_table_iter_next(&it, NULL, &value)) {
		const struct hall *h = value;
		const char *labels[] = { "room", room_name(h->room), NULL };
		struct work_done d;

		room_get_work(h->room, &d);
		err = metrics_series(out, name, labels, get(&d));
	}
	return err;
}

ON_THREAD(ROLE_CTL) static int write_load(struct conference *c, struct metrics_text *out)
{
	int err = load_watch_metrics(c->load, out);

	if (!err)
		err = write_work(c, out, "mcu_room_video_jobs_late_total", "Jobs of the video workers "
				 "for the room that started after their deadline.", jobs_late);
	return err ? err : write_work(c, out, "mcu_room_video_cpu_seconds_total",
				      "Processor time of the video workers for the room.",
				      cpu_seconds);
}

int conference_metrics(struct conference *c, struct metrics_text *out)
{
	GHashTableIter it;
	gpointer value;
	int err = metrics_family(out, "mcu_rooms", "Rooms that run.", "gauge");

	if (!err)
		err = metrics_series(out, "mcu_rooms", NULL, g_hash_table_size(c->halls));
	if (!err)
		err = metrics_family(out, "mcu_parlours", "Calls that are answered and in no room yet.",
				     "gauge");
	if (!err)
		err = metrics_series(out, "mcu_parlours", NULL, c->parlours->len);
	for (size_t i = 0; !err && i < sizeof gauges / sizeof gauges[0]; i++)
		err = write_gauge(c, &gauges[i], out);
	if (!err)
		err = write_load(c, out);
	if (!err)
		err = metrics_family(out, "mcu_frame_interval_seconds",
				     "Time between composed pictures of a room.", "histogram");
	g_hash_table_iter_init(&it, c->halls);
	while (!err && g_hash_table_iter_next(&it, NULL, &value))
		err = write_intervals(value, out);
	if (!err)
		err = metrics_family(out, "mcu_view_encoders",
				     "Video encoders that run for a view of the room.", "gauge");
	g_hash_table_iter_init(&it, c->halls);
	while (!err && g_hash_table_iter_next(&it, NULL, &value))
		err = write_views(value, out);
	if (!err)
		err = metrics_family(out, "mcu_uplink_octets_total", "Payload octets received of a leg.",
				     "counter");
	g_hash_table_iter_init(&it, c->halls);
	while (!err && g_hash_table_iter_next(&it, NULL, &value))
		err = write_uplinks(value, out);
	return err;
}
