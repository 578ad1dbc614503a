#include "tests/storage/db_rig.h"

#include "storage/recording_events.h"
#include "storage/webvtt.h"

#define J RECORDING_EVENT_JOINED
#define L RECORDING_EVENT_LEFT
#define SP RECORDING_EVENT_SPEAKS
#define SH RECORDING_EVENT_SHARES
#define SD RECORDING_EVENT_SHARED

/* In a buffer that the next call uses again. */
static char *chapters(const struct recording_event *e, size_t n, int64_t duration_ms,
		      const char *language)
{
	static char text[1 << 18];
	FILE *to = fmemopen(text, sizeof(text), "w");

	assert_int_equal(webvtt_chapters(to, e, n, duration_ms, language), 0);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void assert_chapters(const struct recording_event *e, size_t n, int64_t duration_ms,
			    const char *want)
{
	char *text = chapters(e, n, duration_ms, "en");

	assert_string_equal(text, want);
}

static void chapters_tell_a_class(void **state)
{
	static const struct recording_event e[] = {
		{ 0, J, 1, "Ada" },	  { 0, J, 2, "Ben" },      { 0, SP, 1, "Ada" },
		{ 3000, J, 3, "Cho" },    /* within 5 s of the start */
		{ 60000, SP, 2, "Ben" },  /* for 4 s only */
		{ 64000, SP, 1, "Ada" },  /* who had the floor */
		{ 90000, SH, 1, "Ada" },  { 120000, SD, 1, "Ada" },
		{ 121000, SP, 2, "Ben" }, { 3600000, L, 2, "Ben" },
		{ 3700000, L, 1, "Ada" }, /* behind the end */
	};

	(void)state;
	assert_chapters(e, sizeof(e) / sizeof(*e), 3661500,
			"WEBVTT\n\n00:00:00.000 --> 00:01:30.000\nAda speaks, Cho joins\n\n"
			"00:01:30.000 --> 00:02:00.000\nAda shares\n\n"
			"00:02:00.000 --> 01:00:00.000\nAda stops sharing, Ben speaks\n\n"
			"01:00:00.000 --> 01:01:01.500\nBen leaves\n");
}

static void names_cannot_leave_their_place(void **state)
{
	static const struct recording_event e[] = {
		{ 10000, SP, 1, "<b>&\n\n00:00 --> 00:01\r" },
	};

	(void)state;
	assert_chapters(e, 1, 30000,
			"WEBVTT\n\n00:00:00.000 --> 00:00:10.000\nStart\n\n"
			"00:00:10.000 --> 00:00:30.000\n"
			"&lt;b&gt;&amp;  00:00 --&gt; 00:01  speaks\n");
	assert_chapters(NULL, 0, 1000, "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nStart\n");
}

static void they_speak_korean(void **state)
{
	static const struct recording_event e[] = { { 7000, SH, 1, "민지" } };
	char *text = chapters(e, 1, 9000, "ko");

	(void)state;
	assert_string_equal(text, "WEBVTT\n\n00:00:00.000 --> 00:00:07.000\n시작\n\n"
				  "00:00:07.000 --> 00:00:09.000\n민지 님 공유\n");
}

/* A title does not grow for ever, nor does their number; a name is cut between
 * characters. */
static void there_is_an_end_to_it(void **state)
{
	struct recording_event *e = calloc(5000, sizeof(*e));
	size_t longest = 0, cues = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		e[i] = (struct recording_event){ .at_ms = 1 + i * 2500, .kind = J,
						 .leg = (uint32_t)i + 1 };
		for (int k = 0; k < 85; k++)
			strcat(e[i].name, "민");
	}
	char *text = chapters(e, 5000, 5000 * 2500, "en");

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		longest = strlen(line) > longest ? strlen(line) : longest;
		cues += strstr(line, "-->") != NULL;
	}
	assert_int_equal(cues, WEBVTT_CHAPTERS_MAX);
	assert_true(longest < WEBVTT_TITLE_MAX + 100);
	e[0].at_ms = 20000;
	text = chapters(e, 1, 30000, "en");
	char *title = strstr(text, "\n민") + 1;

	assert_int_equal(strcspn(title, " "), 78); /* whole characters of three octets */
	free(e);
}

struct list {
	int replies;
	size_t n;
	struct recording_event rows[8];
};

static void on_events(void *obj, int err, const struct recording_event *rows, size_t n)
{
	struct list *l = obj;

	assert_int_equal(err, 0);
	assert_true(n <= 8);
	l->replies++;
	l->n = n;
	memcpy(l->rows, rows, n * sizeof(*rows));
}

static void events_are_kept(void **state)
{
	struct rig g;
	struct list l = { 0 };
	struct recording_event e = { 500, SP, 7, "Ada" };
	struct recording_row r = { .id = 5, .state = RECORDING_RECORDING, .started_ms = 1,
				   .path = "recordings/2024/04/a-20240401T123456Z-5.mp4" };

	(void)state;
	rig_open(&g, "events.db");
	assert_int_equal(recording_token(r.token), 0);
	assert_int_equal(recordings_create(g.db, &r, NULL, NULL), 0);
	assert_int_equal(recording_events_add(g.db, 5, &e), 0);
	e = (struct recording_event){ 0, J, 7, "Ada" };
	assert_int_equal(recording_events_add(g.db, 5, &e), 0);
	/* of a recording that there is not: nothing, and no failure */
	assert_int_equal(recording_events_add(g.db, 6, &e), 0);
	e.kind = RECORDING_EVENT_NONE;
	assert_int_equal(recording_events_add(g.db, 5, &e), -EINVAL);
	assert_int_equal(recording_events_list(g.db, 5, on_events, &l), 0);
	while (!l.replies) {
		struct pollfd p = { .fd = mbox_fd(g.mbox), .events = POLLIN };

		assert_int_equal(poll(&p, 1, 10000), 1);
		mbox_run(g.mbox);
	}
	assert_int_equal(l.n, 2);
	assert_int_equal(l.rows[0].kind, J);
	assert_int_equal(l.rows[1].kind, SP);
	assert_int_equal(l.rows[1].at_ms, 500);
	assert_int_equal(l.rows[1].leg, 7);
	assert_string_equal(l.rows[1].name, "Ada");
	assert_int_equal(ask(&g, "SELECT count(*) FROM recording_events"), 2);
	assert_int_equal(ask(&g, "SELECT count(*) FROM recordings"), 1);
	rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chapters_tell_a_class),
		cmocka_unit_test(names_cannot_leave_their_place),
		cmocka_unit_test(they_speak_korean),
		cmocka_unit_test(there_is_an_end_to_it),
		cmocka_unit_test(events_are_kept),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
