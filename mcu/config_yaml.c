#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/config_priv.h"

enum { MAX_FILE_BYTES = 1 << 20, MAX_LIST = 64 };

static const char *text_of(const yaml_node_t *n)
{
	return (const char *)n->data.scalar.value;
}

/* A text without NUL inside. */
static bool is_text(const yaml_node_t *n)
{
	return n->type == YAML_SCALAR_NODE && strlen(text_of(n)) == n->data.scalar.length;
}

static bool is_quoted(const yaml_node_t *n)
{
	return n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
}

static struct config_place place_of(const struct config_place *file, const yaml_node_t *n)
{
	/* line 0 stays: there is no file, "--set" */
	return (struct config_place){ file->file, file->line ? n->start_mark.line + 1 : 0 };
}

static int assign_turn_field(struct config_turn *t, const char *name, const char *value,
			     const struct config_place *at, struct errmsg *why)
{
	char **field = !strcmp(name, "url")	     ? &t->url :
		       !strcmp(name, "username")   ? &t->username :
		       !strcmp(name, "credential") ? &t->credential :
						     NULL;

	if (!field)
		return config_refuse(why, at, "config_unknown_key",
				     "unknown key \"%.40s\" in ice.turn; a server has url, username and "
				     "credential", name);
	if (*field)
		return config_refuse(why, at, "config_duplicate_key",
				     "%s is given twice for a server of ice.turn; remove one", name);
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

static int add_turn(struct config_turns *list, const struct config_key *k, yaml_document_t *doc,
		    yaml_node_t *node, const struct config_place *file, struct errmsg *why)
{
	struct config_turn *t = &list->items[list->n++];
	struct config_place at = place_of(file, node);
	const char *should;

	if (node->type != YAML_MAPPING_NODE)
		return config_refuse(why, &at, "config_bad_type",
				     "a server of ice.turn must be {url: …, username: …, credential: …}");
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		yaml_node_t *name = yaml_document_get_node(doc, p->key);
		yaml_node_t *value = yaml_document_get_node(doc, p->value);
		struct config_place here = place_of(file, name);
		int err;

		if (!is_text(name) || !is_text(value))
			return config_refuse(why, &here, "config_bad_type",
					     "url, username and credential of ice.turn must be texts");
		err = assign_turn_field(t, text_of(name), text_of(value), &here, why);
		if (err)
			return err;
	}
	if (!t->url || !t->username || !t->credential)
		return config_refuse(why, &at, "config_bad_type",
				     "a server of ice.turn needs url, username and credential");
	should = k->check(t->url);
	if (should)
		return config_refuse(why, &at, "config_out_of_range",
				     "url of ice.turn must be %s, not \"%.40s\"", should, t->url);
	return 0;
}

