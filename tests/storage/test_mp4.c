#include "tests/storage/media.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "mcu/base/clock.h"
#include "storage/h264.h"
#include "storage/mp4_scan.h"
#include "storage/mux.h"

enum { W = 160, H = 96, FPS = 15, FRAMES = 20 };

static char dir[] = "/tmp/mcu-mp4-XXXXXX";
static uint8_t *file;
static size_t file_len;
static size_t whole[16]; /* where fragments end, the head first */
static int wholes;

struct mem {
	const uint8_t *p;
	size_t len;
};

static int read_mem(void *obj, uint64_t off, void *to, size_t len)
{
	const struct mem *m = obj;

	assert_true(off <= m->len && len <= m->len - off);
	memcpy(to, m->p + off, len);
	return 0;
}

static void scan_mem(struct mp4_scan *s, const uint8_t *p, size_t len)
{
	struct mem m = { p, len };
	struct mp4_source src = { read_mem, &m, len };

	assert_int_equal(mp4_scan(s, &src), 0);
}

static const char *file_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *path, const uint8_t *p, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), len);
	close(fd);
}

static uint8_t *read_file(const char *path, size_t *len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(fstat(fd, &st), 0);
	uint8_t *p = malloc((size_t)st.st_size);

	assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
	close(fd);
	*len = (size_t)st.st_size;
	return p;
}

static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= file_len; cut++) {
		/* an exact allocation, so that asan sees a read too far */
		uint8_t *copy = malloc(cut ? cut : 1);
		struct mp4_scan s;
		int k = 0;

		memcpy(copy, file, cut);
		scan_mem(&s, copy, cut);
		while (k + 1 < wholes && whole[k + 1] <= cut)
			k++;
		if (k == 0) {
			assert_int_equal(s.kind, MP4_UNREADABLE);
		} else {
			assert_int_equal(s.kind, MP4_FRAGMENTED);
			assert_int_equal(s.end, whole[k]);
			assert_true(s.completable);
			assert_true(s.duration_ms > 0);
			assert_int_equal(s.movie.track[MP4_VIDEO].width, W);
			assert_int_equal(s.movie.track[MP4_VIDEO].height, H);
		}
		mp4_scan_free(&s);
		free(copy);
	}
}

static void repaired_file_plays(void **state)
{
	(void)state;
	for (int k = 1; k < wholes; k++) {
		size_t next = k + 1 < wholes ? whole[k + 1] : file_len;
		const size_t cuts[] = { whole[k], whole[k] + 1, whole[k] + 9, (whole[k] + next) / 2,
					next - 1 };

		for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
			struct mp4_scan s;
			struct played p;
			uint64_t bytes;

			if (cuts[i] < whole[k] || cuts[i] >= next + (i == 0))
				continue;
			write_file(file_path("cut.mp4"), file, cuts[i]);
			assert_int_equal(mp4_repair_file(file_path("cut.mp4"), &s, &bytes), 0);
			assert_int_equal(s.kind, MP4_COMPLETE);
			assert_true(s.repaired);
			assert_int_equal(play(file_path("cut.mp4"), true, &p), 0);
			assert_string_equal(p.complaint, "");
			assert_int_equal(p.complaints, 0);
			assert_int_equal(p.video_frames, p.video_packets);
			assert_true(fabs(p.duration_s - (double)s.duration_ms / 1000) < 0.002);
			mp4_scan_free(&s);
		}
	}
}

/* A power cut may leave zeros, or what was in the blocks before. */
static void junk_at_the_end_is_cut(void **state)
{
	(void)state;
	size_t len = whole[2] + 5000;
	uint8_t *p = calloc(1, len);
	struct mp4_scan s;

	memcpy(p, file, whole[2]);
	scan_mem(&s, p, len);
	assert_int_equal(s.kind, MP4_FRAGMENTED);
	assert_int_equal(s.end, whole[2]);
	mp4_scan_free(&s);
	for (size_t i = whole[2]; i < len; i++)
		p[i] = (uint8_t)(i * 2654435761U >> 13);
	scan_mem(&s, p, len);
	assert_int_equal(s.end, whole[2]);
	mp4_scan_free(&s);
	/* a whole fragment that lies about its samples */
	memcpy(p, file, whole[2]);
	uint8_t *trun = memmem(p + whole[1], whole[2] - whole[1], "trun", 4);

	assert_non_null(trun);
	trun[16] = 0x7f; /* first sample's duration */
	trun[20] = 0x7f; /* its size */
	scan_mem(&s, p, whole[2]);
	assert_int_equal(s.end, whole[1]);
	assert_true(s.completable);
	mp4_scan_free(&s);
	free(p);
}

/* The process dies while it completes the file: after the index was appended,
 * wholly or in part, and before the header that makes it one. */
