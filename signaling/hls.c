#include "signaling/hls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mcu/base/metrics.h"

METRIC_COUNTER(m_requests, "mcu_hls_requests_total", "Requests for files of live streams.");
METRIC_COUNTER(m_octets, "mcu_hls_octets_total", "Octets of the answers to them.");
METRIC_COUNTER(m_late, "mcu_hls_timeouts_total",
	       "Requests for a part or playlist of a live stream that did not come in time.");
METRIC_COUNTER(m_refused, "mcu_hls_refused_total",
	       "Requests refused because too many waited for one live stream already.");

/* How long an answer may be kept, by a player, a proxy or a CDN. A playlist that was
 * waited for is right for the one who asks for the same later, too. */
static const char kept_for_ever[] = "public, max-age=31536000, immutable";
static const char kept_while_new[] = "public, max-age=6";
static const char kept_shortly[] = "public, max-age=1";

enum { WAIT_TARGETS = 3, WAITING_MAX = 2000 };

struct hls {
	struct hls_cfg cfg;
	struct hls_window *window;
	GPtrArray *waiting; /* struct waiter */
	char id[HLS_ID_CHARS + 1];
	char codecs[64];
	unsigned width, height;
	int64_t asked_ns;
	uint64_t requests;
};

/* What a request is for. */
struct waiter {
	struct http_req *req;
	int64_t until_ns;
	enum hls_file kind; /* HLS_NONE: the multivariant playlist */
	struct hls_ask ask;
	uint64_t number, part;
	char *key; /* NULL: none */
};

static void waiter_free(struct waiter *w)
{
	g_free(w->key);
	free(w);
}

static int64_t now_ns(const struct hls *h)
{
	return clock_now_ns(h->cfg.clock);
}

static int make_id(char out[HLS_ID_CHARS + 1])
{
	uint8_t raw[HLS_ID_CHARS / 2];

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		return -EIO;
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

int hls_new(struct hls **out, const struct hls_cfg *cfg)
{
	struct hls *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	h->cfg = *cfg;
	if (!h->cfg.waiting_max)
		h->cfg.waiting_max = WAITING_MAX;
	h->waiting = g_ptr_array_new();
	h->asked_ns = now_ns(h);
	err = make_id(h->id);
	if (!err)
		err = hls_window_new(&h->window, &cfg->window);
	if (err)
		hls_free(&h);
	else
		*out = h;
	return err;
}

const char *hls_id(const struct hls *h)
{
	return h->id;
}

int64_t hls_asked_ns(const struct hls *h)
{
	return h->asked_ns;
}

void hls_get_counts(const struct hls *h, struct hls_counts *out)
{
	*out = (struct hls_counts){ h->waiting->len, hls_window_bytes(h->window), h->requests };
}

/* --- answers ------------------------------------------------------------------------ */

void hls_allow_origins(struct http_req *req)
{
	http_set_header(req, "access-control-allow-origin", "*");
	http_set_header(req, "cross-origin-resource-policy", "cross-origin");
}

static void reply(struct http_req *req, const char *type, const char *cache, const void *p,
		  size_t len) ON_THREAD(ROLE_CTL);
static void reply(struct http_req *req, const char *type, const char *cache, const void *p,
		  size_t len)
{
	metric_add(&m_octets, (int64_t)len);
	hls_allow_origins(req);
	http_set_cache(req, cache);
	http_reply(req, 200, type, p, len);
}

ON_THREAD(ROLE_CTL) static void reply_error(struct http_req *req, int status, const char *code,
					    const char *text)
{
	hls_allow_origins(req);
	if (status == 503)
		http_set_header(req, "retry-after", "1");
	http_reply_error(req, status, code, "%s", text);
}

/* We write one rendition; a room's smaller sizes are for those with WebRTC. */
ON_THREAD(ROLE_CTL) static void reply_index(const struct hls *h, const struct waiter *w)
{
	GString *o = g_string_new("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n");

	g_string_append_printf(o, "#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,"
			       "CODECS=\"%s\",RESOLUTION=%ux%u,FRAME-RATE=%d.%03d\n%s/live.m3u8",
			       h->cfg.bandwidth_bps * 3 / 2, h->cfg.bandwidth_bps, h->codecs, h->width,
			       h->height, (int)h->cfg.fps, (int)(h->cfg.fps * 1000) % 1000, h->id);
	if (w->key)
		g_string_append_printf(o, "?key=%s", w->key);
	g_string_append_c(o, '\n');
	reply(w->req, "application/vnd.apple.mpegurl", kept_shortly, o->str, o->len);
	g_string_free(o, TRUE);
}

ON_THREAD(ROLE_CTL) static void reply_playlist(const struct hls *h, const struct waiter *w)
{
	GString *o = g_string_sized_new(4096);

	hls_window_playlist(h->window, &w->ask, o);
	reply(w->req, "application/vnd.apple.mpegurl",
	      w->ask.has_msn ? kept_while_new : kept_shortly, o->str, o->len);
	g_string_free(o, TRUE);
}

ON_THREAD(ROLE_CTL) static enum hls_ready try_file(struct hls *h, const struct waiter *w)
{
	GBytes *data;
	enum hls_ready r = hls_window_file(h->window, w->kind, w->number, w->part, &data);
	gsize len;
	const void *p;

	if (r == HLS_READY) {
		p = g_bytes_get_data(data, &len);
		reply(w->req, "video/mp4", kept_for_ever, p, len);
	}
	return r;
}

/* Answers it if that can be done now. */
ON_THREAD(ROLE_CTL) static bool try_now(struct hls *h, const struct waiter *w)
{
	bool file = w->kind != HLS_NONE && w->kind != HLS_PLAYLIST;
	enum hls_ready r = file ? try_file(h, w) : hls_window_ready(h->window, &w->ask);

	if (r == HLS_WAIT)
		return false;
	if (r == HLS_BAD)
		reply_error(w->req, 400, "not_acceptable", "The stream is not so far yet.");
	else if (r == HLS_GONE)
		reply_error(w->req, 404, "not_found", "This part of the stream is not here (any more).");
	else if (w->kind == HLS_NONE)
		reply_index(h, w);
	else if (w->kind == HLS_PLAYLIST)
		reply_playlist(h, w);
	return true;
}

/* --- waiting -------------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void answer_ready(struct hls *h)
{
	for (guint i = 0; i < h->waiting->len;) {
		struct waiter *w = g_ptr_array_index(h->waiting, i);

		if (!try_now(h, w)) {
			i++;
			continue;
		}
		g_ptr_array_remove_index_fast(h->waiting, i);
		waiter_free(w);
	}
}

/* Takes w. */
ON_THREAD(ROLE_CTL) static void begin(struct hls *h, struct waiter *w)
{
	h->asked_ns = now_ns(h);
	h->requests++;
	metric_add(&m_requests, 1);
	if (try_now(h, w)) {
		waiter_free(w);
	} else if (h->waiting->len >= h->cfg.waiting_max) {
		metric_add(&m_refused, 1);
		reply_error(w->req, 503, "busy", "Too many players wait for this stream. Try again.");
		waiter_free(w);
	} else {
		w->until_ns = h->asked_ns + WAIT_TARGETS * h->cfg.window.target_s * NS_PER_S;
		g_ptr_array_add(h->waiting, w);
	}
}

ON_THREAD(ROLE_CTL) static struct waiter *waiter_new(struct http_req *req)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (w)
		w->req = req;
	else
		reply_error(req, 503, "internal", "The server is out of memory.");
	return w;
}

