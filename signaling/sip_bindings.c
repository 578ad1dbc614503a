#include "signaling/sip_bindings.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct account {
	size_t n;
	struct sip_binding list[SIP_BINDINGS_PER_USER];
};

struct sip_bindings {
	GHashTable *accounts; /* user → struct account */
	size_t count, max;
	sip_bindings_changed *changed;
	void *obj;
};

int sip_bindings_new(struct sip_bindings **out, size_t max, sip_bindings_changed *changed,
		     void *obj)
{
	struct sip_bindings *b = calloc(1, sizeof *b);

	if (!b)
		return -ENOMEM;
	*b = (struct sip_bindings){ .max = max, .changed = changed, .obj = obj };
	b->accounts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free);
	*out = b;
	return 0;
}

void sip_bindings_free(struct sip_bindings **b)
{
	if (!*b)
		return;
	g_hash_table_destroy((*b)->accounts);
	free(*b);
	*b = NULL;
}

static void remove_at(struct account *a, size_t i)
{
	memmove(&a->list[i], &a->list[i + 1], (a->n - i - 1) * sizeof a->list[0]);
	a->n--;
}

static void drop_old(struct account *a, int64_t now_ms)
{
	for (size_t i = a->n; i-- > 0;)
		if (a->list[i].expires_ms <= now_ms)
			remove_at(a, i);
}

/* The account as of now; a copy, to be changed and put back. */
static struct account copy_of(struct sip_bindings *b, const char *user, int64_t now_ms)
{
	const struct account *a = g_hash_table_lookup(b->accounts, user);
	struct account copy = { 0 };

	if (a)
		copy = *a;
	drop_old(&copy, now_ms);
	return copy;
}

static void put(struct sip_bindings *b, const char *user, const struct account *a)
{
	struct account *there = g_hash_table_lookup(b->accounts, user);

	b->count += a->n - (there ? there->n : 0);
	if (!a->n) {
		if (there)
			g_hash_table_remove(b->accounts, user);
		return;
	}
	if (!there) {
		there = calloc(1, sizeof *there);
		if (!there)
			abort(); /* as GLib does */
		g_hash_table_insert(b->accounts, g_strdup(user), there);
	}
	*there = *a;
}

/* --- REGISTER ----------------------------------------------------------------------------- */

/* RFC 3261, 10.3, step 7: an older request of the same registration comes too late. */
static bool is_late(const struct sip_binding *there, const struct sip_register *r)
{
	return !strcmp(there->call_id, r->call_id) && r->cseq <= there->cseq;
}

static ssize_t find(const struct account *a, const struct sip_contact *c)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->list[i].uri, c->uri))
			return (ssize_t)i;
	for (size_t i = 0; c->instance && *c->instance && i < a->n; i++)
		if (!strcmp(a->list[i].instance, c->instance))
			return (ssize_t)i;
	return -1;
}

static bool copy(char *to, size_t cap, const char *from)
{
	return snprintf(to, cap, "%s", from ? from : "") < (int)cap;
}

static bool fill(struct sip_binding *to, const struct sip_register *r, const struct sip_contact *c,
		 int64_t until_ms)
{
	memset(to, 0, sizeof *to);
	(void)copy(to->agent, sizeof to->agent, r->agent);
	to->cseq = r->cseq;
	to->expires_ms = until_ms;
	return copy(to->uri, sizeof to->uri, c->uri) && copy(to->route, sizeof to->route, r->route) &&
	       copy(to->path, sizeof to->path, r->path) &&
	       copy(to->call_id, sizeof to->call_id, r->call_id) &&
	       copy(to->instance, sizeof to->instance, c->instance);
}

static int apply(struct account *a, const struct sip_register *r, const struct sip_contact *c,
		 int64_t now_ms)
{
	int64_t s = c->expires_s >= 0 ? c->expires_s : r->expires_s >= 0 ? r->expires_s :
			SIP_REGISTER_S;
	struct sip_binding fresh;
	ssize_t i = find(a, c);

	if (i >= 0 && is_late(&a->list[i], r))
		return 500;
	if (i >= 0)
		remove_at(a, (size_t)i);
	if (!s)
		return 200;
	if (s < SIP_REGISTER_MIN_S)
		return 423;
	if (s > SIP_REGISTER_MAX_S)
		s = SIP_REGISTER_MAX_S;
	if (!fill(&fresh, r, c, now_ms + s * 1000))
		return 400;
	if (a->n >= SIP_BINDINGS_PER_USER)
		return 403;
	memmove(&a->list[1], &a->list[0], a->n * sizeof a->list[0]);
	a->list[0] = fresh;
	a->n++;
	return 200;
}

static int remove_all(struct account *a, const struct sip_register *r)
{
	if (r->n || r->expires_s)
		return 400;
	for (size_t i = 0; i < a->n; i++)
		if (is_late(&a->list[i], r))
			return 500;
	a->n = 0;
	return 200;
}

int sip_bindings_register(struct sip_bindings *b, const struct sip_register *r, int64_t now_ms)
{
	struct account a = copy_of(b, r->user, now_ms);
	size_t before = a.n;
	int status = 200;

	if (r->all)
		status = remove_all(&a, r);
	for (size_t i = 0; i < r->n && status == 200; i++)
		status = apply(&a, r, &r->contacts[i], now_ms);
	if (status == 200 && a.n > before && b->count + a.n - before > b->max)
		status = 503;
	if (status != 200)
		return status;
	put(b, r->user, &a);
	if ((r->n || r->all) && b->changed)
		b->changed(b->obj, r->user, a.list, a.n);
	return 200;
}

bool sip_bindings_restore(struct sip_bindings *b, const char *user, const struct sip_binding *one,
			  int64_t now_ms)
{
	struct account a = copy_of(b, user, now_ms);

	if (one->expires_ms <= now_ms || a.n >= SIP_BINDINGS_PER_USER || b->count >= b->max)
		return false;
	a.list[a.n++] = *one;
	put(b, user, &a);
	return true;
}

size_t sip_bindings_of(struct sip_bindings *b, const char *user, const struct sip_binding **out,
		       int64_t now_ms)
{
	struct account a = copy_of(b, user, now_ms), *there;

	put(b, user, &a);
	there = g_hash_table_lookup(b->accounts, user);
	*out = there ? there->list : NULL;
	return there ? there->n : 0;
}

void sip_bindings_forget_user(struct sip_bindings *b, const char *user)
{
	struct account none = { 0 };

	put(b, user, &none);
}

void sip_bindings_expire(struct sip_bindings *b, int64_t now_ms)
{
	GHashTableIter i;
	gpointer value;

	g_hash_table_iter_init(&i, b->accounts);
	while (g_hash_table_iter_next(&i, NULL, &value)) {
		struct account *a = value;
		size_t before = a->n;

		drop_old(a, now_ms);
		b->count -= before - a->n;
		if (!a->n)
			g_hash_table_iter_remove(&i);
	}
}

size_t sip_bindings_count(const struct sip_bindings *b)
{
	return b->count;
}
