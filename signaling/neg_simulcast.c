/* A mixer shows each picture at one size: of a simulcast (RFC 8853) it takes one
 * layer, the largest. How large a layer is, an offer says with the restrictions of
 * a=rid (RFC 8851), which browsers do not write; the order is one of preference
 * and as often ascending as descending. What is left are the names in use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/neg_internal.h"
#include "signaling/sdp_text.h"

enum { MAX_LAYERS = 8, RID_BYTES = 17 /* what the header extension can carry */ };

struct layer {
	char rid[RID_BYTES];
	bool paused;	 /* "~": not sent at first */
	uint64_t pixels; /* as restricted; 0: unsaid */
};
struct layers {
	struct layer v[MAX_LAYERS];
	size_t n;
};

/* "[~]rid", of alternatives ("a,b") the first one. */
static void add_layer(struct layers *x, const char *at, size_t len)
{
	struct layer *l = &x->v[x->n];
	size_t n = 0;

	l->paused = len && *at == '~';
	if (l->paused) {
		at++;
		len--;
	}
	while (n < len && at[n] != ',')
		n++;
	if (!n || n >= sizeof(l->rid))
		return;
	memcpy(l->rid, at, n);
	l->rid[n] = 0;
	l->pixels = 0;
	x->n++;
}

/* "send a;b;c recv d" */
static void read_list(struct layers *x, const char *v)
{
	char word[256];

	while (sdp_copy_word(&v, word, sizeof(word))) {
		bool send = !strcmp(word, "send");
		if (!sdp_copy_word(&v, word, sizeof(word)))
			return;
		for (const char *p = word; send && *p && x->n < MAX_LAYERS;) {
			size_t len = strcspn(p, ";");
			add_layer(x, p, len);
			p += len + (p[len] == ';');
		}
	}
}

/* "<rid> send [pt=…;max-width=…;max-height=…]" */
static void read_restrictions(struct layers *x, const char *v)
{
	char rid[RID_BYTES], dir[8];

	if (!sdp_copy_word(&v, rid, sizeof(rid)) || !sdp_copy_word(&v, dir, sizeof(dir)) ||
	    strcmp(dir, "send"))
		return;
	v += strspn(v, " ");
	uint64_t w = neg_fmtp_number(v, "max-width", 0), h = neg_fmtp_number(v, "max-height", 0);
	uint64_t fs = neg_fmtp_number(v, "max-fs", 0);
	for (size_t i = 0; i < x->n; i++)
		if (!strcmp(x->v[i].rid, rid))
			x->v[i].pixels = w && h ? w * h : fs * 256;
}

static const struct layer *find(const struct layers *x, const char *rid)
{
	for (size_t i = 0; i < x->n; i++)
		if (!strcmp(x->v[i].rid, rid))
			return &x->v[i];
	return NULL;
}

static const struct layer *largest(const struct layers *x)
{
	const struct layer *best = NULL;

	for (size_t i = 0; i < x->n; i++) {
		if (!x->v[i].pixels)
			return NULL;
		if (!best || x->v[i].pixels > best->pixels)
			best = &x->v[i];
	}
	return best;
}

/* q h f; h m l; low mid hi …; r0 r1 r2. */
static const struct layer *by_name(const struct layers *x)
{
	static const char *const top[] = { "f", "full", "hi", "high", "h" };

	for (size_t i = 0; i < sizeof(top) / sizeof(top[0]); i++)
		if (find(x, top[i]))
			return find(x, top[i]);
	const struct layer *last = &x->v[x->n - 1];
	if (x->v[0].rid[0] == 'r' && !strcmp(x->v[0].rid, "r0") && last->rid[0] == 'r')
		return last;
	return NULL;
}

void neg_simulcast_choose(struct neg_media *out, const struct sdp_media *m, const char *before)
{
	const struct sdp_attr *a = sdp_attr_find(&m->attrs, "simulcast");
	struct layers x = { .n = 0 };

	out->rid[0] = 0;
	if (a && a->value)
		read_list(&x, a->value);
	if (!x.n)
		return;
	for (size_t i = 0; i < m->attrs.n; i++)
		if (m->attrs.v[i].value && !strcmp(m->attrs.v[i].name, "rid"))
			read_restrictions(&x, m->attrs.v[i].value);
	const struct layer *l = *before ? find(&x, before) : NULL;
	if (!l)
		l = largest(&x);
	if (!l)
		l = by_name(&x);
	for (size_t i = 0; i < x.n && (!l || l->paused); i++)
		if (!x.v[i].paused)
			l = &x.v[i];
	snprintf(out->rid, sizeof(out->rid), "%s", l ? l->rid : x.v[0].rid);
}

uint32_t neg_simulcast_ssrc(const struct sdp_media *m)
{
	for (size_t i = 0; i < m->attrs.n; i++) {
		const char *v = m->attrs.v[i].value;
		char word[16];
		uint64_t ssrc;
		if (v && !strcmp(m->attrs.v[i].name, "ssrc-group") &&
		    sdp_copy_word(&v, word, sizeof(word)) && !strcmp(word, "SIM") &&
		    sdp_copy_word(&v, word, sizeof(word)) && sdp_u64(word, UINT32_MAX, &ssrc))
			return (uint32_t)ssrc;
	}
	return 0;
}
