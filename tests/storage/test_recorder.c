#include "tests/storage/media.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mcu/base/clock.h"
#include "mcu/base/role.h"
#include "storage/mp4_scan.h"
#include "storage/mux.h"
#include "storage/recorder.h"

enum { W = 320, H = 180, FPS = 30, GOP = 2 * FPS, WAIT_MS = 20000 };

static char dir[] = "/tmp/mcu-rec-XXXXXX";
static const uint8_t asc[] = { 0x11, 0x88 };
static struct au video[GOP], silence;

static struct buf as_buf(const struct au *u)
{
	struct buf b = { .data = u->p, .len = u->len };

	return b;
}

struct outcome {
	int finished, failed;
	struct recorder_result r;
	struct errmsg why;
};

static void on_finished(void *obj, const struct recorder_result *r)
{
	struct outcome *o = obj;

	o->finished++;
	o->r = *r;
}

static void on_failed(void *obj, const struct errmsg *why, const struct recorder_result *r)
{
	struct outcome *o = obj;

	o->failed++;
	o->why = *why;
	o->r = *r;
}

struct rig {
	struct volume *v;
	struct mbox *mbox;
	struct outcome o;
	int64_t a; /* audio frames fed */
};

static void rig_open(struct rig *g)
{
	struct errmsg why = { 0 };

	*g = (struct rig){ 0 };
	assert_int_equal(mbox_new(&g->mbox, 4), 0);
	assert_int_equal(volume_new(&g->v, dir, &why), 0);
}

static void rig_close(struct rig *g)
{
	volume_free(&g->v);
	mbox_free(&g->mbox);
}

static struct recorder *start(struct rig *g, const char *path, size_t ring)
{
	struct recorder_cfg c = { .path = path, .fps = FPS,
				  .aac_config = asc, .aac_config_len = sizeof(asc),
				  .sample_rate = 48000, .channels = 1,
				  .video_ring_bytes = ring };
	struct recorder_events ev = { g->mbox, &g->o, on_finished, on_failed };
	struct recorder *r = NULL;

	assert_int_equal(recorder_start(&r, g->v, &c, &ev), 0);
	return r;
}

static void wait_for_event(struct rig *g)
{
	struct pollfd p = { .fd = mbox_fd(g->mbox), .events = POLLIN };

	while (!g->o.finished && !g->o.failed) {
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		mbox_run(g->mbox);
	}
}

static void feed(struct rig *g, struct recorder *r, int from, int to)
{
	for (int i = from; i < to; i++) {
		struct buf b = as_buf(&video[i % GOP]), s = as_buf(&silence);

		recorder_video(r, &b, clock_scale(i, NS_PER_S, FPS), video[i % GOP].key);
		for (; g->a * 1024 * FPS < (int64_t)(i + 1) * 48000; g->a++)
			recorder_audio(r, &s, clock_scale(g->a * 1024, NS_PER_S, 48000));
	}
}

static const char *full_path(const char *path)
{
	static char s[256];

	snprintf(s, sizeof(s), "%s/%s", dir, path);
	return s;
}

static void assert_plays(const char *path, double at_least_s)
{
	struct played p;

	assert_int_equal(play(path, true, &p), 0);
	assert_string_equal(p.complaint, "");
	assert_int_equal(p.complaints, 0);
	assert_int_equal(p.video_frames, p.video_packets);
	assert_true(p.video_frames > 0);
	if (p.duration_s < at_least_s)
		fail_msg("%s: %f s, promised %f", path, p.duration_s, at_least_s);
}

static void records_and_finishes(void **state)
{
	(void)state;
	struct rig g;
	struct played p;
	struct recorder_result now;

	rig_open(&g);
	struct recorder *r = start(&g, "recordings/2024/01/a.mp4", 0);

	assert_true(recorder_wants_key(r));
	feed(&g, r, 0, 3 * FPS);
	assert_false(recorder_wants_key(r));
	recorder_progress(r, &now);
	assert_true(now.duration_ms <= 3000);
	recorder_stop(&r);
	assert_null(r);
	wait_for_event(&g);
	assert_int_equal(g.o.finished, 1);
	assert_int_equal(g.o.failed, 0);
	assert_int_equal(g.o.r.dropped_video + g.o.r.dropped_audio, 0);
	/* the sound's last frame begins before 3 s and ends after it */
	assert_true(g.o.r.duration_ms >= 3000 && g.o.r.duration_ms < 3022);
	assert_int_equal(play(full_path("recordings/2024/01/a.mp4"), true, &p), 0);
	assert_int_equal(p.complaints, 0);
	assert_int_equal(p.video_frames, 3 * FPS);
	assert_true(fabs(p.duration_s - (double)g.o.r.duration_ms / 1000) < 0.002);

	struct stat st;

	assert_int_equal(stat(full_path("recordings/2024/01/a.mp4"), &st), 0);
	assert_int_equal(st.st_size, g.o.r.bytes);
	rig_close(&g);
}