static void death_while_completing(void **state)
{
	(void)state;
	struct mp4_scan s;
	struct played p;
	uint64_t bytes;
	size_t len;

	write_file(file_path("done.mp4"), file, file_len);
	assert_int_equal(mp4_repair_file(file_path("done.mp4"), &s, &bytes), 0);
	mp4_scan_free(&s);
	uint8_t *done = read_file(file_path("done.mp4"), &len);
	size_t end = whole[wholes - 1];

	assert_true(len > end);
	/* nothing but the 16 octets was changed in the part that was there */
	assert_memory_equal(done, file, 40);
	assert_memory_equal(done + 56, file + 56, end - 56);
	memcpy(done, file, 56);
	for (size_t cut = len; cut > end; cut -= (cut - end) / 3 + 1) {
		write_file(file_path("half.mp4"), done, cut);
		assert_int_equal(mp4_repair_file(file_path("half.mp4"), &s, &bytes), 0);
		assert_int_equal(s.kind, MP4_COMPLETE);
		assert_int_equal(bytes, len);
		assert_int_equal(play(file_path("half.mp4"), true, &p), 0);
		assert_string_equal(p.complaint, "");
		assert_int_equal(p.video_frames, FRAMES);
		mp4_scan_free(&s);
	}
	free(done);
}

static void foreign_files_are_left_alone(void **state)
{
	(void)state;
	struct mp4_scan s;
	const char text[] = "this is not a movie at all, whatever its name says";
	uint64_t bytes;
	size_t len;

	write_file(file_path("text.mp4"), (const uint8_t *)text, sizeof(text));
	assert_int_equal(mp4_repair_file(file_path("text.mp4"), &s, &bytes), 0);
	assert_int_equal(s.kind, MP4_UNREADABLE);
	mp4_scan_free(&s);
	uint8_t *p = read_file(file_path("text.mp4"), &len);

	assert_int_equal(len, sizeof(text));
	assert_memory_equal(p, text, len);
	free(p);
	write_file(file_path("empty.mp4"), NULL, 0);
	assert_int_equal(mp4_repair_file(file_path("empty.mp4"), &s, &bytes), 0);
	assert_int_equal(s.kind, MP4_UNREADABLE);
	mp4_scan_free(&s);
	assert_int_equal(mp4_repair_file(file_path("none.mp4"), &s, &bytes), -ENOENT);
	assert_int_equal(symlink("done.mp4", file_path("link.mp4")), 0);
	assert_int_equal(mp4_repair_file(file_path("link.mp4"), &s, &bytes), -ELOOP);
}

static void sps_says_the_size(void **state)
{
	(void)state;
	static const int sizes[][2] = { { 1280, 720 }, { 640, 360 }, { 320, 180 }, { 1920, 1080 },
					{ 426, 240 }, { 176, 144 }, { 854, 480 } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct video_source v;
		struct h264_nal sps;
		struct au u;
		unsigned w = 0, h = 0;

		video_source_open(&v, sizes[i][0], sizes[i][1], 30);
		video_source_next(&v, 100, true, &u);
		assert_true(h264_find_nal(u.p, u.len, H264_NAL_SPS, &sps));
		assert_int_equal(h264_sps_size(sps.p, sps.len, &w, &h), 0);
		assert_int_equal(w, sizes[i][0]);
		assert_int_equal(h, sizes[i][1]);
		/* cut short, it is refused and never read beyond */
		for (size_t n = 0; n < 6; n++) {
			uint8_t *part = malloc(n + 1);

			memcpy(part, sps.p, n);
			assert_int_equal(h264_sps_size(part, n, &w, &h), -EBADMSG);
			free(part);
		}
		free(u.p);
		video_source_close(&v);
	}
	/* High profile, 1920x1080, with VUI: from x264's own output */
	static const uint8_t high[] = { 0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27,
					0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00,
					0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58 };
	unsigned w, h;

	assert_int_equal(h264_sps_size(high, sizeof(high), &w, &h), 0);
	assert_int_equal(w, 1920);
	assert_int_equal(h, 1080);
}