static int add_string(struct config_strings *list, const struct config_key *k, yaml_node_t *node,
		      const struct config_place *file, struct errmsg *why)
{
	struct config_place at = place_of(file, node);
	const char *should;

	if (!is_text(node))
		return config_refuse(why, &at, "config_bad_type", "%s must be a list of texts", k->path);
	should = k->check ? k->check(text_of(node)) : NULL;
	if (should)
		return config_refuse(why, &at, "config_out_of_range",
				     "an entry of %s must be %s, not \"%.40s\"", k->path, should,
				     text_of(node));
	list->items[list->n] = strdup(text_of(node));
	if (!list->items[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

int config_assign_list(struct config *c, const struct config_key *k, yaml_document_t *doc,
		       yaml_node_t *node, const struct config_place *at, struct errmsg *why)
{
	struct config_strings *strings = config_field(c, k);
	struct config_turns *turns = config_field(c, k);
	bool of_strings = k->type == KEY_STRINGS;
	struct config_place here = place_of(at, node);
	yaml_node_item_t *first, *top;
	int err = 0;

	config_clear_list(c, k);
	if (node->type != YAML_SEQUENCE_NODE)
		return config_refuse(why, &here, "config_bad_type", "%s must be a list: [ … ]", k->path);
	first = node->data.sequence.items.start;
	top = node->data.sequence.items.top;
	if (top - first > MAX_LIST)
		return config_refuse(why, &here, "config_out_of_range", "%s takes at most %d entries",
				     k->path, MAX_LIST);
	if (first == top)
		return 0;
	if (of_strings)
		strings->items = calloc((size_t)(top - first), sizeof(*strings->items));
	else
		turns->items = calloc((size_t)(top - first), sizeof(*turns->items));
	if (of_strings ? !strings->items : !turns->items)
		return -ENOMEM;
	for (yaml_node_item_t *i = first; i < top && !err; i++) {
		yaml_node_t *item = yaml_document_get_node(doc, *i);

		err = of_strings ? add_string(strings, k, item, at, why) :
				   add_turn(turns, k, doc, item, at, why);
	}
	return err;
}

/* Which keys a file has given, to refuse a second time. */
struct reading {
	struct config *c;
	yaml_document_t *doc;
	struct config_place file;
	size_t *line_of; /* [config_n_keys], 0: not yet */
	struct errmsg *why;
};

static int read_value(struct reading *r, const char *path, yaml_node_t *name, yaml_node_t *value)
{
	struct config_place at = place_of(&r->file, name);
	const struct config_key *k = config_find(path);
	size_t *line;

	if (!k)
		return config_refuse_unknown(r->why, &at, path);
	line = &r->line_of[k - config_keys];
	if (*line)
		return config_refuse(r->why, &at, "config_duplicate_key",
				     "%s is already given in line %zu; remove one of them", path, *line);
	*line = at.line;
	if (k->type == KEY_STRINGS || k->type == KEY_TURNS)
		return config_assign_list(r->c, k, r->doc, value, &r->file, r->why);
	if (!is_text(value))
		return config_refuse(r->why, &at, "config_bad_type",
				     "%s must be a single value, like %s", path,
				     *k->def ? k->def : "\"\"");
	return config_assign(r->c, k, text_of(value), is_quoted(value), &at, r->why);
}

static int read_section(struct reading *r, const char *section, yaml_node_t *node)
{
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		yaml_node_t *name = yaml_document_get_node(r->doc, p->key);
		yaml_node_t *value = yaml_document_get_node(r->doc, p->value);
		struct config_place at = place_of(&r->file, name);
		char path[96];
		int err;

		if (!is_text(name))
			return config_refuse(r->why, &at, "config_bad_type",
					     "a key in section \"%.40s\" must be a plain word", section);
		snprintf(path, sizeof(path), "%.40s.%.50s", section, text_of(name));
		err = read_value(r, path, name, value);
		if (err)
			return err;
	}
	return 0;
}

static bool is_section(const char *name)
{
	for (size_t i = 0; i < config_n_sections; i++)
		if (!strcmp(config_sections[i].name, name))
			return true;
	return false;
}

static bool is_empty(const yaml_node_t *n)
{
	return n->type == YAML_SCALAR_NODE && !n->data.scalar.length && !is_quoted(n);
}

static int read_root(struct reading *r, yaml_node_t *root)
{
	if (is_empty(root))
		return 0;
	if (root->type != YAML_MAPPING_NODE) {
		struct config_place at = place_of(&r->file, root);

		return config_refuse(r->why, &at, "config_bad_type",
				     "the file must consist of sections, like \"video:\" and below it "
				     "\"  fps: 30\"");
	}
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start;
	     p < root->data.mapping.pairs.top; p++) {
		yaml_node_t *name = yaml_document_get_node(r->doc, p->key);
		yaml_node_t *value = yaml_document_get_node(r->doc, p->value);
		struct config_place at = place_of(&r->file, name);
		int err;

		if (!is_text(name) || !is_section(text_of(name)))
			return config_refuse_unknown(r->why, &at, is_text(name) ? text_of(name) : "?");
		if (is_empty(value))
			continue;
		if (value->type != YAML_MAPPING_NODE)
			return config_refuse(r->why, &at, "config_bad_type",
					     "%s is a section: write \"%s:\" and its keys indented below",
					     text_of(name), text_of(name));
		err = read_section(r, text_of(name), value);
		if (err)
			return err;
	}
	return 0;
}

static int refuse_syntax(const yaml_parser_t *p, const struct config_place *file,
			 struct errmsg *why)
{
	struct config_place at = *file;

	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (at.line)
		at.line = p->problem_mark.line + 1;
	return config_refuse(why, &at, "config_syntax", "this is not YAML: %.120s",
			     p->problem ? p->problem : "unreadable");
}

/* Only one document, and no second one after it. */
static int load_only(yaml_parser_t *p, yaml_document_t *doc, const struct config_place *file,
		     struct errmsg *why)
{
	yaml_document_t second;
	bool more;

	if (!yaml_parser_load(p, doc))
		return refuse_syntax(p, file, why);
	if (!yaml_document_get_root_node(doc))
		return 0;
	if (!yaml_parser_load(p, &second)) {
		yaml_document_delete(doc);
		return refuse_syntax(p, file, why);
	}
	more = yaml_document_get_root_node(&second) != NULL;
	yaml_document_delete(&second);
	if (!more)
		return 0;
	yaml_document_delete(doc);
	return config_refuse(why, file, "config_syntax",
			     "the file holds several documents; remove the \"---\" lines");
}

int config_parse(struct config *c, const char *text, size_t len, const char *file,
		 struct errmsg *why)
{
	struct reading r = { .c = c, .file = { file, 1 }, .why = why };
	yaml_document_t doc;
	yaml_parser_t parser;
	int err;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	err = load_only(&parser, &doc, &r.file, why);
	if (!err) {
		r.doc = &doc;
		r.line_of = calloc(config_n_keys, sizeof(*r.line_of));
		err = r.line_of ? 0 : -ENOMEM;
		if (!err && yaml_document_get_root_node(&doc))
			err = read_root(&r, yaml_document_get_root_node(&doc));
		free(r.line_of);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	if (err == -ENOMEM)
		errmsg_set(why, err, "out_of_memory", "out of memory while reading %s", file);
	return err;
}

int config_read(struct config *c, const char *path, struct errmsg *why)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t len;
	int err = f ? 0 : -errno;

	if (!err) {
		text = malloc(MAX_FILE_BYTES);
		err = text ? 0 : -ENOMEM;
	}
	if (err) {
		errmsg_set(why, err, "config_unreadable", "cannot read %s: %s", path, err_str(err));
		goto out;
	}
	errno = 0;
	len = fread(text, 1, MAX_FILE_BYTES, f);
	if (ferror(f)) {
		err = errno ? -errno : -EIO;
		errmsg_set(why, err, "config_unreadable", "cannot read %s: %s", path, err_str(err));
	} else if (len == MAX_FILE_BYTES) {
		err = errmsg_set(why, -EFBIG, "config_unreadable",
				 "%s is larger than a configuration can be (1 MiB)", path);
	} else {
		err = config_parse(c, text, len, path, why);
	}
out:
	free(text);
	if (f)
		fclose(f);
	return err;
}

int config_assign_text_list(struct config *c, const struct config_key *k, const char *text,
			    const struct config_place *at, struct errmsg *why)
{
	const struct config_place none = { NULL, 0 };
	yaml_document_t doc;
	yaml_parser_t parser;
	yaml_node_t *root;
	int err;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	if (!at)
		at = &none;
	err = load_only(&parser, &doc, at, why);
	if (!err) {
		root = yaml_document_get_root_node(&doc);
		if (root)
			err = config_assign_list(c, k, &doc, root, at, why);
		else
			config_clear_list(c, k);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return err;
}

int config_set(struct config *c, const char *assignment, struct errmsg *why)
{
	struct config_place at = { "--set", 0 };
	const char *eq = strchr(assignment, '=');
	const struct config_key *k;
	char path[96];

	if (!eq)
		return config_refuse(why, &at, "config_syntax",
				     "\"%.40s\" must be key=value, like video.fps=15", assignment);
	snprintf(path, sizeof(path), "%.*s", (int)(eq - assignment < 95 ? eq - assignment : 95),
		 assignment);
	k = config_find(path);
	if (!k)
		return config_refuse_unknown(why, &at, path);
	if (k->type == KEY_STRINGS || k->type == KEY_TURNS)
		return config_assign_text_list(c, k, eq + 1, &at, why);
	return config_assign(c, k, eq + 1, false, &at, why);
}