static void nothing_recorded_is_said(void **state)
{
	(void)state;
	struct rig g;
	struct buf s = as_buf(&silence), delta = as_buf(&video[1]);

	rig_open(&g);
	struct recorder *r = start(&g, "empty.mp4", 0);

	recorder_audio(r, &s, 0);
	recorder_video(r, &delta, 0, false);
	assert_true(recorder_wants_key(r));
	recorder_stop(&r);
	wait_for_event(&g);
	assert_int_equal(g.o.failed, 1);
	assert_string_equal(g.o.why.code, "recording_empty");
	assert_int_equal(g.o.r.dropped_video, 0);
	assert_int_equal(access(full_path("empty.mp4"), F_OK), -1);
	rig_close(&g);
}

static void unusable_path_fails_once(void **state)
{
	(void)state;
	struct rig g;
	struct recorder *bad = NULL;
	struct recorder_cfg c = { .path = "../escape.mp4", .fps = FPS };
	struct recorder_events ev = { 0 };

	rig_open(&g);
	assert_int_equal(recorder_start(&bad, g.v, &c, &ev), -EINVAL);
	c.path = "/etc/x.mp4";
	assert_int_equal(recorder_start(&bad, g.v, &c, &ev), -EINVAL);
	assert_int_equal(close(creat(full_path("blocked"), 0600)), 0);

	struct recorder *r = start(&g, "blocked/x.mp4", 0);

	wait_for_event(&g);
	assert_int_equal(g.o.failed, 1);
	assert_string_equal(g.o.why.code, "recording_io");
	feed(&g, r, 0, 10);
	assert_false(recorder_wants_key(r));
	recorder_stop(&r);
	rig_close(&g);
	assert_int_equal(g.o.failed + g.o.finished, 1);
}

static void hold(void *obj, void *arg)
{
	(void)arg;
	while (sem_wait(obj))
		;
}

/* A disk that hangs: what was taken is kept, the rest is not waited for. */
static void a_hanging_disk_ends_the_recording(void **state)
{
	(void)state;
	struct rig g;
	struct played p;
	sem_t hangs;
	int taken = 0;

	assert_int_equal(sem_init(&hangs, 0, 0), 0);
	rig_open(&g);
	struct recorder *r = start(&g, "hang.mp4", 64 << 10);

	feed(&g, r, 0, 3);
	assert_int_equal(mbox_post(volume_mbox(g.v), hold, &hangs, NULL), 0);
	for (taken = 3; !recorder_overran(r); taken++)
		feed(&g, r, taken, taken + 1);
	feed(&g, r, taken, taken + 100);
	assert_int_equal(g.o.failed, 0);
	assert_int_equal(sem_post(&hangs), 0);
	wait_for_event(&g);
	assert_int_equal(g.o.failed, 1);
	assert_string_equal(g.o.why.code, "disk_slow");
	assert_true(g.o.r.dropped_video + g.o.r.dropped_audio > 0);
	recorder_stop(&r);
	rig_close(&g);
	assert_int_equal(play(full_path("hang.mp4"), true, &p), 0);
	assert_string_equal(p.complaint, "");
	assert_int_equal(p.video_frames, taken - 1);
	sem_destroy(&hangs);
}

