/* Counts allocations, so that a test can show that there are none: all of the process
 * (allocations), and those of our own objects apart from those of libraries (ours). Works
 * in every variant: the sanitizers, whose allocator is their own, tell of each; ours are
 * seen through the linker's --wrap, which the Makefile asks for where this file is
 * included. Included by one file per program. */
#ifndef TESTS_SUPPORT_ALLOC_COUNT_H
#define TESTS_SUPPORT_ALLOC_COUNT_H

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static _Atomic size_t allocations, ours;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));

__attribute__((no_sanitize("thread", "address"))) static void
alloc_count_hook(const volatile void *p, size_t n)
{
	(void)p;
	(void)n;
	allocations++;
}

static void alloc_count_free_hook(const volatile void *p)
{
	(void)p;
}

__attribute__((constructor)) static void alloc_count_install(void)
{
	if (!__sanitizer_install_malloc_and_free_hooks(alloc_count_hook, alloc_count_free_hook))
		abort();
}
#else
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

void *malloc(size_t n)
{
	allocations++;
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	allocations++;
	return __libc_realloc(p, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
	allocations++;
	*out = __libc_memalign(align, n);
	return *out ? 0 : ENOMEM;
}
#endif

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
int __real_posix_memalign(void **out, size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
int __wrap_posix_memalign(void **out, size_t align, size_t n);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t n)
{
	ours++;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	ours++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	ours++;
	return __real_realloc(p, n);
}

int __wrap_posix_memalign(void **out, size_t align, size_t n)
{
	ours++;
	return __real_posix_memalign(out, align, n);
}

char *__wrap_strdup(const char *s)
{
	char *copy = __wrap_malloc(strlen(s) + 1);

	return copy ? strcpy(copy, s) : NULL;
}

#endif
