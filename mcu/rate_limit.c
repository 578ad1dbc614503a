#include "mcu/rate_limit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *key;
	GList link; /* in the order of use, the newest first; data: this */
	unsigned n; /* counts that are kept */
	int64_t at_ns[]; /* in order, the oldest first */
};

struct rate_limit {
	unsigned max;
	int64_t window_ns;
	size_t n_keys;
	GHashTable *entries; /* key → struct entry */
	GQueue used;
};

static void entry_free(gpointer p)
{
	struct entry *e = p;

	g_free(e->key);
	free(e);
}

int rate_limit_new(struct rate_limit **out, unsigned max, int64_t window_ns, size_t n_keys)
{
	struct rate_limit *l;

	if (!max || max > RATE_LIMIT_MAX || window_ns <= 0 || !n_keys)
		return -EINVAL;
	l = calloc(1, sizeof *l);
	if (!l)
		return -ENOMEM;
	l->max = max;
	l->window_ns = window_ns;
	l->n_keys = n_keys;
	l->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
	g_queue_init(&l->used);
	*out = l;
	return 0;
}

void rate_limit_free(struct rate_limit **l)
{
	if (!*l)
		return;
	g_hash_table_destroy((*l)->entries);
	free(*l);
	*l = NULL;
}

static void drop(struct rate_limit *l, struct entry *e)
{
	g_queue_unlink(&l->used, &e->link);
	g_hash_table_remove(l->entries, e->key);
}

static void forget_old(struct rate_limit *l, struct entry *e, int64_t now_ns)
{
	unsigned old = 0;

	while (old < e->n && now_ns - e->at_ns[old] >= l->window_ns)
		old++;
	e->n -= old;
	memmove(e->at_ns, e->at_ns + old, e->n * sizeof e->at_ns[0]);
}

int64_t rate_limit_left(struct rate_limit *l, const char *key, int64_t now_ns)
{
	struct entry *e = g_hash_table_lookup(l->entries, key);

	if (!e)
		return 0;
	forget_old(l, e, now_ns);
	return e->n < l->max ? 0 : e->at_ns[e->n - l->max] + l->window_ns - now_ns;
}

static struct entry *make(struct rate_limit *l, const char *key)
{
	struct entry *e;

	if (g_hash_table_size(l->entries) >= l->n_keys)
		drop(l, g_queue_peek_tail(&l->used));
	e = calloc(1, sizeof *e + l->max * sizeof e->at_ns[0]);
	if (!e)
		return NULL;
	e->key = g_strdup(key);
	e->link.data = e;
	g_hash_table_insert(l->entries, e->key, e);
	g_queue_push_head_link(&l->used, &e->link);
	return e;
}

void rate_limit_count(struct rate_limit *l, const char *key, int64_t now_ns)
{
	struct entry *e = g_hash_table_lookup(l->entries, key);

	if (!e && !(e = make(l, key)))
		return;
	forget_old(l, e, now_ns);
	g_queue_unlink(&l->used, &e->link);
	g_queue_push_head_link(&l->used, &e->link);
	if (e->n < l->max)
		e->at_ns[e->n++] = now_ns;
}

int64_t rate_limit_take(struct rate_limit *l, const char *key, int64_t now_ns)
{
	int64_t left = rate_limit_left(l, key, now_ns);

	if (!left)
		rate_limit_count(l, key, now_ns);
	return left;
}

void rate_limit_undo(struct rate_limit *l, const char *key)
{
	struct entry *e = g_hash_table_lookup(l->entries, key);

	if (e && e->n && !--e->n)
		drop(l, e);
}

size_t rate_limit_keys(const struct rate_limit *l)
{
	return g_hash_table_size(l->entries);
}

void rate_limit_address(char out[64], const char *address)
{
	struct in6_addr a;
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, address, &a) != 1) {
		snprintf(out, 64, "%.63s", address);
		return;
	}
	memset(&a.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &a, text, sizeof text);
	snprintf(out, 64, "%s/64", text);
}
