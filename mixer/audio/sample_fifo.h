/* A small queue of interleaved samples in one contiguous piece, so that it can
 * be looked at and edited in place: packets of 2.5…120 ms go in, ticks of 20 ms
 * come out. Counts are samples per channel. One thread at a time; no allocation
 * after _new. */
#ifndef MIXER_AUDIO_SAMPLE_FIFO_H
#define MIXER_AUDIO_SAMPLE_FIFO_H

#include <stddef.h>

struct sample_fifo;

int sample_fifo_new(struct sample_fifo **out, size_t capacity, int channels);
void sample_fifo_free(struct sample_fifo **f);
void sample_fifo_clear(struct sample_fifo *f);

/* n samples will soon be written and taken. */
void sample_fifo_prefetch(const struct sample_fifo *f, size_t n);
size_t sample_fifo_count(const struct sample_fifo *f);
/* Where up to *room samples may be written, then told by _commit. */
float *sample_fifo_space(struct sample_fifo *f, size_t *room);
void sample_fifo_commit(struct sample_fifo *f, size_t n);
/* n samples of silence; what does not fit is left out. */
void sample_fifo_silence(struct sample_fifo *f, size_t n);
/* The oldest sample; count of them may be edited. */
float *sample_fifo_front(struct sample_fifo *f);
/* Moves min(n, count) samples to out (NULL: away), returns how many. */
size_t sample_fifo_take(struct sample_fifo *f, float *out, size_t n);

/* Sets the length of the contents after an edit in place that moved their end.
 * 0, or -ENOSPC. */
int sample_fifo_resize(struct sample_fifo *f, size_t count);

#endif