/* Pauses in the middle of what comes. */
static void pauses_are_left_out(void **state)
{
	(void)state;
	struct rig g;
	struct played p;

	rig_open(&g);
	struct recorder *r = start(&g, "pauses.mp4", 0);

	feed(&g, r, 0, GOP);
	for (int i = 1; i < 5; i++) {
		assert_int_equal(recorder_pause(r, clock_scale((4 * i - 3) * GOP, NS_PER_S, FPS)), 0);
		recorder_resume(r, clock_scale(4 * i * GOP, NS_PER_S, FPS) + NS_PER_S / 2);
		feed(&g, r, 4 * i * GOP, (4 * i + 1) * GOP);
	}
	recorder_stop(&r);
	wait_for_event(&g);
	assert_int_equal(g.o.finished, 1);
	rig_close(&g);
	assert_int_equal(play(full_path("pauses.mp4"), true, &p), 0);
	assert_string_equal(p.complaint, "");
	assert_true(p.duration_s <= 5.0 * GOP / FPS + 0.1);
	assert_true(p.duration_s >= 2.0 * GOP / FPS - 0.1);
}

static void fill(void *obj, void *arg)
{
	(void)arg;
	++*(int *)obj;
}

static void event_waits_for_room_in_the_mailbox(void **state)
{
	(void)state;
	struct rig g;
	int filler = 0;

	rig_open(&g);
	while (mbox_post(g.mbox, fill, &filler, NULL) == 0)
		;
	struct recorder *r = start(&g, "full.mp4", 0);
	uint64_t refused = mbox_refused_count(g.mbox);

	feed(&g, r, 0, FPS);
	recorder_stop(&r);
	while (mbox_refused_count(g.mbox) == refused)
		poll(NULL, 0, 5); /* until the thread has been turned away */
	assert_int_equal(g.o.finished, 0);
	mbox_run(g.mbox);
	assert_int_equal(filler, 4);
	wait_for_event(&g);
	assert_int_equal(g.o.finished, 1);
	rig_close(&g);
}

static void full_disk_ends_the_recording_and_keeps_it(void **state)
{
	(void)state;
	struct rig g;
	struct rlimit old, small;
	struct buf s = as_buf(&silence);
	struct played p;
	int i = 0;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_IGN);
	small = old;
	small.rlim_cur = 64 << 10;
	rig_open(&g);
	struct recorder *r = start(&g, "fulldisk.mp4", 0);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	while (!g.o.failed && i < 100000) {
		feed(&g, r, i, i + 1);
		recorder_audio(r, &s, clock_scale(++i, NS_PER_S, FPS));
		if (i % 60 == 0)
			poll(NULL, 0, 1); /* the disk thread's turn */
		mbox_run(g.mbox);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(g.o.failed, 1);
	assert_string_equal(g.o.why.code, "disk_full");
	assert_true(g.o.r.bytes > 30000 && g.o.r.bytes <= 64 << 10);
	recorder_stop(&r);
	rig_close(&g);
	assert_int_equal(g.o.failed + g.o.finished, 1);

	struct stat st;

	assert_int_equal(stat(full_path("fulldisk.mp4"), &st), 0);
	assert_int_equal(st.st_size, g.o.r.bytes);
	assert_int_equal(play(full_path("fulldisk.mp4"), true, &p), 0);
	assert_string_equal(p.complaint, "");
	assert_true(fabs(p.duration_s - (double)g.o.r.duration_ms / 1000) < 0.05);
}

/* What the process that is killed said to be on its way to the disk. */
struct promise {
	_Atomic int files, duration_ms;
};

static struct mux *child_open(int n)
{
	char name[64];
	struct mux_cfg c = { .fps = FPS, .aac_config = asc, .aac_config_len = sizeof(asc),
			     .sample_rate = 48000, .channels = 1,
			     .fragment_ns = 500 * NS_PER_MS, .sync_ns = NS_PER_S };
	struct mux *m = NULL;

	snprintf(name, sizeof(name), "%s/kill-%d.mp4", dir, n);
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && mux_new(&m, fd, &c) == 0 ? m : NULL;
}

/* Records files of two seconds, one after the other, as fast as it can. */
static void child_records(struct promise *pr)
{
	for (;;) {
		struct mux *m = child_open(pr->files);
		int64_t a = 0;

		if (!m)
			_exit(1);
		pr->duration_ms = 0;
		for (int i = 0; i < GOP; i++) {
			int64_t ns = clock_scale(i, NS_PER_S, FPS);

			mux_video(m, video[i].p, video[i].len, ns, video[i].key);
			for (; a * 1024 * FPS < (int64_t)(i + 1) * 48000; a++)
				mux_audio(m, silence.p, silence.len,
					  clock_scale(a * 1024, NS_PER_S, 48000));
			mux_tick(m, ns);
			pr->duration_ms = (int)mux_duration_ms(m);
		}
		mux_finish(m);
		pr->duration_ms = (int)mux_duration_ms(m);
		mux_free(&m);
		pr->duration_ms = 0;
		pr->files++;
	}
}

