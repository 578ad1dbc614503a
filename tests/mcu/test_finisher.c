/* The queue of recordings that are to be finished. This program is its own child. */
#include "tests/storage/movie.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "mcu/base/mbox.h"
#include "mcu/base/role.h"
#include "mcu/finisher.h"
#include "storage/db.h"
#include "storage/recording_events.h"
#include "storage/recordings.h"
#include "storage/repository.h"

enum { FRAMES = 6 * MOVIE_FPS, LIMIT_S = 60, IOPRIO_WHO_PROCESS = 1, IDLE_CLASS = 3,
	LINGER_S = 4 };

#define LINGERS "MCU_TEST_FINISHER_LINGERS"

#define STARTED_MS 1711974896000LL /* 2024-04-01 12:34:56 UTC */

static char dir[] = "/tmp/mcu-finisher-XXXXXX";
static struct movie_gop gop;
static struct mbox *box;
static struct db *db;
static struct finisher *finisher;
static struct recording_row row;
static int replies;

static const char *full(const char *path)
{
	static char name[512];

	snprintf(name, sizeof(name), "%s/%s", dir, path);
	return name;
}

static void turn(void)
{
	g_main_context_iteration(NULL, FALSE);
	mbox_run(box);
	g_usleep(1000);
}

#define RUN_UNTIL(cond)                                                      \
	do {                                                                 \
		gint64 until_us = g_get_monotonic_time() + LIMIT_S * G_USEC_PER_SEC; \
		while (!(cond)) {                                            \
			assert_true(g_get_monotonic_time() < until_us);      \
			turn();                                              \
		}                                                            \
	} while (0)

static void on_row(void *obj, int err, const struct recording_row *r)
{
	(void)obj;
	assert_int_equal(err, 0);
	row = *r;
	replies++;
}

static const struct recording_row *look_up(int64_t id)
{
	int before = replies;

	assert_int_equal(recordings_get(db, id, NULL, on_row, NULL), 0);
	RUN_UNTIL(replies > before);
	return &row;
}

/* A recording that has just ended, with its file unless frames is 0. */
static void queue(int64_t id, int frames, int tries)
{
	struct recording_row r = { .id = id, .state = RECORDING_READY, .started_ms = STARTED_MS,
				   .ended_ms = STARTED_MS + 6000, .duration_ms = 6000,
				   .bytes = 1, .finish = RECORDING_FINISH_QUEUED };
	struct recording_event e = { 5500, RECORDING_EVENT_SHARES, 1, "Ada" };

	assert_int_equal(repository_path(r.path, "class", STARTED_MS, id), 0);
	assert_int_equal(recording_token(r.token), 0);
	assert_int_equal(recordings_create(db, &r, NULL, NULL), 0);
	assert_int_equal(recording_events_add(db, id, &e), 0);
	for (int i = 0; i < tries; i++)
		assert_int_equal(recordings_update(db, id,
						   &(struct recording_change){ .tried = true },
						   NULL, NULL), 0);
	if (frames)
		movie_write(&gop, dir, r.path, frames, 0, true);
}

static void start(void)
{
	const struct finisher_cfg cfg = { .db = db, .data_dir = dir, .language = "en" };

	assert_int_equal(finisher_new(&finisher, &cfg), 0);
	finisher_look(finisher);
}

/* The replies that it waits for come before the one that is asked for here. */
static void stop(void)
{
	finisher_stop(finisher);
	finisher_look(finisher);
	look_up(1);
	finisher_free(&finisher);
}

static void assert_done(int64_t id)
{
	struct stat st;

	look_up(id);
	assert_int_equal(row.finish, RECORDING_FINISH_DONE);
	assert_int_equal(row.state, RECORDING_READY);
	assert_int_equal(strlen(row.sha256), RECORDING_SHA256_LEN);
	assert_int_equal(row.parts, RECORDING_THUMBNAIL | RECORDING_SHEET | RECORDING_SCRUB |
			 RECORDING_CHAPTERS);
	assert_int_equal(stat(full(row.path), &st), 0);
	assert_int_equal(row.bytes, st.st_size);
}

/* policy, nice value, class of I/O of the last one, as it wrote them down itself; and whether
 * it could still read the database and have a socket */
static void assert_idle(void)
{
	int policy = -1, nice_value = -1, io = -1, reads = -1, connects = -1;
	FILE *f = fopen(full("recordings/policy"), "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d %d %d %d %d", &policy, &nice_value, &io, &reads, &connects), 5);
	fclose(f);
	assert_int_equal(policy, SCHED_IDLE);
	assert_int_equal(nice_value, 19);
	assert_int_equal(io, IDLE_CLASS);
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0)
		assert_int_equal(reads, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_int_equal(connects, 0);
#endif
}

