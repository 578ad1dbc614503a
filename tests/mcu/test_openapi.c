/* Every route of the server is in the document of the REST interface, and every
 * operation of the document is a route. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yaml.h>

#include "mcu/openapi.h"
#include "mcu/conference.h"
#include "mcu/routes.h"
#include "signaling/whip.h"

static bool is_method(const char *key)
{
	static const char *const methods[] = { "get", "put", "post", "patch", "delete", "options" };

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (!strcmp(key, methods[i]))
			return true;
	return false;
}

static const char *text(yaml_document_t *d, yaml_node_item_t i)
{
	yaml_node_t *n = yaml_document_get_node(d, i);

	assert_int_equal(n->type, YAML_SCALAR_NODE);
	return (const char *)n->data.scalar.value;
}

/* A mapping's value; 0: not there. */
static yaml_node_item_t find(yaml_document_t *d, yaml_node_t *map, const char *key)
{
	assert_int_equal(map->type, YAML_MAPPING_NODE);
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++)
		if (!strcmp(text(d, p->key), key))
			return p->value;
	return 0;
}

/* "GET /api/v1/rooms/:room" of each operation. */
static GHashTable *operations(yaml_document_t *d)
{
	GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	yaml_node_t *root = yaml_document_get_root_node(d);
	yaml_node_t *paths = yaml_document_get_node(d, find(d, root, "paths"));

	for (yaml_node_pair_t *p = paths->data.mapping.pairs.start;
	     p < paths->data.mapping.pairs.top; p++) {
		yaml_node_t *item = yaml_document_get_node(d, p->value);
		GString *path = g_string_new(text(d, p->key));

		g_string_replace(path, "{", ":", 0);
		g_string_replace(path, "}", "", 0);
		for (yaml_node_pair_t *o = item->data.mapping.pairs.start;
		     o < item->data.mapping.pairs.top; o++) {
			char *method;

			if (!is_method(text(d, o->key)))
				continue;
			assert_int_not_equal(find(d, yaml_document_get_node(d, o->value), "responses"), 0);
			assert_int_not_equal(find(d, yaml_document_get_node(d, o->value), "summary"), 0);
			method = g_ascii_strup(text(d, o->key), -1);
			g_hash_table_add(all, g_strdup_printf("%s %s", method, path->str));
			g_free(method);
		}
		g_string_free(path, TRUE);
	}
	return all;
}

static void check_routes(const struct server *s, GHashTable *documented)
{
	const char *method, *pattern;
	size_t n = 0;

	while (server_get_route(s, n, &method, &pattern)) {
		char *key = g_strdup_printf("%s %s", method, pattern);

		if (!g_hash_table_remove(documented, key))
			fail_msg("%s is not in signaling/openapi.yaml (or there twice)", key);
		g_free(key);
		n++;
	}
	assert_true(n > 20);
}

static void every_route_is_documented(void **state)
{
	struct server_cfg cfg = { .loop = g_main_loop_new(NULL, FALSE), .address = "127.0.0.1",
				  .https_port = -1 };
	static const struct server_events events = { 0 };
	struct routes_cfg routes_cfg = { 0 };
	struct routes *routes;
	struct whip *whip;
	struct server *s;
	struct errmsg why;
	yaml_document_t d;
	yaml_parser_t parser;
	size_t len;
	const char *document = openapi_document(&len);
	GHashTable *left;
	GHashTableIter it;
	gpointer key;

	(void)state;
	role_assert_ctl();
	assert_int_equal(server_new(&s, &cfg, &events, NULL, &why), 0);
	assert_int_equal(routes_new(&routes, s, &routes_cfg), 0);
	assert_int_equal(whip_new(&whip, &conference_api, NULL, NULL), 0);
	assert_int_equal(whip_routes(whip, s), 0);
	assert_true(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, (const unsigned char *)document, len);
	if (!yaml_parser_load(&parser, &d))
		fail_msg("line %zu: %s", parser.problem_mark.line + 1, parser.problem);
	left = operations(&d);
	check_routes(s, left);
	g_hash_table_iter_init(&it, left);
	if (g_hash_table_iter_next(&it, &key, NULL))
		fail_msg("signaling/openapi.yaml has %s, the server has not", (char *)key);
	g_hash_table_destroy(left);
	yaml_document_delete(&d);
	yaml_parser_delete(&parser);
	whip_shutdown(whip);
	routes_stop(routes);
	server_free(&s, 0);
	routes_free(&routes);
	whip_free(&whip);
	g_main_loop_unref(cfg.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_documented),
	};

	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
