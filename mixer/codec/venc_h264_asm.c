#include "mixer/codec/venc_h264_asm.h"

#include <libavutil/cpu.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/role.h"
#include "mixer/codec/venc.h"

/* AVX-512 lowers the clock of some processors, so that x264's widest code loses
 * 16-22 % to its AVX2 code there and wins elsewhere: measured, not guessed. */
enum { W = 1280, H = 720, FRAMES = 4, ROUNDS = 3 };

static const char *const candidates[] = { "default", "avx2" };
enum { CANDIDATES = sizeof candidates / sizeof *candidates };

/* Index into candidates; written once at start, before the encoders' threads. */
static _Atomic int choice;

const char *venc_h264_asm_choice(void)
{
	return candidates[atomic_load_explicit(&choice, memory_order_relaxed)];
}

/* CPU time: what others do on the machine meanwhile does not count. */
static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static uint32_t noise(uint32_t x, uint32_t y)
{
	uint32_t h = x * 374761393u + y * 668265263u;

	h = (h ^ h >> 13) * 1274126177u;
	return h ^ h >> 16;
}

/* A texture with some grain that moves sideways and changes in brightness. */
static void draw(AVFrame *av, unsigned n)
{
	for (unsigned p = 0; p < 3; p++) {
		unsigned w = p ? W / 2 : W, h = p ? H / 2 : H;

		for (unsigned y = 0; y < h; y++) {
			uint8_t *row = av->data[p] + (ptrdiff_t)y * av->linesize[p];

			for (unsigned x = 0; x < w; x++) {
				uint32_t coarse = noise((x + 3 * n) / 24, (y + n) / 24) & 31;
				uint32_t fine = noise(x + 3 * n, y + n) & 3;

				row[x] = (uint8_t)(64 + coarse + fine + (n & 7));
			}
		}
	}
}

ON_THREAD(ROLE_MIXV)
static int64_t measure(struct venc *e, const struct vframe *frame, struct buf_pool *pool)
{
	int64_t start = cpu_ns();
	struct buf *au;
	bool key;

	if (venc_encode(e, frame, 0, false, pool, &au, &key))
		return INT64_MAX / FRAMES;
	buf_unref(&au);
	return cpu_ns() - start;
}

/* The candidates take turns at every picture, and the best of its times counts:
 * the noise of a busy machine is as large as what is looked for. */
ON_THREAD(ROLE_MIXV)
static int measure_all(struct venc *const *e, struct vframe *const *frame, struct buf_pool *pool)
{
	int64_t total[CANDIDATES] = { 0 };
	int fastest = 0;

	for (int i = 0; i < FRAMES; i++) {
		int64_t best[CANDIDATES];

		for (int c = 0; c < CANDIDATES; c++)
			best[c] = INT64_MAX / FRAMES;
		for (int round = 0; round < ROUNDS; round++) {
			for (int c = 0; c < CANDIDATES; c++) {
				/* moves on by a picture each time, over and over */
				int64_t t = measure(e[c], frame[(i + round) % FRAMES], pool);

				best[c] = t < best[c] ? t : best[c];
			}
		}
		for (int c = 0; c < CANDIDATES; c++)
			total[c] += best[c];
	}
	/* leave the library's choice alone unless it loses by more than noise */
	for (int c = 1; c < CANDIDATES; c++) {
		if (total[c] < total[fastest] - total[fastest] / 33)
			fastest = c;
	}
	log_info(NULL, "x264: %lld us a picture by default, %lld us with avx2: using %s",
		 (long long)(total[0] / FRAMES / 1000), (long long)(total[1] / FRAMES / 1000),
		 candidates[fastest]);
	return fastest;
}

const char *venc_h264_pick_asm(void)
{
	struct venc_cfg cfg = { .codec = CODEC_H264, .w = W, .h = H, .fps = 30,
				.bitrate_bps = 1500000 };
	struct vframe *frame[FRAMES] = { 0 };
	struct venc *e[CANDIDATES] = { 0 };
	struct buf_pool *pool = NULL;
	enum role_id role = role_current();
	int i;

	if (!(av_get_cpu_flags() & AV_CPU_FLAG_AVX512))
		return venc_h264_asm_choice();
	role_enter(ROLE_ID_MIXV);
	role_assert_mixv();
	if (buf_pool_new(&pool, "asm choice", 1 << 20, 1, 1))
		goto out;
	for (i = 0; i < FRAMES; i++) {
		if (vframe_new_canvas(&frame[i], W, H))
			goto out;
		draw(frame[i]->av, (unsigned)i);
	}
	for (i = 0; i < CANDIDATES; i++) {
		cfg.asm_ = candidates[i];
		if (venc_new(&e[i], &cfg))
			goto out;
	}
	atomic_store_explicit(&choice, measure_all(e, frame, pool), memory_order_relaxed);
out:
	for (i = 0; i < CANDIDATES; i++)
		venc_free(&e[i]);
	for (i = 0; i < FRAMES; i++)
		vframe_unref(&frame[i]);
	buf_pool_free(&pool);
	role_enter(role);
	return venc_h264_asm_choice();
}