static void what_waits_is_finished(void **state)
{
	char text[512] = "", part[RECORDING_PATH_MAX + 1];
	FILE *f;

	(void)state;
	queue(1, FRAMES, 0);
	queue(2, FRAMES, 0);
	start();
	RUN_UNTIL(finisher_is_idle(finisher));
	assert_done(1);
	assert_done(2);
	assert_idle();
	assert_int_equal(repository_part_path(part, row.path, RECORDING_CHAPTERS), 0);
	f = fopen(full(part), "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_string_equal(text, "WEBVTT\n\n00:00:00.000 --> 00:00:05.500\nStart\n\n"
				  "00:00:05.500 --> 00:00:06.000\nAda shares\n");
	/* And whatever comes later. */
	queue(3, FRAMES, 0);
	finisher_look(finisher);
	finisher_look(finisher);
	RUN_UNTIL(finisher_is_idle(finisher));
	assert_done(3);
}

static void a_file_that_is_gone_is_not_tried_again(void **state)
{
	(void)state;
	queue(1, 0, 0);
	start();
	RUN_UNTIL(look_up(1)->finish == RECORDING_FINISH_FAILED);
	assert_int_equal(row.state, RECORDING_READY);
	assert_int_equal(row.finish_tries, 1);
}

/* Something in the way. */
static void it_is_tried_three_times(void **state)
{
	char name[600];

	(void)state;
	queue(1, FRAMES, 1);
	snprintf(name, sizeof(name), "%s.new", full(look_up(1)->path));
	assert_int_equal(mkdir(name, 0700), 0);
	start();
	RUN_UNTIL(look_up(1)->finish_tries == 2);
	assert_int_equal(row.finish, RECORDING_FINISH_QUEUED);
	assert_false(finisher_is_idle(finisher)); /* it waits */
	stop();
	start();
	RUN_UNTIL(look_up(1)->finish_tries == 3);
	assert_int_equal(row.finish, RECORDING_FINISH_FAILED);
}

static void who_stops_loses_nothing(void **state)
{
	(void)state;
	queue(1, 100 * MOVIE_FPS, 0);
	start();
	for (int i = 0; i < 20; i++)
		turn();
	stop();
	/* at most what it had already done is done */
	assert_int_equal(row.finish_tries, 0);
	start();
	RUN_UNTIL(look_up(1)->finish == RECORDING_FINISH_DONE);
	assert_done(1);
}

/* One that has said its last word and does not end, as on a disk that hangs: the loop goes
 * on, and nothing else is finished meanwhile. */
static void one_that_ends_late(void **state)
{
	gint64 longest_us = 0, from_us;

	(void)state;
	setenv(LINGERS, "1", 1);
	queue(1, FRAMES, 0);
	start();
	for (int i = 0; i < LIMIT_S * 1000 && !finisher_is_idle(finisher); i++) {
		from_us = g_get_monotonic_time();
		turn();
		from_us = g_get_monotonic_time() - from_us;
		longest_us = from_us > longest_us ? from_us : longest_us;
	}
	unsetenv(LINGERS);
	assert_true(longest_us < LINGER_S * G_USEC_PER_SEC / 2);
	assert_done(1);
}

static int set_up(void **state)
{
	struct errmsg why = { 0 };

	(void)state;
	make_tree(strcpy(dir, "/tmp/mcu-finisher-XXXXXX"));
	assert_int_equal(mbox_new(&box, 64), 0);
	assert_int_equal(db_open(&db, full("mcu.db"), box, &why), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (finisher)
		finisher_stop(finisher);
	db_close(&db);
	finisher_free(&finisher);
	mbox_free(&box);
	remove_tree(dir);
	return 0;
}

/* The child: does what the server's would, and writes down what it got to be. */
static int child(int argc, char **argv)
{
	int status = finish_process(argc, argv), reads, connects;
	FILE *f;

	snprintf(dir, sizeof(dir), "%s", argv[2]);
	reads = open(full("mcu.db"), O_RDONLY | O_CLOEXEC);
	connects = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	f = fopen(full("recordings/policy"), "w");
	if (f) { /* there are recordings */
		fprintf(f, "%d %d %d %d %d\n", sched_getscheduler(0), getpriority(PRIO_PROCESS, 0),
			(int)syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) >> 13, reads >= 0,
			connects >= 0);
		fclose(f);
	}
	if (getenv(LINGERS)) {
		fclose(stdout);
		g_usleep(LINGER_S * G_USEC_PER_SEC);
	}
	return status;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(what_waits_is_finished),
		T(a_file_that_is_gone_is_not_tried_again),
		T(it_is_tried_three_times),
		T(who_stops_loses_nothing),
		T(one_that_ends_late),
#undef T
	};
	int status;

	if (argc > 1 && !strcmp(argv[1], "--finish"))
		return child(argc, argv);
	role_enter(ROLE_ID_NONE);
	movie_gop_make(&gop);
	status = cmocka_run_group_tests(tests, NULL, NULL);
	movie_gop_free(&gop);
	return status;
}
