#include "signaling/hls_window.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mcu/base/clock.h"

enum {
	PARTS_SEGMENTS = 3,   /* so many of the last segments are told with their parts */
	KEPT_SEGMENTS = 3,    /* after they have left the playlist, for those who are late */
	LEAST_SEGMENTS = 4,   /* in the playlist, however long they are */
	AHEAD_MAX = 2,	      /* segments that may be waited for */
	SKIP_TARGETS = 6,     /* RFC 8216bis, 4.4.3.8: at least */
	HOLD_PARTS = 3,	      /* PART-HOLD-BACK, likewise */
};

struct part {
	GBytes *data;
	int64_t duration_ns;
	bool independent;
};

struct segment {
	uint64_t msn, map;
	int64_t wall_ns, duration_ns;
	bool done, breaks;
	GArray *parts; /* struct part */
	GBytes *whole; /* once it is done; the parts are slices of it */
	size_t bytes;
};

struct hls_window {
	struct hls_window_cfg cfg;
	GPtrArray *segments;	 /* the oldest first */
	GHashTable *maps;	 /* number → GBytes */
	uint64_t map, next_msn;	 /* map: of what follows; 0: none yet */
	uint64_t breaks_gone;	 /* discontinuities that have left the window */
	size_t bytes;
	bool ended;
};

static void part_clear(gpointer p)
{
	g_bytes_unref(((struct part *)p)->data);
}

static void segment_free(gpointer p)
{
	struct segment *s = p;

	g_array_unref(s->parts);
	if (s->whole)
		g_bytes_unref(s->whole);
	free(s);
}

int hls_window_new(struct hls_window **out, const struct hls_window_cfg *cfg)
{
	struct hls_window *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->cfg = *cfg;
	w->segments = g_ptr_array_new_with_free_func(segment_free);
	w->maps = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
					(GDestroyNotify)g_bytes_unref);
	*out = w;
	return 0;
}

void hls_window_free(struct hls_window **w)
{
	if (!*w)
		return;
	g_ptr_array_unref((*w)->segments);
	g_hash_table_destroy((*w)->maps);
	free(*w);
	*w = NULL;
}

static struct segment *segment_at(const struct hls_window *w, guint i)
{
	return g_ptr_array_index(w->segments, i);
}

static struct segment *newest(const struct hls_window *w)
{
	return w->segments->len ? segment_at(w, w->segments->len - 1) : NULL;
}

static struct segment *find(const struct hls_window *w, uint64_t msn)
{
	uint64_t first = w->segments->len ? segment_at(w, 0)->msn : 0;

	return w->segments->len && msn >= first && msn - first < w->segments->len ?
		       segment_at(w, (guint)(msn - first)) : NULL;
}

/* --- what comes in ---------------------------------------------------------------- */

static gint64 *map_key(uint64_t n)
{
	gint64 *k = g_new(gint64, 1);

	*k = (gint64)n;
	return k;
}

void hls_window_add_map(struct hls_window *w, const void *data, size_t len)
{
	g_hash_table_insert(w->maps, map_key(++w->map), g_bytes_new(data, len));
}

/* The first segment of the playlist. */
static guint first_told(const struct hls_window *w)
{
	int64_t sum_ns = 0;
	guint i = w->segments->len, n = 0;

	while (i && (n < LEAST_SEGMENTS || sum_ns < w->cfg.window_ns)) {
		sum_ns += segment_at(w, --i)->duration_ns;
		n++;
	}
	return i;
}

static void drop_oldest(struct hls_window *w)
{
	struct segment *s = segment_at(w, 0), *next;

	w->bytes -= s->bytes;
	w->breaks_gone += s->breaks;
	next = w->segments->len > 1 ? segment_at(w, 1) : NULL;
	if (next && next->map != s->map)
		g_hash_table_remove(w->maps, &(gint64){ (gint64)s->map });
	g_ptr_array_remove_index(w->segments, 0);
}

static void trim(struct hls_window *w)
{
	while (first_told(w) > KEPT_SEGMENTS)
		drop_oldest(w);
	while (w->bytes > w->cfg.bytes_max && w->segments->len > 1)
		drop_oldest(w);
}

