#include "mcu/base/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By name; complete before main() starts, read only afterwards. */
static struct metric *all;
static size_t n_all;

/* The numbers of a thread; on lines of their own. */
struct share {
	struct share *next;
	_Alignas(64) int64_t value[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list */
static struct share *shares;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;
_Thread_local int64_t *metrics_mine;
static _Thread_local bool ended;

void metrics_register(struct metric *m)
{
	struct metric **at = &all;

	while (*at && strcmp((*at)->name, m->name) < 0)
		at = &(*at)->next;
	m->next = *at;
	*at = m;
	m->id = n_all++;
}

static void end_share(void *obj)
{
	struct share *s = obj, **at;

	ended = true;
	metrics_mine = NULL;
	pthread_mutex_lock(&lock);
	for (struct metric *m = all; m; m = m->next)
		atomic_fetch_add_explicit(&m->value, s->value[m->id], memory_order_relaxed);
	for (at = &shares; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	pthread_mutex_unlock(&lock);
	free(s);
}

static void make_key(void)
{
	has_key = !pthread_key_create(&key, end_share);
}

static struct share *new_share(void)
{
	size_t bytes = (sizeof(struct share) + n_all * sizeof(int64_t) + 63) / 64 * 64;
	struct share *s;

	pthread_once(&once, make_key);
	s = has_key ? aligned_alloc(64, bytes) : NULL;
	if (!s)
		return NULL;
	memset(s, 0, bytes);
	if (pthread_setspecific(key, s)) {
		free(s);
		return NULL;
	}
	pthread_mutex_lock(&lock);
	s->next = shares;
	shares = s;
	pthread_mutex_unlock(&lock);
	return s;
}

/* Without memory, or at the very end of a thread, it is one for all. */
void metrics_add_first(struct metric *m, int64_t n)
{
	struct share *s = ended ? NULL : new_share();

	if (s)
		metrics_mine = s->value;
	if (s)
		metric_add(m, n);
	else
		atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

static int64_t total(const struct metric *m)
{
	int64_t sum;

	pthread_mutex_lock(&lock);
	sum = atomic_load_explicit(&m->value, memory_order_relaxed);
	for (struct share *s = shares; s; s = s->next)
		sum += __atomic_load_n(&s->value[m->id], __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);
	return sum;
}

static int reserve(struct metrics_text *t, size_t more)
{
	size_t cap = t->cap ? t->cap : 4096;
	char *text;

	while (cap < t->len + more + 1)
		cap *= 2;
	if (cap == t->cap)
		return 0;
	text = realloc(t->text, cap);
	if (!text)
		return -ENOMEM;
	t->text = text;
	t->cap = cap;
	return 0;
}

__attribute__((format(printf, 2, 3)))
static int append(struct metrics_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || reserve(t, (size_t)n))
		return -ENOMEM;
	va_start(ap, fmt);
	vsnprintf(t->text + t->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
	return 0;
}

int metrics_family(struct metrics_text *out, const char *name, const char *help, const char *type)
{
	return append(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

int metrics_write(struct metrics_text *out)
{
	int err = 0;

	for (struct metric *m = all; m && !err; m = m->next) {
		int64_t v = total(m);

		err = metrics_family(out, m->name, m->help, m->type);
		if (!err)
			err = append(out, "%s %" PRId64 "\n", m->name, v);
	}
	return err;
}

static int append_escaped(struct metrics_text *t, const char *s)
{
	int err = 0;

	for (; *s && !err; s++) {
		if (*s == '\n')
			err = append(t, "\\n");
		else if (*s == '"' || *s == '\\')
			err = append(t, "\\%c", *s);
		else
			err = append(t, "%c", *s);
	}
	return err;
}

static int append_labels(struct metrics_text *t, const char *const *labels)
{
	int err = 0;

	for (size_t i = 0; labels[i] && !err; i += 2) {
		err = append(t, "%c%s=\"", i ? ',' : '{', labels[i]);
		if (!err)
			err = append_escaped(t, labels[i + 1]);
		if (!err)
			err = append(t, "\"");
	}
	return err ? err : append(t, "}");
}

int metrics_series(struct metrics_text *out, const char *name, const char *const *labels,
		   double value)
{
	int err = append(out, "%s", name);

	if (!err && labels && labels[0])
		err = append_labels(out, labels);
	if (err)
		return err;
	if (isinf(value) || isnan(value))
		return append(out, " %s\n", isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
	/* below 2^53 a double holds every integer */
	if (floor(value) == value && fabs(value) < 9007199254740992.0)
		return append(out, " %" PRId64 "\n", (int64_t)value);
	return append(out, " %.9g\n", value);
}

void metrics_text_free(struct metrics_text *t)
{
	free(t->text);
	*t = (struct metrics_text){ 0 };
}
