#include "tests/load/summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/report.h"
#include "tests/load/util.h"

void summary_fail(struct summary *s, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	json_array_append_new(s->failures, json_string(text));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double summary_percentile(double *v, size_t n, double p)
{
	size_t at;

	if (!n)
		return -1;
	qsort(v, n, sizeof *v, by_value);
	/* The nearest rank. */
	at = (size_t)(p * (double)n + 0.999999);
	return v[at ? at - 1 : 0];
}

static void expect_received(struct summary *s, const struct peer *p)
{
	const struct receiver_stats *r = receiver_stats(peer_receiver(p));
	const char *name = peer_cfg(p)->name;
	uint64_t twice =
		r->audio.dup + r->video.dup + (p->link ? link_stats(p->link)->replayed : 0);
	bool repaired = peer_cfg(p)->nack || peer_cfg(p)->drop_rx_permille;

	if (peer_wants_pictures(p) && !r->frames)
		summary_fail(s, "%s: no picture came", name);
	if (!r->audio.packets && !peer_cfg(p)->idle)
		summary_fail(s, "%s: no sound came", name);
	if (twice && !repaired)
		summary_fail(s, "%s: %llu packets came twice", name, (unsigned long long)twice);
	if (r->malformed || r->unknown_pt)
		summary_fail(s, "%s: %llu malformed packets, %llu of no agreed type", name,
			     (unsigned long long)r->malformed, (unsigned long long)r->unknown_pt);
	if (r->decode_errors)
		summary_fail(s, "%s: %llu decoding errors", name,
			     (unsigned long long)r->decode_errors);
	if (p->rtcp.malformed)
		summary_fail(s, "%s: %llu malformed RTCP packets", name,
			     (unsigned long long)p->rtcp.malformed);
}

static void expect(struct summary *s, const struct peer *p)
{
	const char *name = peer_cfg(p)->name;

	if (peer_error(p)[0])
		summary_fail(s, "%s: %s", name, peer_error(p));
	else if (peer_connected_ms(p) < 0)
		summary_fail(s, "%s: not connected", name);
	else if (peer_cfg(p)->kind <= PEER_VIEWER)
		expect_received(s, p);
	if (peer_auth_fail(p))
		summary_fail(s, "%s: %llu packets were not authentic", name,
			     (unsigned long long)peer_auth_fail(p));
}

static void put_times(json_t *o, const char *name, struct peer **peer, size_t n,
		      double (*time_of)(const struct peer *))
{
	double *v = bot_alloc((n + 1) * sizeof *v);
	size_t k = 0;
	char key[64];

	for (size_t i = 0; i < n; i++)
		if (peer_cfg(peer[i])->kind <= PEER_VIEWER && time_of(peer[i]) >= 0)
			v[k++] = time_of(peer[i]);
	snprintf(key, sizeof key, "%s_p50", name);
	json_object_set_new(o, key, json_real(summary_percentile(v, k, 0.5)));
	snprintf(key, sizeof key, "%s_p95", name);
	json_object_set_new(o, key, json_real(summary_percentile(v, k, 0.95)));
	free(v);
}

struct merged {
	struct delay audio, video;
	json_int_t watching, decoders, decoded, decode_errors;
	double audio_gap_ms, video_gap_ms, *fps;
	size_t fps_n;
};

static void merge(struct merged *m, const struct receiver *r)
{
	const struct receiver_stats *s = receiver_stats(r);
	double video_ms = (double)s->marked_frame_gap_ns / 1e6,
	       audio_ms = (double)s->marked_audio_gap_ns / 1e6;

	delay_merge(&m->audio, &s->audio_delay);
	delay_merge(&m->video, &s->video_delay);
	m->watching += s->frames > 0;
	m->decode_errors += (json_int_t)s->decode_errors;
	if (video_ms > m->video_gap_ms)
		m->video_gap_ms = video_ms;
	if (audio_ms > m->audio_gap_ms)
		m->audio_gap_ms = audio_ms;
	if (s->frames > 1)
		m->fps[m->fps_n++] = (double)(s->frames - 1) * 1e9 /
				     (double)(s->last_frame_ns - s->first_frame_ns);
	if (receiver_picture(r) && picture_count(receiver_picture(r))) {
		m->decoders++;
		m->decoded += (json_int_t)picture_count(receiver_picture(r));
	}
}

static void put_delay(json_t *o, const char *key, const struct delay *d)
{
	if (d->count)
		json_object_set_new(o, key,
				    json_pack("{s:i, s:i, s:i, s:i}", "p50",
					      delay_percentile(d, 0.5), "p95",
					      delay_percentile(d, 0.95), "p99",
					      delay_percentile(d, 0.99), "max",
					      delay_percentile(d, 1)));
}

/* What all have seen since everybody was there. */
static void put_merged(json_t *o, struct peer **peer, size_t n)
{
	struct merged *m = bot_alloc(sizeof *m);

	m->fps = bot_alloc((n + 1) * sizeof *m->fps);
	for (size_t i = 0; i < n; i++)
		if (peer_receiver(peer[i]) && peer_cfg(peer[i])->kind <= PEER_VIEWER)
			merge(m, peer_receiver(peer[i]));
	json_object_set_new(o, "watching", json_integer(m->watching));
	json_object_set_new(o, "fps_min", json_real(summary_percentile(m->fps, m->fps_n, 0)));
	json_object_set_new(o, "fps_p50", json_real(summary_percentile(m->fps, m->fps_n, 0.5)));
	json_object_set_new(o, "video_gap_ms_max", json_real(m->video_gap_ms));
	json_object_set_new(o, "audio_gap_ms_max", json_real(m->audio_gap_ms));
	put_delay(o, "video_delay_ms", &m->video);
	put_delay(o, "audio_delay_ms", &m->audio);
	json_object_set_new(o, "decoders", json_integer(m->decoders));
	json_object_set_new(o, "decoded", json_integer(m->decoded));
	json_object_set_new(o, "decode_errors", json_integer(m->decode_errors));
	free(m->fps);
	free(m);
}

static json_t *totals(struct peer **peer, size_t n)
{
	json_t *o = json_object();
	json_int_t connected = 0, packets = 0, bytes = 0, lost = 0, dup = 0, auth = 0, frames = 0,
		   freezes = 0;

	for (size_t i = 0; i < n; i++) {
		const struct receiver_stats *r;

		connected += peer_connected_ms(peer[i]) >= 0;
		auth += (json_int_t)peer_auth_fail(peer[i]);
		if (!peer_receiver(peer[i]))
			continue;
		r = receiver_stats(peer_receiver(peer[i]));
		packets += (json_int_t)(r->audio.packets + r->video.packets);
		bytes += (json_int_t)(r->audio.octets + r->video.octets);
		lost += seqstat_lost(&r->audio) + seqstat_lost(&r->video);
		dup += (json_int_t)(r->audio.dup + r->video.dup);
		frames += (json_int_t)r->frames;
		freezes += (json_int_t)r->freezes;
	}
	json_object_set_new(o, "participants", json_integer((json_int_t)n));
	json_object_set_new(o, "connected", json_integer(connected));
	json_object_set_new(o, "packets", json_integer(packets));
	json_object_set_new(o, "bytes", json_integer(bytes));
	json_object_set_new(o, "lost", json_integer(lost));
	json_object_set_new(o, "dup", json_integer(dup));
	json_object_set_new(o, "auth_fail", json_integer(auth));
	json_object_set_new(o, "frames", json_integer(frames));
	json_object_set_new(o, "freezes", json_integer(freezes));
	put_times(o, "connected_ms", peer, n, peer_connected_ms);
	put_times(o, "first_frame_ms", peer, n, peer_first_frame_ms);
	put_merged(o, peer, n);
	return o;
}

static void write_ppm(struct summary *s, const char *path, struct peer **peer, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct picture *pic;

		if (!peer_receiver(peer[i]))
			continue;
		pic = receiver_picture(peer_receiver(peer[i]));
		if (!pic || !picture_count(pic))
			continue;
		if (picture_write_ppm(pic, path))
			summary_fail(s, "cannot write %s", path);
		return;
	}
	summary_fail(s, "no picture for %s: nobody decoded one", path);
}

