#include "mcu/address_count.h"

#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <stdlib.h>

#include "mcu/rate_limit.h"

struct address_count {
	GHashTable *of;
};

int address_count_new(struct address_count **out)
{
	struct address_count *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	c->of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	*out = c;
	return 0;
}

void address_count_free(struct address_count **c)
{
	if (!*c)
		return;
	g_hash_table_destroy((*c)->of);
	free(*c);
	*c = NULL;
}

size_t address_count_get(const struct address_count *c, const char *address)
{
	char key[64];

	rate_limit_address(key, address);
	return GPOINTER_TO_SIZE(g_hash_table_lookup(c->of, key));
}

void address_count_add(struct address_count *c, const char *address)
{
	char key[64];

	rate_limit_address(key, address);
	g_hash_table_insert(c->of, g_strdup(key),
			    GSIZE_TO_POINTER(address_count_get(c, address) + 1));
}

void address_count_remove(struct address_count *c, const char *address)
{
	size_t n = address_count_get(c, address);
	char key[64];

	assert(n);
	rate_limit_address(key, address);
	if (n > 1)
		g_hash_table_insert(c->of, g_strdup(key), GSIZE_TO_POINTER(n - 1));
	else
		g_hash_table_remove(c->of, key);
}

size_t address_count_size(const struct address_count *c)
{
	return g_hash_table_size(c->of);
}
