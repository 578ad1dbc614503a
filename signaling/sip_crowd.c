#include "signaling/sip_crowd.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

struct known {
	struct sip_limit_key key;
	uint64_t octets, turn; /* the higher, the newer */
	struct sip_crowd_member *now; /* during a look; NULL: it is not there any more */
};

struct source {
	struct sip_limit_key key;
	size_t n;
};

struct sip_crowd {
	struct sip_crowd_limits limits;
	GHashTable *known; /* descriptor → struct known */
	GHashTable *sources; /* key → struct source, during a look */
	uint64_t turn;
};

static guint hash_key(gconstpointer p)
{
	const struct sip_limit_key *k = p;
	uint64_t all = k->half[0] ^ (k->half[1] * 0x9e3779b97f4a7c15u);

	return (guint)(all ^ all >> 32);
}

static gboolean same_key(gconstpointer a, gconstpointer b)
{
	return !memcmp(a, b, sizeof(struct sip_limit_key));
}

void sip_crowd_new(struct sip_crowd **out, const struct sip_crowd_limits *limits)
{
	struct sip_crowd *c = g_new0(struct sip_crowd, 1);

	c->limits = *limits;
	c->known = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	c->sources = g_hash_table_new_full(hash_key, same_key, NULL, g_free);
	*out = c;
}

void sip_crowd_free(struct sip_crowd **c)
{
	if (!*c)
		return;
	g_hash_table_destroy((*c)->known);
	g_hash_table_destroy((*c)->sources);
	g_free(*c);
	*c = NULL;
}

size_t sip_crowd_size(const struct sip_crowd *c)
{
	return g_hash_table_size(c->known);
}

static struct source *source_of(struct sip_crowd *c, const struct sip_limit_key *key)
{
	struct source *s = g_hash_table_lookup(c->sources, key);

	if (s)
		return s;
	s = g_new0(struct source, 1);
	s->key = *key;
	g_hash_table_insert(c->sources, &s->key, s);
	return s;
}

static void forget(struct sip_crowd *c, struct sip_crowd_member *m, const char *why)
{
	m->over = why;
	source_of(c, &m->key)->n--;
	g_hash_table_remove(c->known, GINT_TO_POINTER(m->fd));
}

/* The descriptor may be another connection's by now. */
static bool goes_on(const struct known *k, const struct sip_crowd_member *m)
{
	return k && same_key(&k->key, &m->key) && m->octets >= k->octets;
}

static bool is_fast(const struct sip_crowd *c, struct known *k, const struct sip_crowd_member *m)
{
	uint64_t before = k->octets;

	k->octets = m->octets;
	return m->octets - before > c->limits.octets;
}

/* Those of before keep their places. */
static void look_at_known(struct sip_crowd *c, struct sip_crowd_member *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct known *k = g_hash_table_lookup(c->known, GINT_TO_POINTER(all[i].fd));

		all[i].over = NULL;
		if (!goes_on(k, &all[i]))
			continue;
		k->now = &all[i];
		source_of(c, &k->key)->n++;
	}
}

static gboolean is_over(gpointer fd, gpointer value, gpointer obj)
{
	(void)fd;
	(void)obj;
	return !((struct known *)value)->now;
}

/* Makes room for one more of s; false: s is among those with the most. */
static bool make_room(struct sip_crowd *c, const struct source *s)
{
	struct source *most = NULL, *other;
	struct known *newest = NULL, *k;
	GHashTableIter i;

	for (g_hash_table_iter_init(&i, c->sources);
	     g_hash_table_iter_next(&i, NULL, (gpointer *)&other);)
		if (!most || other->n > most->n)
			most = other;
	if (!most || most->n <= s->n + 1)
		return false;
	for (g_hash_table_iter_init(&i, c->known); g_hash_table_iter_next(&i, NULL, (gpointer *)&k);)
		if (same_key(&k->key, &most->key) && (!newest || k->turn > newest->turn))
			newest = k;
	if (!newest)
		return false;
	forget(c, newest->now, "too many connections of all");
	return true;
}

static void admit(struct sip_crowd *c, struct sip_crowd_member *m)
{
	struct source *s = source_of(c, &m->key);
	struct known *k;

	if (s->n >= c->limits.of_source) {
		m->over = "too many connections";
		return;
	}
	if (g_hash_table_size(c->known) >= c->limits.of_all && !make_room(c, s)) {
		m->over = "too many connections of all";
		return;
	}
	k = g_new0(struct known, 1);
	*k = (struct known){ .key = m->key, .turn = ++c->turn, .now = m };
	s->n++;
	g_hash_table_insert(c->known, GINT_TO_POINTER(m->fd), k);
}

void sip_crowd_look(struct sip_crowd *c, struct sip_crowd_member *all, size_t n)
{
	GHashTableIter i;
	struct known *k;

	look_at_known(c, all, n);
	g_hash_table_foreach_remove(c->known, is_over, NULL);
	for (size_t m = 0; m < n; m++)
		if (!g_hash_table_contains(c->known, GINT_TO_POINTER(all[m].fd)))
			admit(c, &all[m]);
	for (size_t m = 0; m < n; m++) {
		k = g_hash_table_lookup(c->known, GINT_TO_POINTER(all[m].fd));
		if (k && is_fast(c, k, &all[m]))
			forget(c, &all[m], "too much at once");
	}
	for (g_hash_table_iter_init(&i, c->known); g_hash_table_iter_next(&i, NULL, (gpointer *)&k);)
		k->now = NULL;
	g_hash_table_remove_all(c->sources);
}
