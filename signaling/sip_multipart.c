#include "signaling/sip_multipart.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { BOUNDARY_MAX = 70 };

struct text {
	const char *at, *end;
};

struct delimiter {
	char text[BOUNDARY_MAX + 3];
	size_t len;
};

static bool make(struct delimiter *d, const char *boundary)
{
	size_t n = strlen(boundary);

	if (n >= 2 && boundary[0] == '"' && boundary[n - 1] == '"') {
		boundary++;
		n -= 2;
	}
	if (!n || n > BOUNDARY_MAX)
		return false;
	memcpy(d->text, "--", 2);
	memcpy(d->text + 2, boundary, n);
	d->len = n + 2;
	return true;
}

/* The next line, without its end. False: there is none. */
static bool next_line(struct text *t, struct text *line)
{
	if (t->at >= t->end)
		return false;
	const char *lf = memchr(t->at, '\n', (size_t)(t->end - t->at));
	line->at = t->at;
	line->end = lf ? lf : t->end;
	t->at = lf ? lf + 1 : t->end;
	if (line->end > line->at && line->end[-1] == '\r')
		line->end--;
	return true;
}

/* 0: no delimiter; 1: a part follows; 2: it was the last. */
static int delimits(const struct text *line, const struct delimiter *d)
{
	const char *p = line->at;

	if ((size_t)(line->end - p) < d->len || memcmp(p, d->text, d->len))
		return 0;
	p += d->len;
	bool last = line->end - p >= 2 && p[0] == '-' && p[1] == '-';
	for (p += last ? 2 : 0; p < line->end; p++)
		if (*p != ' ' && *p != '\t')
			return 0;
	return last ? 2 : 1;
}

/* The value of a header of that name, without what follows a ';'. False: another. */
static bool value_of(const struct text *line, const char *name, struct text *v)
{
	size_t n = strlen(name);

	if ((size_t)(line->end - line->at) <= n || strncasecmp(line->at, name, n))
		return false;
	v->at = line->at + n;
	while (v->at < line->end && (*v->at == ' ' || *v->at == '\t'))
		v->at++;
	if (v->at >= line->end || *v->at++ != ':')
		return false;
	while (v->at < line->end && (*v->at == ' ' || *v->at == '\t'))
		v->at++;
	for (v->end = v->at; v->end < line->end && *v->end != ';';)
		v->end++;
	while (v->end > v->at && (v->end[-1] == ' ' || v->end[-1] == '\t'))
		v->end--;
	return true;
}

static bool says(const struct text *v, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(v->end - v->at) == n && !strncasecmp(v->at, what, n);
}

/* Reads a part's headers and the empty line. Whether it is of that type, as it is. */
static bool is_wanted(struct text *t, const char *type)
{
	bool wanted = false, plain = true;
	struct text line, v;

	while (next_line(t, &line) && line.at < line.end)
		if (value_of(&line, "Content-Type", &v) || value_of(&line, "c", &v))
			wanted = says(&v, type);
		else if (value_of(&line, "Content-Transfer-Encoding", &v))
			plain = says(&v, "7bit") || says(&v, "8bit") || says(&v, "binary");
	return wanted && plain;
}

const char *sip_multipart_find(const char *boundary, const char *type, const char *body,
			       size_t len, size_t *part_len)
{
	struct text t = { body, body + len }, line;
	struct delimiter d;
	int what = 0;

	*part_len = 0;
	if (!make(&d, boundary))
		return NULL;
	while (!what && next_line(&t, &line))
		what = delimits(&line, &d);
	for (int i = 0; what == 1 && i < SIP_MULTIPART_MAX; i++) {
		bool wanted = is_wanted(&t, type);
		const char *from = t.at, *to = t.at;

		what = 0;
		while (!what && next_line(&t, &line)) {
			what = delimits(&line, &d);
			if (!what)
				to = line.end; /* the break before a delimiter is its own */
		}
		if (wanted && to > from && what) {
			*part_len = (size_t)(to - from);
			return from;
		}
	}
	return NULL;
}
