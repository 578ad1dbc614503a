#include "tests/storage/media.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "mcu/base/clock.h"
#include "storage/h264.h"
#include "storage/mux.h"

enum { W = 320, H = 180, FPS = 30 };

static char dir[] = "/tmp/mcu-mux-XXXXXX";
static const uint8_t asc[] = { 0x11, 0x88 }; /* AAC-LC, 48 kHz, mono */

static const char *file_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct mux *open_mux(const char *name)
{
	struct mux_cfg c = { .fps = FPS, .aac_config = asc, .aac_config_len = sizeof(asc),
			     .sample_rate = 48000, .channels = 1,
			     .fragment_ns = 500 * NS_PER_MS, .sync_ns = NS_PER_S };
	int fd = open(file_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct mux *m = NULL;

	assert_true(fd >= 0);
	assert_int_equal(mux_new(&m, fd, &c), 0);
	return m;
}

static int64_t video_ns(int64_t frame)
{
	return clock_scale(frame, NS_PER_S, FPS);
}

static int64_t audio_ns(int64_t samples)
{
	return clock_scale(samples, NS_PER_S, 48000);
}

/* The clock starts somewhere, and the sound is never cut where the picture is. */
#define CLOCK_ZERO 123456789012345LL

static void flash_and_beep_are_together(void **state)
{
	(void)state;
	enum { FRAMES = 4 * FPS, EVENT = 2 * FPS + 7 };
	struct mux *m = open_mux("flash.mp4");
	struct video_source v;
	struct audio_source a;
	struct played p;
	float pcm[1024];
	int64_t at, event_ns = video_ns(EVENT), fed = 0;

	video_source_open(&v, W, H, FPS);
	audio_source_open(&a);
	for (int i = 0; i < FRAMES; i++) {
		struct au u;

		video_source_next(&v, i >= EVENT && i < EVENT + 5 ? 230 : 20, i == 0, &u);
		assert_int_equal(mux_video(m, u.p, u.len, CLOCK_ZERO + video_ns(i), u.key),
				 MUX_TAKEN);
		free(u.p);
		for (; audio_ns(fed) < video_ns(i + 1); fed += 1024) {
			for (int k = 0; k < 1024; k++) {
				int64_t t = audio_ns(fed + k);

				pcm[k] = t >= event_ns && t < event_ns + 100 * NS_PER_MS ?
						 0.8f * cosf((float)k * 0.13f) : 0.0f;
			}
			if (!audio_source_next(&a, pcm, &u, &at))
				continue;
			/* the delay of the encoder gives the first packet a time below zero */
			int64_t ns = at < 0 ? -audio_ns(-at) : audio_ns(at);

			assert_int_equal(mux_audio(m, u.p, u.len, CLOCK_ZERO + ns),
					 at < 0 ? MUX_EARLY : MUX_TAKEN);
			free(u.p);
		}
	}
	assert_int_equal(mux_finish(m), 0);
	assert_in_range(mux_duration_ms(m), 3960, 4000); /* that of the sound */
	mux_free(&m);
	video_source_close(&v);
	audio_source_close(&a);

	assert_int_equal(play(file_path("flash.mp4"), true, &p), 0);
	assert_string_equal(p.complaint, "");
	assert_int_equal(p.complaints, 0);
	assert_int_equal(p.video_frames, FRAMES);
	assert_true(p.flash_s > 0 && p.beep_s > 0);
	assert_true(fabs(p.flash_s - (double)event_ns / 1e9) < 0.001);
	if (fabs(p.flash_s - p.beep_s) >= 0.020)
		fail_msg("flash %f beep %f", p.flash_s, p.beep_s);
	assert_true(p.duration_s > 3.96 && p.duration_s < 4.002);
}

/* The file as it is while it is being recorded: fragments, no index. */
static void readable_while_recording(void **state)
{
	(void)state;
	struct mux *m = open_mux("open.mp4");
	struct video_source v;
	struct played p;
	struct au aac;

	silent_frame(&aac);
	video_source_open(&v, W, H, FPS);
	for (int i = 0; i < 2 * FPS + 3; i++) {
		struct au u;

		video_source_next(&v, 20 + i, i == 0, &u);
		assert_int_equal(mux_video(m, u.p, u.len, CLOCK_ZERO + video_ns(i), u.key),
				 MUX_TAKEN);
		free(u.p);
		mux_audio(m, aac.p, aac.len, CLOCK_ZERO + audio_ns(i * 1600));
		assert_int_equal(mux_tick(m, video_ns(i)), 0);
	}
	assert_int_equal(mux_duration_ms(m), 2000);
	assert_int_equal(play(file_path("open.mp4"), false, &p), 0);
	assert_string_equal(p.complaint, "");
	assert_int_equal(p.video_packets, 2 * FPS);
	assert_int_equal(p.width, W);
	assert_int_equal(p.height, H);
	mux_free(&m); /* as if the process had died */
	assert_int_equal(play(file_path("open.mp4"), false, &p), 0);
	assert_int_equal(p.video_packets, 2 * FPS);
	free(aac.p);
	video_source_close(&v);
}

/* Sound that stops coming does not keep pictures from the disk, and the other
 * way round. */
static void old_samples_are_written_by_the_clock(void **state)
{
	(void)state;
	struct mux *m = open_mux("slow.mp4");
	struct video_source v;
	struct au u;

	video_source_open(&v, W, H, FPS);
	video_source_next(&v, 50, true, &u);
	assert_int_equal(mux_video(m, u.p, u.len, CLOCK_ZERO, true), MUX_TAKEN);
	assert_int_equal(mux_tick(m, 1000 * NS_PER_MS), 0);
	assert_int_equal(mux_tick(m, 1499 * NS_PER_MS), 0);
	assert_int_equal(mux_duration_ms(m), 0);
	assert_int_equal(mux_tick(m, 1500 * NS_PER_MS), 0);
	assert_int_equal(mux_duration_ms(m), 33);
	free(u.p);
	mux_free(&m);
	video_source_close(&v);
}

static void what_does_not_fit_is_dropped(void **state)
{
	(void)state;
	struct mux *m = open_mux("drop.mp4");
	struct video_source v, small;
	struct au key, p1, p2, other, key2;
	const uint8_t junk[] = "no start code at all";
	const int64_t zero = 10 * NS_PER_MS;
	struct au aac;

	video_source_open(&v, W, H, FPS);
	silent_frame(&aac);
	video_source_open(&small, 160, 96, FPS);
	video_source_next(&v, 30, true, &key);
	video_source_next(&v, 40, false, &p1);
	video_source_next(&v, 50, false, &p2);
	video_source_next(&v, 60, true, &key2);
	video_source_next(&small, 30, true, &other);

	assert_int_equal(mux_audio(m, aac.p, aac.len, 0), MUX_EARLY);
	assert_int_equal(mux_video(m, p1.p, p1.len, 0, false), MUX_EARLY);
	assert_int_equal(mux_video(m, p1.p, p1.len, 0, true), MUX_EARLY); /* it says so, it is not */
	assert_int_equal(mux_finish(m), -ENODATA);
	assert_int_equal(mux_bytes(m), 0);
	assert_int_equal(mux_video(m, key.p, key.len, zero, true), MUX_TAKEN);
	assert_int_equal(mux_audio(m, aac.p, aac.len, zero - 3 * NS_PER_MS), MUX_EARLY);
	/* so little before it is with it */
	assert_int_equal(mux_audio(m, aac.p, aac.len, zero - NS_PER_MS), MUX_TAKEN);
	assert_int_equal(mux_audio(m, aac.p, aac.len, zero), MUX_DROPPED);
	/* not newer: dropped, and so is what refers to it, up to the next key frame */
	assert_int_equal(mux_video(m, p1.p, p1.len, zero, false), MUX_DROPPED);
	assert_int_equal(mux_video(m, p2.p, p2.len, 2 * NS_PER_S, false), MUX_DROPPED);
	assert_int_equal(mux_video(m, other.p, other.len, 3 * NS_PER_S, true), MUX_TAKEN);
	assert_int_equal(mux_video(m, key2.p, key2.len, 4 * NS_PER_S, true), MUX_TAKEN);
	assert_int_equal(mux_video(m, junk, sizeof(junk) - 1, 5 * NS_PER_S, false), MUX_DROPPED);
	assert_int_equal(mux_finish(m), 0);
	mux_free(&m);

	struct played p;

	assert_int_equal(play(file_path("drop.mp4"), false, &p), 0);
	assert_int_equal(p.video_packets, 3);
	assert_string_equal(p.complaint, "");
	free(key.p);
	free(aac.p);
	free(p1.p);
	free(p2.p);
	free(other.p);
	free(key2.p);
	video_source_close(&v);
	video_source_close(&small);
}

/* Four hours with drops on both sides: the times in the file are the clock's. */
static void four_hours_do_not_drift(void **state)
{
	(void)state;
	const int64_t frames = 4 * 3600 * FPS, audio_frames = 4LL * 3600 * 48000 / 1024;
	struct mux *m = open_mux("long.mp4");
	struct video_source v;
	struct au key;
	uint8_t delta[] = { 0, 0, 0, 1, 0x41, 0x9a, 0, 0 }, aac[8] = { 1 };
	int64_t a = 0;

	video_source_open(&v, W, H, FPS);
	video_source_next(&v, 30, true, &key);
	for (int64_t i = 0; i < frames; i++) {
		if (i % 1000 >= 998)
			continue; /* what the encoder never made */
		if (i % 120 == 0)
			assert_int_equal(mux_video(m, key.p, key.len, CLOCK_ZERO + video_ns(i),
						   true), MUX_TAKEN);
		else
			assert_int_equal(mux_video(m, delta, sizeof(delta),
						   CLOCK_ZERO + video_ns(i), false), MUX_TAKEN);
		for (; a < audio_frames && audio_ns(a * 1024) < video_ns(i + 1); a++)
			if (a % 777 != 5)
				assert_int_equal(mux_audio(m, aac, sizeof(aac),
							   CLOCK_ZERO + audio_ns(a * 1024)),
						 MUX_TAKEN);
	}
	assert_int_equal(mux_finish(m), 0);
	mux_free(&m);

	AVFormatContext *fmt = NULL;
	AVPacket *pkt = av_packet_alloc();
	int64_t end_s[2] = { 0 }, n[2] = { 0 }, frame = 0, sound = 0;

	assert_int_equal(avformat_open_input(&fmt, file_path("long.mp4"), NULL, NULL), 0);
	while (av_read_frame(fmt, pkt) == 0) {
		int video = pkt->stream_index == 0;
		double t = (double)pkt->pts * av_q2d(fmt->streams[pkt->stream_index]->time_base);

		if (video && frame % 1000 == 998)
			frame += 2;
		if (!video && sound % 777 == 5)
			sound++;
		double want = video ? (double)frame++ / FPS : (double)sound++ * 1024 / 48000;

		if (fabs(t - want) > 0.001)
			fail_msg("stream %d: %f instead of %f", pkt->stream_index, t, want);
		n[video]++;
		end_s[video] = (int64_t)t;
		av_packet_unref(pkt);
	}
	assert_int_equal(end_s[0], 4 * 3600 - 1);
	assert_int_equal(end_s[1], 4 * 3600 - 1);
	assert_true(n[1] > 430000 && n[0] > 670000);
	avformat_close_input(&fmt);
	av_packet_free(&pkt);
	free(key.p);
	video_source_close(&v);
}

static int setup(void **state)
{
	(void)state;
	make_tree(dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flash_and_beep_are_together),
		cmocka_unit_test(readable_while_recording),
		cmocka_unit_test(old_samples_are_written_by_the_clock),
		cmocka_unit_test(what_does_not_fit_is_dropped),
		cmocka_unit_test(four_hours_do_not_drift),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
