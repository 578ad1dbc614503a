#include "storage/webvtt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Where a chapter begins. */
struct mark {
	int64_t at_ms;
	const struct recording_event *first, *last; /* what happens at its beginning */
};

struct words {
	const char *language, *start, *joined, *left, *speaks, *shares, *shared;
};

/* A name is written where the %s is. */
static const struct words tongues[] = {
	{ "en", "Start", "%s joins", "%s leaves", "%s speaks", "%s shares", "%s stops sharing" },
	{ "ko", "시작", "%s 님 입장", "%s 님 퇴장", "%s 님 발언", "%s 님 공유", "%s 님 공유 종료" },
};

static void put_time(FILE *to, int64_t ms)
{
	fprintf(to, "%02" PRId64 ":%02d:%02d.%03d", ms / 3600000, (int)(ms / 60000 % 60),
		(int)(ms / 1000 % 60), (int)(ms % 1000));
}

static void put_cue_time(FILE *to, int64_t from_ms, int64_t to_ms)
{
	put_time(to, from_ms);
	fputs(" --> ", to);
	put_time(to, to_ms);
	fputc('\n', to);
}

int webvtt_text(FILE *to, const char *name)
{
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (c == '&')
			fputs("&amp;", to);
		else if (c == '<')
			fputs("&lt;", to);
		else if (c == '>')
			fputs("&gt;", to);
		else
			fputc(c < ' ' || c == 0x7f ? ' ' : c, to);
	}
	return ferror(to) ? -EIO : 0;
}

int webvtt_scrub(FILE *to, const struct finish_sheet *s)
{
	fputs("WEBVTT\n", to);
	for (int i = 0; i < s->n; i++) {
		fputc('\n', to);
		put_cue_time(to, i * s->step_ms, (i + 1) * s->step_ms);
		fprintf(to, "sheet.jpg#xywh=%d,%d,%d,%d\n", i % s->columns * s->width,
			i / s->columns * s->height, s->width, s->height);
	}
	return ferror(to) ? -EIO : 0;
}

/* --- chapters ------------------------------------------------------------------ */

static const char *pattern(const struct words *w, enum recording_event_kind k)
{
	switch (k) {
	case RECORDING_EVENT_JOINED: return w->joined;
	case RECORDING_EVENT_LEFT: return w->left;
	case RECORDING_EVENT_SPEAKS: return w->speaks;
	case RECORDING_EVENT_SHARES: return w->shares;
	case RECORDING_EVENT_SHARED: return w->shared;
	default: return NULL;
	}
}

/* Until when whoever speaks at events[i] does. */
static int64_t spoken_until(const struct recording_event *events, size_t n, size_t i,
			    int64_t duration_ms)
{
	for (size_t k = i + 1; k < n; k++)
		if (events[k].kind == RECORDING_EVENT_SPEAKS && events[k].leg != events[i].leg)
			return events[k].at_ms;
	return duration_ms;
}

/* speaker: of the last chapter about one; 0: none. */
static bool counts(const struct recording_event *events, size_t n, size_t i, int64_t duration_ms,
		   uint32_t *speaker)
{
	const struct recording_event *e = &events[i];

	if (e->at_ms >= duration_ms || !e->name[0])
		return false;
	switch (e->kind) {
	case RECORDING_EVENT_JOINED:
	case RECORDING_EVENT_LEFT:
		return e->at_ms > 0;
	case RECORDING_EVENT_SHARES:
	case RECORDING_EVENT_SHARED:
		*speaker = 0;
		return true;
	case RECORDING_EVENT_SPEAKS:
		if (e->leg == *speaker ||
		    spoken_until(events, n, i, duration_ms) - e->at_ms < WEBVTT_SPOKE_MS)
			return false;
		*speaker = e->leg;
		return true;
	default:
		return false;
	}
}

static size_t utf8_cut(const char *s, size_t max)
{
	size_t n = strlen(s);

	if (n <= max)
		return n;
	for (n = max; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

/* "Ada joins, Ben joins, …"; the events between the chapter's own do not count
 * twice: those that were left out have no word in it. */
static void put_title(FILE *to, const struct words *w, const struct mark *m, const bool *wanted,
		      const struct recording_event *events)
{
	size_t used = 0;
	bool any = false;

	for (const struct recording_event *e = m->first; e && e <= m->last; e++) {
		char one[DB_NAME_MAX + 64], name[DB_NAME_MAX + 1];
		const char *p = wanted[e - events] ? pattern(w, e->kind) : NULL, *at;

		if (!p)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)utf8_cut(e->name, 80), e->name);
		at = strstr(p, "%s");
		snprintf(one, sizeof(one), "%.*s%s%s", (int)(at - p), p, name, at + 2);
		if (any && used + strlen(one) > WEBVTT_TITLE_MAX) {
			fputs(", …", to);
			break;
		}
		if (any)
			fputs(", ", to);
		(void)webvtt_text(to, one);
		used += strlen(one);
		any = true;
	}
	if (!any)
		fputs(w->start, to);
	fputc('\n', to);
}

static size_t find_marks(struct mark *marks, bool *wanted, const struct recording_event *events,
			 size_t n, int64_t duration_ms)
{
	size_t k = 1;
	uint32_t speaker = 0;

	marks[0] = (struct mark){ 0 };
	for (size_t i = 0; i < n; i++) {
		struct mark *m = &marks[k - 1];

		wanted[i] = counts(events, n, i, duration_ms, &speaker);
		if (!wanted[i])
			continue;
		if (events[i].at_ms - m->at_ms >= WEBVTT_TOGETHER_MS) {
			if (k == WEBVTT_CHAPTERS_MAX)
				break;
			m = &marks[k++];
			*m = (struct mark){ .at_ms = events[i].at_ms };
		}
		if (!m->first)
			m->first = &events[i];
		m->last = &events[i];
	}
	return k;
}

int webvtt_chapters(FILE *to, const struct recording_event *events, size_t n, int64_t duration_ms,
		    const char *language)
{
	const struct words *w = &tongues[0];
	struct mark *marks = calloc(WEBVTT_CHAPTERS_MAX, sizeof(*marks));
	bool *wanted = calloc(n + 1, sizeof(*wanted));
	int err = marks && wanted ? 0 : -ENOMEM;
	size_t k;

	for (size_t i = 0; i < sizeof(tongues) / sizeof(*tongues); i++)
		if (!strcmp(tongues[i].language, language))
			w = &tongues[i];
	if (!err) {
		k = find_marks(marks, wanted, events, n, duration_ms);
		fputs("WEBVTT\n", to);
		for (size_t i = 0; i < k; i++) {
			fputc('\n', to);
			put_cue_time(to, marks[i].at_ms,
				     i + 1 < k ? marks[i + 1].at_ms : duration_ms);
			put_title(to, w, &marks[i], wanted, events);
		}
		err = ferror(to) ? -EIO : 0;
	}
	free(marks);
	free(wanted);
	return err;
}
