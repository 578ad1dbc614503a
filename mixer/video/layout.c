#include "mixer/video/layout.h"

enum { MIN_TILE = 16 };

static int even(int v)
{
	return v & ~1;
}

/* The largest even 16:9 tile that fits a cell. */
static void fit_tile(int cell_w, int cell_h, int *w, int *h)
{
	*w = cell_w;
	*h = cell_w * 9 / 16;
	if (*h > cell_h) {
		*h = cell_h;
		*w = cell_h * 16 / 9;
	}
	/* 426 wide makes 239.6 high: rather two thirds of a sample too many than a
	 * row too few. */
	if (*h % 2 && *h < cell_h)
		(*h)++;
	*w = even(*w);
	*h = even(*h);
}

/* Columns of the grid with the largest tiles; the wider grid when two are equal. */
static int best_columns(int n, int canvas_w, int canvas_h, int *w, int *h)
{
	int best = 0;

	*w = *h = 0;
	for (int cols = 1; cols <= n; cols++) {
		int rows = (n + cols - 1) / cols, tw, th;

		fit_tile(canvas_w / cols, canvas_h / rows, &tw, &th);
		if (tw * th < *w * *h)
			continue;
		best = cols;
		*w = tw;
		*h = th;
	}
	return best;
}

size_t layout_grid(size_t n, int canvas_w, int canvas_h, struct rect *out)
{
	int count = n < LAYOUT_MAX_TILES ? (int)n : LAYOUT_MAX_TILES;
	int w, h, cols, rows, top;

	if (!count || canvas_w < MIN_TILE || canvas_h < MIN_TILE || canvas_w > 16384 ||
	    canvas_h > 16384)
		return 0;
	cols = best_columns(count, canvas_w, canvas_h, &w, &h);
	if (w < MIN_TILE || h < MIN_TILE)
		return 0;
	rows = (count + cols - 1) / cols;
	top = even((canvas_h - rows * h) / 2);
	for (int i = 0; i < count; i++) {
		int row = i / cols;
		int in_row = row < rows - 1 ? cols : count - row * cols;
		int left = even((canvas_w - in_row * w) / 2);

		out[i] = (struct rect){ left + i % cols * w, top + row * h, w, h };
	}
	return (size_t)count;
}
