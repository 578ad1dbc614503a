#include "signaling/whip_sdpfrag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINES = 512, LINE_BYTES = 1024 };

struct reading {
	struct sdpfrag *out;
	char mid[33];
	size_t section; /* its first candidate: a=mid may come behind it */
	unsigned line;
	struct errmsg *why;
};

static int bad(const struct reading *r, const char *what)
{
	return errmsg_set(r->why, -EINVAL, "bad_sdpfrag",
			  "The fragment is wrong in line %u: %s. Send what RFC 8840 calls "
			  "application/trickle-ice-sdpfrag.",
			  r->line, what);
}

/* RFC 8839 5.4: ice-char only. */
static bool ice_text(const char *v, size_t min, size_t max)
{
	size_t n = strspn(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	return !v[n] && n >= min && n <= max;
}

static int take_credential(struct reading *r, char out[257], const char *v, size_t min)
{
	if (!ice_text(v, min, 256))
		return bad(r, min == 4 ? "a=ice-ufrag needs 4 to 256 characters of A-Z a-z 0-9 + /"
				       : "a=ice-pwd needs 22 to 256 characters of A-Z a-z 0-9 + /");
	if (out[0] && strcmp(out, v))
		return bad(r, "all sections must have the same credentials, as of one bundle");
	snprintf(out, 257, "%s", v);
	return 0;
}

static int take_mid(struct reading *r, const char *v)
{
	if (!*v || strlen(v) >= sizeof(r->mid) || strchr(v, ' '))
		return bad(r, "a=mid must be a token of at most 32 characters");
	strcpy(r->mid, v);
	for (size_t i = r->section; i < r->out->n; i++)
		strcpy(r->out->candidate[i].mid, v);
	return 0;
}

static void take_candidate(struct reading *r, const char *v)
{
	struct sdpfrag *f = r->out;
	if (f->n == SDPFRAG_MAX_CANDIDATES || strlen(v) >= sizeof(f->candidate->text))
		return;
	struct sdpfrag_candidate *c = &f->candidate[f->n++];
	strcpy(c->text, v);
	strcpy(c->mid, r->mid);
}

static int take_line(struct reading *r, const char *l)
{
	if (l[0] < 'a' || l[0] > 'z' || l[1] != '=')
		return bad(r, "a line must be a letter, \"=\" and a value");
	if (l[0] == 'm') {
		r->mid[0] = 0;
		r->section = r->out->n;
	}
	if (l[0] != 'a')
		return 0;
	l += 2;
	if (!strncmp(l, "ice-ufrag:", 10))
		return take_credential(r, r->out->ufrag, l + 10, 4);
	if (!strncmp(l, "ice-pwd:", 8))
		return take_credential(r, r->out->pwd, l + 8, 22);
	if (!strncmp(l, "mid:", 4))
		return take_mid(r, l + 4);
	if (!strncmp(l, "candidate:", 10))
		take_candidate(r, l);
	else if (!strcmp(l, "end-of-candidates"))
		r->out->end = true;
	return 0;
}

int sdpfrag_parse(struct sdpfrag *out, const char *text, size_t len, struct errmsg *why)
{
	struct reading r = { .out = out, .why = why };
	const char *end = text + len;
	char line[LINE_BYTES];

	*out = (struct sdpfrag){ .n = 0 };
	if (len > SDPFRAG_MAX_BYTES)
		return bad(&r, "it is too long");
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = nl ? (size_t)(nl - text) : (size_t)(end - text);
		size_t chars = n && text[n - 1] == '\r' ? n - 1 : n;

		if (++r.line > MAX_LINES || chars >= sizeof(line))
			return bad(&r, "there are too many lines, or this one is too long");
		for (size_t i = 0; i < chars; i++) {
			if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
				return bad(&r, "it has a control character");
			line[i] = text[i];
		}
		line[chars] = 0;
		text += n + (nl != NULL);
		if (!chars)
			continue;
		int err = take_line(&r, line);
		if (err)
			return err;
	}
	if (!out->ufrag[0] != !out->pwd[0])
		return bad(&r, "a=ice-ufrag and a=ice-pwd belong together");
	return 0;
}

/* --- into a description ---------------------------------------------------------- */

static bool is(const struct sdp_attr *a, const char *name)
{
	return !strcmp(a->name, name);
}

static int renew(struct sdp *s, struct sdp_attrs *attrs, const struct sdpfrag *f)
{
	size_t n = 0;

	for (size_t i = 0; i < attrs->n; i++) {
		struct sdp_attr a = attrs->v[i];
		if (is(&a, "candidate") || is(&a, "end-of-candidates"))
			continue;
		if (is(&a, "ice-ufrag") || is(&a, "ice-pwd")) {
			a.value = sdp_strdup(s, is(&a, "ice-ufrag") ? f->ufrag : f->pwd);
			if (!a.value)
				return -ENOMEM;
		}
		attrs->v[n++] = a;
	}
	attrs->n = n;
	return 0;
}

int sdpfrag_apply(struct sdp *offer, const struct sdpfrag *f)
{
	int err = renew(offer, &offer->attrs, f);

	for (size_t i = 0; i < offer->n_media && !err; i++)
		err = renew(offer, &offer->media[i].attrs, f);
	/* of one transport: into every section, the one that carries it is read */
	for (size_t i = 0; i < offer->n_media && !err; i++) {
		for (size_t k = 0; k < f->n && !err; k++)
			err = sdp_add_attr(offer, &offer->media[i], "candidate", "%s",
					   f->candidate[k].text + strlen("candidate:"));
		if (!err && f->end)
			err = sdp_add_flag(offer, &offer->media[i], "end-of-candidates");
	}
	return err;
}

/* --- out --------------------------------------------------------------------------- */

static void write_section(FILE *to, const struct sdp_media *m)
{
	static const char *const names[] = { "mid", "ice-ufrag", "ice-pwd", "candidate",
					     "end-of-candidates" };

	fprintf(to, "m=%s 9 %s", m->kind, m->proto);
	for (size_t i = 0; i < m->n_formats; i++)
		fprintf(to, " %s", m->format[i]);
	fputs("\r\n", to);
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		for (size_t i = 0; i < m->attrs.n; i++) {
			const struct sdp_attr *a = &m->attrs.v[i];
			if (is(a, names[k]))
				fprintf(to, "a=%s%s%s\r\n", a->name, a->value ? ":" : "",
					a->value ? a->value : "");
		}
}

int sdpfrag_write(char **out, const struct sdp *answer, size_t index)
{
	const struct sdp_attr *group = sdp_attr_find(&answer->attrs, "group");
	size_t len;
	FILE *to = open_memstream(out, &len);

	if (!to)
		return -ENOMEM;
	fputs("a=ice-options:trickle\r\n", to);
	if (group && group->value)
		fprintf(to, "a=group:%s\r\n", group->value);
	write_section(to, &answer->media[index]);
	bool failed = ferror(to);
	if (fclose(to) || failed) {
		free(*out);
		*out = NULL;
		return -ENOMEM;
	}
	return 0;
}