static void assert_repairs(const char *path, int promised_ms)
{
	struct mp4_scan s;
	struct stat before, after;
	uint64_t bytes = 0;

	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(mp4_repair_file(path, &s, &bytes), 0);
	assert_int_equal(stat(path, &after), 0);
	if (s.kind == MP4_UNREADABLE) {
		assert_int_equal(promised_ms, 0);
		assert_int_equal(before.st_size, after.st_size);
	} else {
		assert_int_equal(s.kind, MP4_COMPLETE);
		assert_int_equal(bytes, after.st_size);
		assert_true(s.duration_ms >= promised_ms);
		assert_plays(path, promised_ms / 1000.0 - 0.001);
		mp4_scan_free(&s);
		/* and is then left alone */
		assert_int_equal(mp4_repair_file(path, &s, &bytes), 0);
		assert_false(s.repaired);
		assert_int_equal(bytes, after.st_size);
	}
	mp4_scan_free(&s);
}

static void killed_recordings_play(void **state)
{
	(void)state;
	struct promise *pr = mmap(NULL, sizeof(*pr), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned seed = 12345;

	assert_true(pr != MAP_FAILED);
	for (int round = 0; round < 10; round++) {
		char path[64];
		int first = pr->files;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			child_records(pr);
		while (pr->files == first && !pr->duration_ms)
			poll(NULL, 0, 1);
		poll(NULL, 0, rand_r(&seed) % 40);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		for (int i = first; i <= pr->files; i++) {
			snprintf(path, sizeof(path), "%s/kill-%d.mp4", dir, i);
			if (access(path, F_OK) == 0)
				assert_repairs(path, i < pr->files ? 2000 : pr->duration_ms);
		}
		pr->files++;
		pr->duration_ms = 0;
	}
	munmap(pr, sizeof(*pr));
}

/* The same with the threads: what progress reported is in the file. */
static void killed_recorder_keeps_what_it_reported(void **state)
{
	(void)state;
	struct promise *pr = mmap(NULL, sizeof(*pr), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();

	assert_true(pr != MAP_FAILED && pid >= 0);
	if (pid == 0) {
		struct rig g;
		struct recorder_result now = { 0 };

		rig_open(&g);
		struct recorder *r = start(&g, "threads.mp4", 0);

		for (int i = 0;; i += 6) {
			feed(&g, r, i, i + 6);
			while (now.duration_ms < i * 1000 / FPS - 1000) {
				poll(NULL, 0, 2);
				recorder_progress(r, &now);
			}
			pr->duration_ms = (int)now.duration_ms;
		}
	}
	while (pr->duration_ms < 5000)
		poll(NULL, 0, 2);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_repairs(full_path("threads.mp4"), pr->duration_ms);
	munmap(pr, sizeof(*pr));
}

static int setup(void **state)
{
	(void)state;
	struct video_source v;

	role_enter(ROLE_ID_NONE);
	make_tree(dir);
	video_source_open(&v, W, H, FPS);
	for (int i = 0; i < GOP; i++)
		video_source_next(&v, 20 + 3 * i, i == 0, &video[i]);
	video_source_close(&v);
	silent_frame(&silence);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < GOP; i++)
		free(video[i].p);
	free(silence.p);
	remove_tree(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_recordings_play),
		cmocka_unit_test(killed_recorder_keeps_what_it_reported),
		cmocka_unit_test(records_and_finishes),
		cmocka_unit_test(nothing_recorded_is_said),
		cmocka_unit_test(unusable_path_fails_once),
		cmocka_unit_test(a_hanging_disk_ends_the_recording),
		cmocka_unit_test(pauses_are_left_out),
		cmocka_unit_test(event_waits_for_room_in_the_mailbox),
		cmocka_unit_test(full_disk_ends_the_recording_and_keeps_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