/* One block for the whole; the parts become slices of it. */
static void seal(struct segment *s)
{
	GByteArray *all = g_byte_array_sized_new((guint)s->bytes);
	gsize at = 0;

	for (guint i = 0; i < s->parts->len; i++) {
		gsize len;
		const void *p = g_bytes_get_data(g_array_index(s->parts, struct part, i).data, &len);

		g_byte_array_append(all, p, (guint)len);
	}
	s->whole = g_byte_array_free_to_bytes(all);
	for (guint i = 0; i < s->parts->len; i++) {
		struct part *p = &g_array_index(s->parts, struct part, i);
		gsize len = g_bytes_get_size(p->data);

		g_bytes_unref(p->data);
		p->data = g_bytes_new_from_bytes(s->whole, at, len);
		at += len;
	}
	s->done = true;
}

static struct segment *begin(struct hls_window *w, const struct hls_part *p)
{
	struct segment *s = calloc(1, sizeof(*s)), *before = newest(w);

	if (!s)
		return NULL;
	if (before && !before->done)
		seal(before);
	s->msn = w->next_msn++;
	s->map = w->map;
	s->wall_ns = p->wall_ns;
	s->breaks = p->breaks;
	s->parts = g_array_new(FALSE, FALSE, sizeof(struct part));
	g_array_set_clear_func(s->parts, part_clear);
	g_ptr_array_add(w->segments, s);
	return s;
}

void hls_window_add_part(struct hls_window *w, const struct hls_part *p)
{
	struct segment *s = p->first ? begin(w, p) : newest(w);
	struct part part = { .duration_ns = p->duration_ns, .independent = p->independent };

	if (!s || s->done || w->ended)
		return;
	part.data = g_bytes_new(p->data, p->len);
	g_array_append_val(s->parts, part);
	s->duration_ns += p->duration_ns;
	s->bytes += p->len;
	w->bytes += p->len;
	if (p->last)
		seal(s);
	trim(w);
}

void hls_window_end(struct hls_window *w)
{
	struct segment *s = newest(w);

	if (s && !s->done)
		seal(s);
	w->ended = true;
}

bool hls_window_ended(const struct hls_window *w)
{
	return w->ended;
}

size_t hls_window_bytes(const struct hls_window *w)
{
	return w->bytes;
}

/* --- what is asked ---------------------------------------------------------------- */

/* Where the next part will go. */
static void next_part(const struct hls_window *w, uint64_t *msn, uint64_t *part)
{
	const struct segment *s = newest(w);

	*msn = s && !s->done ? s->msn : w->next_msn;
	*part = s && !s->done ? s->parts->len : 0;
}

enum hls_ready hls_window_ready(const struct hls_window *w, const struct hls_ask *ask)
{
	uint64_t msn, part;

	if (w->ended)
		return w->segments->len ? HLS_READY : HLS_GONE;
	if (!ask->has_msn)
		return w->segments->len && segment_at(w, 0)->done ? HLS_READY : HLS_WAIT;
	next_part(w, &msn, &part);
	if (ask->msn > msn + AHEAD_MAX)
		return HLS_BAD;
	if (ask->msn < msn)
		/* A part past the end of its segment is the first of the next one. */
		return ask->has_part && ask->msn + 1 == msn && !part && find(w, ask->msn) &&
			       ask->part >= find(w, ask->msn)->parts->len ?
			       HLS_WAIT : HLS_READY;
	return ask->has_part && ask->msn == msn && ask->part < part ? HLS_READY : HLS_WAIT;
}

enum hls_ready hls_window_file(const struct hls_window *w, enum hls_file kind, uint64_t number,
			       uint64_t part, GBytes **out)
{
	const struct segment *s = find(w, number);
	uint64_t msn, next;

	*out = NULL;
	if (kind == HLS_MAP) {
		*out = g_hash_table_lookup(w->maps, &(gint64){ (gint64)number });
	} else if (kind == HLS_SEGMENT) {
		*out = s ? s->whole : NULL;
	} else if (kind == HLS_PART) {
		if (s && part < s->parts->len)
			*out = g_array_index(s->parts, struct part, (guint)part).data;
		next_part(w, &msn, &next);
		if (!*out && !w->ended && w->map && number == msn && part == next)
			return HLS_WAIT;
	}
	return *out ? HLS_READY : HLS_GONE;
}

