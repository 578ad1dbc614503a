#include "mixer/audio/sample_fifo.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/hot.h"

struct sample_fifo {
	size_t capacity, count, channels;
	float pcm[];
};

static size_t bytes_of(size_t capacity, size_t channels)
{
	return sizeof(struct sample_fifo) + capacity * channels * sizeof(float);
}

int sample_fifo_new(struct sample_fifo **out, size_t capacity, int channels)
{
	struct sample_fifo *f;

	if (!capacity || channels < 1)
		return -EINVAL;
	f = hot_calloc(bytes_of(capacity, (size_t)channels));
	if (!f)
		return -ENOMEM;
	f->capacity = capacity;
	f->channels = (size_t)channels;
	*out = f;
	return 0;
}

void sample_fifo_free(struct sample_fifo **f)
{
	if (*f)
		hot_free(*f, bytes_of((*f)->capacity, (*f)->channels));
	*f = NULL;
}

void sample_fifo_clear(struct sample_fifo *f)
{
	f->count = 0;
}

void sample_fifo_prefetch(const struct sample_fifo *f, size_t n)
{
	const char *p = (const char *)f, *end = (const char *)(f->pcm + n * f->channels);

	for (; p < end; p += 64)
		__builtin_prefetch(p);
}

size_t sample_fifo_count(const struct sample_fifo *f)
{
	return f->count;
}

float *sample_fifo_space(struct sample_fifo *f, size_t *room)
{
	*room = f->capacity - f->count;
	return f->pcm + f->count * f->channels;
}

void sample_fifo_commit(struct sample_fifo *f, size_t n)
{
	size_t room = f->capacity - f->count;

	f->count += n < room ? n : room;
}

void sample_fifo_silence(struct sample_fifo *f, size_t n)
{
	size_t room;
	float *to = sample_fifo_space(f, &room);

	n = n < room ? n : room;
	memset(to, 0, n * f->channels * sizeof *to);
	f->count += n;
}

float *sample_fifo_front(struct sample_fifo *f)
{
	return f->pcm;
}

size_t sample_fifo_take(struct sample_fifo *f, float *out, size_t n)
{
	size_t bytes = f->channels * sizeof(float);

	n = n < f->count ? n : f->count;
	if (out)
		memcpy(out, f->pcm, n * bytes);
	f->count -= n;
	memmove(f->pcm, f->pcm + n * f->channels, f->count * bytes);
	return n;
}

int sample_fifo_resize(struct sample_fifo *f, size_t count)
{
	if (count > f->capacity)
		return -ENOSPC;
	f->count = count;
	return 0;
}