void summary_begin(struct summary *s, const struct options *o, struct peer **peer, size_t n)
{
	const struct peer_view view = { o->tones, o->tones_n, o->points, o->points_n };

	s->json = json_object();
	s->failures = json_array();
	s->list = json_array();
	for (size_t i = 0; i < n; i++) {
		expect(s, peer[i]);
		json_array_append_new(s->list, peer_describe(peer[i], &view));
	}
	json_object_set_new(s->json, "totals", totals(peer, n));
	if (o->ppm)
		write_ppm(s, o->ppm, peer, n);
}

static json_t *describe_storm(const struct storm_result *r)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:s}", "joins", (json_int_t)r->joins,
			 "connected", (json_int_t)r->connected, "saw_pictures",
			 (json_int_t)r->saw_pictures, "auth_fail", (json_int_t)r->auth_fail,
			 "errors", (json_int_t)r->errors, "first_error", r->first_error);
}

static void expect_good_byes(struct summary *s, struct peer **peer, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *bye = peer[i]->bye;

		if (peer_cfg(peer[i])->kind <= PEER_VIEWER && !peer_error(peer[i])[0] &&
		    peer_connected_ms(peer[i]) >= 0 && strcmp(bye, "left"))
			summary_fail(s, "%s: left, but the server's bye said \"%s\"",
				     peer_cfg(peer[i])->name, bye);
	}
}

static void write_out(const struct summary *s, const struct options *o)
{
	FILE *to = o->json ? fopen(o->json, "w") : stdout;

	if (!to)
		bot_die("cannot write %s", o->json);
	if (o->json || !o->text) {
		json_dumpf(s->json, to, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		fputc('\n', to);
	}
	if (to != stdout)
		fclose(to);
	if (o->text)
		report_write(stdout, s->json);
}

int summary_end(struct summary *s, const struct options *o, struct peer **peer, size_t n,
		const struct storm_result *storm)
{
	int status;

	expect_good_byes(s, peer, n);
	if (o->storm_hz) {
		json_object_set_new(s->json, "storm", describe_storm(storm));
		if (storm->errors)
			summary_fail(s, "storm: %llu errors, the first: %s",
				     (unsigned long long)storm->errors, storm->first_error);
		if (!storm->connected)
			summary_fail(s, "storm: nobody was connected");
	}
	status = json_array_size(s->failures) ? 1 : 0;
	json_object_set_new(s->json, "seed", json_integer(o->seed));
	json_object_set_new(s->json, "seconds", json_integer(o->seconds));
	json_object_set_new(s->json, "participants", s->list);
	json_object_set_new(s->json, "failures", s->failures);
	json_object_set_new(s->json, "ok", json_boolean(!status));
	write_out(s, o);
	json_decref(s->json);
	return status;
}
