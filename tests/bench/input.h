/* One sender's picture: an H.264 file played in a loop, decoded, and put into
 * its cell of a grid. */
#ifndef TESTS_BENCH_INPUT_H
#define TESTS_BENCH_INPUT_H

#include <libavutil/frame.h>

struct input;

struct input *input_new(const char *path);
void input_free(struct input *in);
/* Gives it the largest rectangle of its aspect in the middle of cell i of n. */
void input_place(struct input *in, int i, int n, int width, int height);
/* Access units, and octets in the next one. */
int input_count(const struct input *in);
int input_octets(const struct input *in);
/* Decodes the next access unit. f belongs to the decoder until the next call. */
void input_decode(struct input *in, AVFrame *f);
/* Copies or scales f into the canvas. */
void input_draw(const struct input *in, const AVFrame *f, AVFrame *canvas);

#endif
