#include "mcu/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* What log_start … log_stop wrote; the caller frees it. */
struct capture {
	char *text;
	size_t len;
	FILE *f;
};

static void begin(struct capture *c, enum log_level level)
{
	*c = (struct capture){ 0 };
	c->f = open_memstream(&c->text, &c->len);
	assert_non_null(c->f);
	assert_int_equal(log_start(c->f, level), 0);
}

static void end(struct capture *c)
{
	log_stop();
	fclose(c->f);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void prints_time_level_and_what_it_is_about(void **state)
{
	struct log_ctx ctx = { .room = "maths", .leg = "l7", .ssrc = 0xbeef };
	struct capture c;
	int y, mo, d, h, mi, s, ms, at = 0;

	(void)state;
	begin(&c, LOG_INFO);
	log_warn(&ctx, "lost %d packets", 3);
	log_info(NULL, "hello");
	log_debug(NULL, "not to be seen");
	end(&c);
	assert_int_equal(sscanf(c.text, "%d-%d-%dT%d:%d:%d.%dZ %n", &y, &mo, &d, &h, &mi, &s, &ms, &at),
			 7);
	assert_true(at > 0);
	assert_memory_equal(c.text + at, "warn  room=maths leg=l7 ssrc=0000beef lost 3 packets\n", 53);
	assert_non_null(strstr(c.text, "Z info  hello\n"));
	assert_int_equal(count(c.text, "\n"), 2);
	free(c.text);
}

static void a_call_site_is_muted_and_tells_afterwards(void **state)
{
	struct capture c;
	struct clock clock;

	(void)state;
	clock_fake_init(&clock, 100 * NS_PER_S);
	log_set_clock(&clock);
	begin(&c, LOG_INFO);
	for (int second = 0; second < 2; second++) {
		for (int i = 0; i < (second ? 1 : 25); i++)
			log_info(NULL, "again and again");
		log_info(NULL, "another site");
		clock_fake_advance(&clock, NS_PER_S);
	}
	end(&c);
	log_set_clock(NULL);
	assert_int_equal(count(c.text, "again and again"), LOG_BURST + 1);
	assert_int_equal(count(c.text, "again and again [15 more of these were left out]\n"), 1);
	assert_int_equal(count(c.text, "another site\n"), 2);
	free(c.text);
}

static void a_line_from_outside_stays_one_cut_line(void **state)
{
	struct capture c;
	char big[2000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	begin(&c, LOG_INFO);
	log_info(NULL, "evil\n\033[2Jtext");
	log_info(NULL, "%s", big);
	end(&c);
	assert_non_null(strstr(c.text, "evil ?[2Jtext\n"));
	assert_int_equal(count(c.text, "\n"), 2);
	assert_int_equal(c.text[c.len - 1], '\n');
	assert_true(count(c.text, "x") > 300 && count(c.text, "x") < 500);
	free(c.text);
}

static void levels_have_names(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("error"), LOG_ERROR);
	assert_int_equal(log_level_parse("trace"), LOG_TRACE);
	assert_int_equal(log_level_parse("loud"), -EINVAL);
	log_set_level(LOG_DEBUG);
	assert_int_equal(log_get_level(), LOG_DEBUG);
}

/* A writer that is stuck: the terminal or the disk. */
static void callers_never_wait_for_a_stuck_writer(void **state)
{
	int fd[2];
	FILE *w;
	char chunk[4096];
	size_t lines = 0, said = 0;
	ssize_t n;
	FILE *r;
	static char text[600];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	w = fdopen(fd[1], "w");
	assert_non_null(w);
	assert_int_equal(log_start(w, LOG_INFO), 0);
	memset(chunk, 'y', 400);
	chunk[400] = '\0';
	/* a pipe holds 64 KiB, the ring 2,048 lines of these */
	for (int i = 0; i < 4000; i++) {
		struct log_site fresh = { 0 };

		log_line(LOG_INFO, &fresh, NULL, "%s", chunk);
	}
	/* everything above has returned: now let the writer go */
	r = fdopen(fd[0], "r");
	assert_non_null(r);
	pid_t drainer = fork();
	assert_true(drainer >= 0);
	if (drainer == 0) {
		close(fd[1]);
		while (fgets(text, sizeof(text), r)) {
			unsigned long more = 0;

			lines++;
			if (sscanf(text, "log: %lu lines were dropped", &more) == 1) {
				said += more;
				lines--;
			}
		}
		_exit(lines + said == 4000 && said > 0 ? 0 : 1);
	}
	fclose(r);
	log_stop();
	fclose(w);
	int status;
	n = waitpid(drainer, &status, 0);
	assert_int_equal(n, drainer);
	assert_int_equal(status, 0);
}

enum { THREADS = 4, LINES = 200 };

static void *chatter(void *arg)
{
	for (int i = 0; i < LINES; i++) {
		struct log_site fresh = { 0 };

		log_line(LOG_INFO, &fresh, NULL, "thread %d line %d.", *(int *)arg, i);
	}
	return NULL;
}

static void every_line_of_every_thread_comes_whole(void **state)
{
	struct capture c;
	pthread_t t[THREADS];
	int id[THREADS];

	(void)state;
	begin(&c, LOG_INFO);
	for (int i = 0; i < THREADS; i++) {
		id[i] = i;
		assert_int_equal(pthread_create(&t[i], NULL, chatter, &id[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	end(&c);
	assert_int_equal(count(c.text, "\n"), THREADS * LINES);
	for (int i = 0; i < THREADS; i++) {
		const char *at = c.text;

		for (int k = 0; k < LINES; k++) {
			char want[40];

			snprintf(want, sizeof(want), "thread %d line %d.\n", i, k);
			at = strstr(at, want);
			assert_non_null(at); /* in the thread's order */
		}
	}
	free(c.text);
}

static void starting_and_stopping_under_fire_loses_nothing(void **state)
{
	struct capture c;
	pthread_t t;
	int id = 5;

	(void)state;
	for (int i = 0; i < 20; i++) {
		begin(&c, LOG_INFO);
		assert_int_equal(pthread_create(&t, NULL, chatter, &id), 0);
		pthread_join(t, NULL);
		end(&c);
		assert_int_equal(count(c.text, "thread 5 line"), LINES);
		free(c.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_time_level_and_what_it_is_about),
		cmocka_unit_test(a_call_site_is_muted_and_tells_afterwards),
		cmocka_unit_test(a_line_from_outside_stays_one_cut_line),
		cmocka_unit_test(levels_have_names),
		cmocka_unit_test(callers_never_wait_for_a_stuck_writer),
		cmocka_unit_test(every_line_of_every_thread_comes_whole),
		cmocka_unit_test(starting_and_stopping_under_fire_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