static void annex_b_becomes_lengths(void **state)
{
	(void)state;
	static const uint8_t au[] = { 0, 0, 0, 1, 0x09, 0x10, 0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1,
				      0x68, 3, 0, 0, 0, 1, 0x68, 9, 0, 0, 1, 0x65, 0xaa, 0, 0, 3,
				      0xbb, 0, 0, 0, 0, 0, 1, 0x0c, 0xff, 0, 0, 1 };
	static const uint8_t want[] = { 0, 0, 0, 2, 0x68, 9, 0, 0, 0, 6, 0x65, 0xaa, 0, 0, 3, 0xbb };
	struct h264_nal sps, pps;
	struct mp4_out o = { 0 };

	assert_true(h264_find_nal(au, sizeof(au), H264_NAL_SPS, &sps));
	assert_int_equal(sps.len, 3);
	assert_true(h264_find_nal(au, sizeof(au), H264_NAL_PPS, &pps));
	assert_int_equal(pps.len, 2);
	assert_true(h264_to_lengths(&o, au, sizeof(au), &sps, &pps));
	assert_int_equal(o.len, sizeof(want));
	assert_memory_equal(o.p, want, sizeof(want));
	o.len = 0;
	assert_false(h264_to_lengths(&o, au, 19, &sps, &pps));
	mp4_out_free(&o);
}

/* Offsets beyond 4 GiB need the wide table; below, old players get the narrow. */
static void large_files_have_wide_offsets(void **state)
{
	(void)state;
	static const uint8_t sps[] = { 0x67, 0x42, 0xc0, 0x1e, 0x01 }, pps[] = { 0x68, 0xce };
	struct mp4_movie m = { 0 };
	struct mp4_index x = { 0 };
	struct mp4_out o = { 0 };
	struct mp4_sample s = { .offset = 1000, .dts = 0, .size = 100, .duration = 3000,
				.sync = true };

	assert_int_equal(mp4_video_track(&m.track[MP4_VIDEO], W, H, sps, sizeof(sps), pps,
					 sizeof(pps)), 0);
	assert_int_equal(mp4_index_add(&x, MP4_VIDEO, &s), 0);
	assert_int_equal(mp4_index_add(&x, MP4_VIDEO, &s), -EINVAL);
	mp4_put_final_moov(&o, &m, &x);
	assert_non_null(memmem(o.p, o.len, "stco", 4));
	s.dts = 3000;
	s.offset = 5ULL << 32;
	assert_int_equal(mp4_index_add(&x, MP4_VIDEO, &s), 0);
	o.len = 0;
	mp4_put_final_moov(&o, &m, &x);
	uint8_t *co64 = memmem(o.p, o.len, "co64", 4);

	assert_non_null(co64);
	assert_int_equal(mp4_get32(co64 + 8), 2);
	assert_int_equal(mp4_get64(co64 + 12), 1000);
	assert_int_equal(mp4_get64(co64 + 20), 5ULL << 32);
	assert_int_equal(mp4_duration_ms(&m, &x), 66);
	mp4_out_free(&o);
	mp4_index_free(&x);
}

static int setup(void **state)
{
	(void)state;
	static const uint8_t asc[] = { 0x11, 0x88 };
	struct mux_cfg c = { .fps = FPS, .aac_config = asc, .aac_config_len = sizeof(asc),
			     .sample_rate = 48000, .channels = 1,
			     .fragment_ns = 300 * NS_PER_MS, .sync_ns = NS_PER_S };
	struct video_source v;
	struct mux *m = NULL;
	struct au sound;
	int fd;

	make_tree(dir);
	fd = open(file_path("base.mp4"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(mux_new(&m, fd, &c), 0);
	video_source_open(&v, W, H, FPS);
	silent_frame(&sound);
	for (int i = 0, a = 0; i < FRAMES; i++) {
		struct au u;
		uint64_t before = mux_bytes(m);

		video_source_next(&v, 10 * i + 20, i % 9 == 0, &u);
		assert_int_equal(mux_video(m, u.p, u.len, clock_scale(i, NS_PER_S, FPS), u.key), 0);
		free(u.p);
		if (mux_bytes(m) != before)
			whole[wholes++] = (size_t)mux_bytes(m);
		for (; a * 1024 * FPS < (i + 1) * 48000; a++) {
			before = mux_bytes(m);
			mux_audio(m, sound.p, sound.len, clock_scale(a * 1024, NS_PER_S, 48000));
			if (mux_bytes(m) != before)
				whole[wholes++] = (size_t)mux_bytes(m);
		}
	}
	assert_int_equal(mux_tick(m, 0), 0);
	assert_int_equal(mux_tick(m, NS_PER_S), 0);
	whole[wholes++] = (size_t)mux_bytes(m);
	mux_free(&m);
	free(sound.p);
	video_source_close(&v);
	file = read_file(file_path("base.mp4"), &file_len);
	assert_int_equal(file_len, whole[wholes - 1]);
	assert_true(wholes >= 5);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(file);
	remove_tree(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(repaired_file_plays),
		cmocka_unit_test(junk_at_the_end_is_cut),
		cmocka_unit_test(death_while_completing),
		cmocka_unit_test(foreign_files_are_left_alone),
		cmocka_unit_test(large_files_have_wide_offsets),
		cmocka_unit_test(sps_says_the_size),
		cmocka_unit_test(annex_b_becomes_lengths),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