/* --- the playlist ------------------------------------------------------------------- */

static void put_seconds(GString *o, int64_t ns)
{
	int64_t us = (ns + 500) / 1000;

	g_string_append_printf(o, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
}

static void put_time(GString *o, int64_t wall_ns)
{
	GDateTime *t = g_date_time_new_from_unix_utc(wall_ns / NS_PER_S);
	char *text = t ? g_date_time_format(t, "%Y-%m-%dT%H:%M:%S") : NULL;

	if (text)
		g_string_append_printf(o, "#EXT-X-PROGRAM-DATE-TIME:%s.%03dZ\n", text,
				       (int)(wall_ns % NS_PER_S / NS_PER_MS));
	g_free(text);
	if (t)
		g_date_time_unref(t);
}

static void put_head(const struct hls_window *w, GString *o, guint first)
{
	uint64_t breaks = w->breaks_gone;

	for (guint i = 0; i < first; i++)
		breaks += segment_at(w, i)->breaks;
	g_string_append_printf(o, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:%d\n",
			       w->cfg.target_s);
	g_string_append(o, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=");
	put_seconds(o, HOLD_PARTS * w->cfg.part_ns);
	g_string_append_printf(o, ",CAN-SKIP-UNTIL=%d\n#EXT-X-PART-INF:PART-TARGET=",
			       SKIP_TARGETS * w->cfg.target_s);
	put_seconds(o, w->cfg.part_ns);
	g_string_append_printf(o, "\n#EXT-X-MEDIA-SEQUENCE:%" PRIu64 "\n",
			       w->segments->len ? segment_at(w, first)->msn : 0);
	if (breaks)
		g_string_append_printf(o, "#EXT-X-DISCONTINUITY-SEQUENCE:%" PRIu64 "\n", breaks);
	g_string_append(o, "#EXT-X-INDEPENDENT-SEGMENTS\n");
}

static void put_segment(const struct hls_window *w, GString *o, guint i, bool map)
{
	const struct segment *s = segment_at(w, i);

	if (s->breaks)
		g_string_append(o, "#EXT-X-DISCONTINUITY\n");
	if (map)
		g_string_append_printf(o, "#EXT-X-MAP:URI=\"map-%" PRIu64 ".mp4\"\n", s->map);
	put_time(o, s->wall_ns);
	if (i + PARTS_SEGMENTS >= w->segments->len)
		for (guint k = 0; k < s->parts->len; k++) {
			const struct part *p = &g_array_index(s->parts, struct part, k);

			g_string_append(o, "#EXT-X-PART:DURATION=");
			put_seconds(o, p->duration_ns);
			g_string_append_printf(o, ",URI=\"%" PRIu64 ".%u.m4s\"%s\n", s->msn, k,
					       p->independent ? ",INDEPENDENT=YES" : "");
		}
	if (!s->done)
		return;
	g_string_append(o, "#EXTINF:");
	put_seconds(o, s->duration_ns);
	g_string_append_printf(o, ",\n%" PRIu64 ".m4s\n", s->msn);
}

/* How many segments a client that asks for it need not be told again. */
static guint skippable(const struct hls_window *w, guint first)
{
	int64_t sum_ns = 0;
	guint i = w->segments->len;

	while (i > first && sum_ns < SKIP_TARGETS * w->cfg.target_s * NS_PER_S)
		sum_ns += segment_at(w, --i)->duration_ns;
	return i - first;
}

void hls_window_playlist(const struct hls_window *w, const struct hls_ask *ask, GString *out)
{
	guint first = first_told(w), skip = ask->skip ? skippable(w, first) : 0;
	uint64_t msn, part, map = 0;

	put_head(w, out, first);
	if (skip)
		g_string_append_printf(out, "#EXT-X-SKIP:SKIPPED-SEGMENTS=%u\n", skip);
	for (guint i = first + skip; i < w->segments->len; i++) {
		put_segment(w, out, i, segment_at(w, i)->map != map);
		map = segment_at(w, i)->map;
	}
	if (w->ended) {
		g_string_append(out, "#EXT-X-ENDLIST\n");
		return;
	}
	next_part(w, &msn, &part);
	g_string_append_printf(out, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"%" PRIu64 ".%" PRIu64
			       ".m4s\"\n", msn, part);
}
