#include "mcu/base/hot.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECKED 1
#else
#define CHECKED 0
#endif

enum {
	CHUNK = 2 << 20, /* a large page */
	MOST = 96 << 10, /* larger ones have pages of their own */
};

struct spare {
	struct spare *next;
};

/* lock guards all of these */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct spare *spares[MOST / HOT_LINE + 1];
static char *next, *end; /* of the chunk that is being cut */

static size_t whole(size_t bytes)
{
	return (bytes + HOT_LINE - 1) / HOT_LINE * HOT_LINE;
}

static bool is_plain(size_t bytes)
{
	return CHECKED || bytes > MOST;
}

/* Twice as much is mapped, and what does not lie well is given back. */
static bool new_chunk(void)
{
	char *p = mmap(NULL, 2 * CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		return false;
	before = (CHUNK - (uintptr_t)p % CHUNK) % CHUNK;
	if (before)
		munmap(p, before);
	next = p + before;
	end = next + CHUNK;
	munmap(end, CHUNK - before);
	(void)madvise(next, CHUNK, MADV_HUGEPAGE); /* ordinary ones do as well */
	return true;
}

static void *take(size_t bytes)
{
	struct spare **list = &spares[bytes / HOT_LINE], *p = *list;

	if (p) {
		*list = p->next;
		return p;
	}
	if ((size_t)(end - next) < bytes && !new_chunk())
		return NULL;
	p = (struct spare *)(void *)next;
	next += bytes;
	return p;
}

void *hot_calloc(size_t bytes)
{
	size_t n = whole(bytes ? bytes : 1);
	void *p;

	if (is_plain(n)) {
		p = aligned_alloc(HOT_LINE, n);
	} else {
		pthread_mutex_lock(&lock);
		p = take(n);
		pthread_mutex_unlock(&lock);
	}
	return p ? memset(p, 0, n) : NULL;
}

void hot_free(void *p, size_t bytes)
{
	size_t n = whole(bytes ? bytes : 1);
	struct spare *s = p;

	if (!p)
		return;
	if (is_plain(n)) {
		free(p);
		return;
	}
	pthread_mutex_lock(&lock);
	s->next = spares[n / HOT_LINE];
	spares[n / HOT_LINE] = s;
	pthread_mutex_unlock(&lock);
}
