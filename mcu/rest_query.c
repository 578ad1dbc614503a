/* Queries of REST requests, read strictly, and pages of a list. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"

#define ID_MAX ((INT64_C(1) << 53) - 1) /* exact in JSON */
#define TIME_MAX INT64_C(253402300799999) /* the end of the year 9999 */

int64_t rest_number(const char *text, int64_t max)
{
	size_t n = strlen(text);
	int64_t v;

	if (!n || n > 18 || strspn(text, "0123456789") != n)
		return -1;
	v = g_ascii_strtoll(text, NULL, 10);
	return v >= 1 && v <= max ? v : -1;
}

/* -1: neither a number nor a day. */
static int64_t read_time(const char *text)
{
	int year, month, day, end = 0;
	GDateTime *t;
	int64_t ms;

	if (strlen(text) == 10 && sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) == 3 &&
	    end == 10) {
		t = g_date_time_new_utc(year, month, day, 0, 0, 0);
		ms = t ? g_date_time_to_unix(t) * 1000 : -1;
		if (t)
			g_date_time_unref(t);
		return ms;
	}
	return !strcmp(text, "0") ? 0 : rest_number(text, TIME_MAX);
}

bool rest_query_time(struct wait *w, const char *name, int64_t *ms)
{
	const char *text = http_req_query(w->req, name);
	int64_t v = text ? read_time(text) : *ms;

	if (v < 0) {
		wait_refuse(w, 400, "bad_query", "\"%s\" must be a number of milliseconds since 1970, or "
			    "a day like 2026-11-21.", name);
		return false;
	}
	*ms = v;
	return true;
}

bool rest_query_page(struct wait *w, const char *cursor, int64_t *id, size_t *max, size_t most)
{
	const char *text = http_req_query(w->req, cursor), *limit = http_req_query(w->req, "limit");
	int64_t v = text ? rest_number(text, ID_MAX) : 0;
	int64_t n = limit ? rest_number(limit, (int64_t)most) : (int64_t)*max;

	if (v < 0)
		wait_refuse(w, 400, "bad_query", "\"%s\" must be what \"next\" of the page before said.",
			    cursor);
	else if (n < 0)
		wait_refuse(w, 400, "bad_query", "\"limit\" must be a number from 1 to %zu.", most);
	if (v < 0 || n < 0)
		return false;
	*id = v;
	*max = (size_t)n;
	return true;
}

bool rest_query_names(struct wait *w)
{
	const char *text = http_req_query(w->req, "after"), *limit = http_req_query(w->req, "limit");
	int64_t n = limit ? rest_number(limit, REST_PAGE_MAX) : REST_PAGE_MAX;

	if (text && strlen(text) > DB_NAME_MAX) {
		wait_refuse(w, 400, "bad_query", "\"after\" must be what \"next\" of the page before said.");
		return false;
	}
	if (n < 0) {
		wait_refuse(w, 400, "bad_query", "\"limit\" must be a number from 1 to %d.", REST_PAGE_MAX);
		return false;
	}
	snprintf(w->text, sizeof w->text, "%s", text ? text : "");
	w->calls.max = (size_t)n;
	return true;
}

bool rest_path_id(struct wait *w, const char *name, int64_t *id)
{
	int64_t v = rest_number(http_req_param(w->req, name), ID_MAX);

	if (v < 0) {
		wait_refuse(w, 404, "not_found", "There is nothing of this number.");
		return false;
	}
	*id = v;
	return true;
}

void wait_reply_names(struct wait *w, int err, const char *name, json_t *rows, const char *next)
{
	wait_reply_json(w, err, 200, json_pack("{s:o, s:s?}", name, rows, "next",
					       next && *next ? next : NULL));
}

void wait_reply_page(struct wait *w, int err, const char *name, json_t *rows, int64_t next)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, next);
	wait_reply_names(w, err, name, rows, next ? text : NULL);
}

/* Whether it was on a page before. */
static bool was_told(const struct wait *w, const char *key, bool down)
{
	int64_t id;

	if (w->text[0])
		return strcmp(key, w->text) <= 0;
	id = g_ascii_strtoll(key, NULL, 10);
	return w->calls.before && (down ? id >= w->calls.before : id <= w->calls.before);
}

void wait_reply_part(struct wait *w, int err, const char *name, json_t *rows, const char *member,
		     bool down)
{
	json_t *part = json_array(), *row;
	char next[DB_NAME_MAX + 1] = "";
	const char *last = "";
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *key = json_string_value(json_object_get(row, member));

		if (was_told(w, key, down))
			continue;
		if (json_array_size(part) == w->calls.max) {
			snprintf(next, sizeof next, "%s", last);
			break;
		}
		json_array_append(part, row);
		last = key;
	}
	json_decref(rows);
	wait_reply_names(w, err, name, part, next);
}
