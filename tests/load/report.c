#include "tests/load/report.h"

#include <string.h>

enum { MAX_WRONG = 10 };

static double get(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void write_delay(FILE *to, const json_t *totals, const char *what, const char *key)
{
	const json_t *d = json_object_get(totals, key);

	if (d)
		fprintf(to, "%-15s%s: 50 %% within %.0f ms of the fastest packet, 95 %% %.0f, "
			    "99 %% %.0f, all %.0f\n",
			"delay", what, get(d, "p50"), get(d, "p95"), get(d, "p99"),
			get(d, "max"));
}

static void write_wrong(FILE *to, const json_t *failures)
{
	size_t n = json_array_size(failures), i;
	const json_t *line;

	if (!n)
		fprintf(to, "%-15snothing\n", "wrong");
	json_array_foreach(failures, i, line)
	{
		if (i == MAX_WRONG) {
			fprintf(to, "%-15sand %zu more\n", "", n - i);
			break;
		}
		fprintf(to, "%-15s%s\n", i ? "" : "wrong", json_string_value(line));
	}
}

void report_write(FILE *to, const json_t *summary)
{
	const json_t *t = json_object_get(summary, "totals");
	double packets = get(t, "packets");

	fprintf(to, "%-15s%.0f, of whom %.0f were connected and %.0f saw pictures\n",
		"participants", get(t, "participants"), get(t, "connected"), get(t, "watching"));
	fprintf(to, "%-15sconnected after %.0f ms (median; 95 %%: %.0f), first picture after %.0f "
		    "(%.0f)\n",
		"joining", get(t, "connected_ms_p50"), get(t, "connected_ms_p95"),
		get(t, "first_frame_ms_p50"), get(t, "first_frame_ms_p95"));
	fprintf(to, "%-15s%.0f packets, %.1f MB; lost %.0f (%.4f %%), twice %.0f, not authentic "
		    "%.0f\n",
		"received", packets, get(t, "bytes") / 1e6, get(t, "lost"),
		packets > 0 ? 100 * get(t, "lost") / packets : 0, get(t, "dup"),
		get(t, "auth_fail"));
	fprintf(to, "%-15s%.1f pictures a second (the slowest: %.1f), %.0f freezes over 200 ms, "
		    "longest gap %.0f ms\n",
		"picture", get(t, "fps_p50"), get(t, "fps_min"), get(t, "freezes"),
		get(t, "video_gap_ms_max"));
	fprintf(to, "%-15slongest gap %.0f ms\n", "sound", get(t, "audio_gap_ms_max"));
	write_delay(to, t, "picture", "video_delay_ms");
	write_delay(to, t, "sound", "audio_delay_ms");
	fprintf(to, "%-15s%.0f pictures of %.0f participants, %.0f errors\n", "decoded",
		get(t, "decoded"), get(t, "decoders"), get(t, "decode_errors"));
	write_wrong(to, json_object_get(summary, "failures"));
}
