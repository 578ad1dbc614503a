/* How well an encoded mosaic shows its sources: PSNR-Y of every picture against
 * the ideal mosaic of the source pictures that are in it.
 *
 *   mosaic_psnr [--skip 60] [--frames 240] [--margin 16] OUT.h264 SOURCE.h264:X,Y ...
 *
 * Each source is shown in its own size with its corner at X,Y. A mixer takes
 * the newest picture of each source at its own time, so which one is in a tile
 * is looked for: the one with the least difference, first among all, then near
 * the last one. The margin of each tile is not compared: there a mixer may draw
 * a frame and round the corners. That can only mistake a picture for one that is more alike, and
 * is the same for whatever is compared.
 *
 * Prints "floor psnr_y DB dB frames= kbps= repeated= left_out=", the last two
 * being source pictures shown twice or never, over all tiles.
 */
#include <getopt.h>
#include <libavcodec/avcodec.h>
#include <math.h>

#include "tests/bench/floor.h"
#include "tests/bench/input.h"

enum { MAX_PICTURES = 4096, NEAR = 8, COARSE_ROWS = 8, FPS = 30 };

/* The luma of all pictures of a source, which is a loop. */
struct clip {
	int width, height, n;
	uint8_t *luma[MAX_PICTURES];
};

struct tile {
	const char *path;
	int x, y;
	struct clip clip;
	int shown; /* in the last picture; -1: none yet */
	long repeated, left_out;
};

static int margin = 16; /* pixels */

static void clip_load(struct clip *c, const char *path)
{
	struct input *in = input_new(path);
	AVFrame *f = av_frame_alloc();

	if (!f)
		die("out of memory");
	c->n = input_count(in);
	if (c->n > MAX_PICTURES)
		die("%s has more than %d pictures", path, MAX_PICTURES);
	for (int i = 0; i < c->n; i++) {
		input_decode(in, f);
		c->width = f->width;
		c->height = f->height;
		c->luma[i] = malloc((size_t)(f->width * f->height));
		if (!c->luma[i])
			die("out of memory");
		for (int y = 0; y < f->height; y++)
			memcpy(c->luma[i] + y * f->width, f->data[0] + y * f->linesize[0],
			       (size_t)f->width);
	}
	av_frame_free(&f);
	input_free(in);
}

static void clip_free(struct clip *c)
{
	for (int i = 0; i < c->n; i++)
		free(c->luma[i]);
}

static uint64_t difference(const struct tile *t, const AVFrame *f, int i, int row_step)
{
	const struct clip *c = &t->clip;
	uint64_t sum = 0;

	for (int y = margin; y < c->height - margin; y += row_step) {
		const uint8_t *a = f->data[0] + (t->y + y) * f->linesize[0] + t->x;
		const uint8_t *b = c->luma[i] + y * c->width;
		uint32_t row = 0;

		for (int x = margin; x < c->width - margin; x++)
			row += (uint32_t)((a[x] - b[x]) * (a[x] - b[x]));
		sum += row;
	}
	return sum;
}

static int most_alike(const struct tile *t, const AVFrame *f, int from, int count)
{
	uint64_t least = UINT64_MAX;
	int best = from;

	for (int k = 0; k < count; k++) {
		int i = (from + k + t->clip.n) % t->clip.n;
		uint64_t d = difference(t, f, i, COARSE_ROWS);

		if (d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}

/* Squared error of the tile in this picture. */
static uint64_t error_of(struct tile *t, const AVFrame *f)
{
	int n = t->clip.n, was = t->shown, step;

	if (f->width < t->x + t->clip.width || f->height < t->y + t->clip.height)
		die("a picture of %dx%d has no tile of %dx%d at %d,%d", f->width, f->height,
		    t->clip.width, t->clip.height, t->x, t->y);
	t->shown = was < 0 ? most_alike(t, f, 0, n) : most_alike(t, f, was - 1, NEAR);
	step = (t->shown - was + n) % n;
	if (was >= 0 && step >= NEAR) {
		/* The sender went on elsewhere in its clip. */
		t->shown = most_alike(t, f, 0, n);
	} else if (was >= 0) {
		t->repeated += step == 0;
		t->left_out += step > 1 ? step - 1 : 0;
	}
	return difference(t, f, t->shown, 1);
}

static struct tile tile_of(char *arg)
{
	struct tile t = { .path = arg, .shown = -1 };
	char *colon = strrchr(arg, ':');

	if (!colon || sscanf(colon, ":%d,%d", &t.x, &t.y) != 2)
		die("%s is not SOURCE.h264:X,Y", arg);
	*colon = 0;
	clip_load(&t.clip, t.path);
	return t;
}

struct sum {
	double error, samples, octets;
	int frames;
};

static void measure(const char *path, struct tile *t, int tiles, int skip, int frames,
		    struct sum *s)
{
	struct input *in = input_new(path);
	AVFrame *f = av_frame_alloc();

	if (!f)
		die("out of memory");
	if (input_count(in) < skip + frames)
		frames = input_count(in) - skip;
	for (int i = 0; i < skip + frames; i++) {
		int octets = input_octets(in);

		input_decode(in, f);
		if (i < skip)
			continue;
		s->frames++;
		s->octets += octets;
		for (int k = 0; k < tiles; k++) {
			s->error += (double)error_of(&t[k], f);
			s->samples += (double)(t[k].clip.width - 2 * margin) *
				      (t[k].clip.height - 2 * margin);
		}
	}
	av_frame_free(&f);
	input_free(in);
}

int main(int argc, char **argv)
{
	static const struct option opts[] = { { "skip", 1, NULL, 's' },
					      { "frames", 1, NULL, 'n' },
					      { "margin", 1, NULL, 'm' },
					      { NULL, 0, NULL, 0 } };
	struct tile tile[16];
	struct sum s = { 0 };
	int skip = 60, frames = 240, tiles = 0, c;
	long repeated = 0, left_out = 0;
	const char *path;

	av_log_set_level(AV_LOG_ERROR);
	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == 's')
			skip = atoi(optarg);
		else if (c == 'n')
			frames = atoi(optarg);
		else if (c == 'm')
			margin = atoi(optarg);
		else
			die("see the comment on top of mosaic_psnr.c");
	}
	if (argc - optind < 2 || argc - optind > 17)
		die("see the comment on top of mosaic_psnr.c");
	path = argv[optind++];
	for (; optind < argc; optind++)
		tile[tiles++] = tile_of(argv[optind]);
	measure(path, tile, tiles, skip, frames, &s);
	if (s.frames < 1 || s.error <= 0)
		die("%s: no pictures to compare", path);
	for (int k = 0; k < tiles; k++) {
		repeated += tile[k].repeated;
		left_out += tile[k].left_out;
		clip_free(&tile[k].clip);
	}
	printf("floor psnr_y %.3f dB frames=%d kbps=%.0f repeated=%ld left_out=%ld\n",
	       10 * log10(255.0 * 255.0 * s.samples / s.error), s.frames,
	       s.octets * 8e-3 * FPS / s.frames, repeated, left_out);
	return 0;
}
