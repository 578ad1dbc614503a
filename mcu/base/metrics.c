#include "mcu/base/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By name; complete before main() starts, read only afterwards. */
static struct metric *all;

void metrics_register(struct metric *m)
{
	struct metric **at = &all;

	while (*at && strcmp((*at)->name, m->name) < 0)
		at = &(*at)->next;
	m->next = *at;
	*at = m;
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
		int64_t v = atomic_load_explicit(&m->value, memory_order_relaxed);

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