void hls_serve_index(struct hls *h, struct http_req *req, const char *key)
{
	struct waiter *w = waiter_new(req);

	if (!w)
		return;
	w->key = g_strdup(key);
	begin(h, w);
}

void hls_serve(struct hls *h, struct http_req *req, const char *file)
{
	struct waiter *w = waiter_new(req);

	if (!w)
		return;
	w->kind = hls_file_parse(file, &w->number, &w->part);
	if (w->kind == HLS_NONE) {
		reply_error(req, 404, "not_found", "A stream has no file of this name.");
		waiter_free(w);
		return;
	}
	if (w->kind == HLS_PLAYLIST &&
	    hls_ask_parse(&w->ask, http_req_query(req, "_HLS_msn"), http_req_query(req, "_HLS_part"),
			  http_req_query(req, "_HLS_skip"))) {
		reply_error(req, 400, "bad_message", "_HLS_msn and _HLS_part are numbers, and a part "
			    "is one of a segment.");
		waiter_free(w);
		return;
	}
	begin(h, w);
}

void hls_tick(struct hls *h)
{
	int64_t now = now_ns(h);

	for (guint i = 0; i < h->waiting->len;) {
		struct waiter *w = g_ptr_array_index(h->waiting, i);

		if (!http_req_gone(w->req) && now < w->until_ns) {
			i++;
			continue;
		}
		metric_add(&m_late, 1);
		reply_error(w->req, 503, "busy", "The stream has not come so far in time. Try again.");
		g_ptr_array_remove_index_fast(h->waiting, i);
		waiter_free(w);
	}
}

/* --- what comes in ------------------------------------------------------------------------ */

void hls_set_picture(struct hls *h, const char *codecs, unsigned width, unsigned height,
		     const void *map, size_t len)
{
	snprintf(h->codecs, sizeof(h->codecs), "%s", codecs);
	h->width = width;
	h->height = height;
	hls_window_add_map(h->window, map, len);
}

void hls_add_part(struct hls *h, const struct hls_part *p)
{
	hls_window_add_part(h->window, p);
	answer_ready(h);
}

void hls_end(struct hls *h)
{
	hls_window_end(h->window);
	answer_ready(h);
}

void hls_free(struct hls **hp)
{
	struct hls *h = *hp;

	if (!h)
		return;
	for (guint i = 0; i < h->waiting->len; i++) {
		struct waiter *w = g_ptr_array_index(h->waiting, i);

		reply_error(w->req, 404, "not_found", "The stream has ended.");
		waiter_free(w);
	}
	g_ptr_array_unref(h->waiting);
	hls_window_free(&h->window);
	free(h);
	*hp = NULL;
}
