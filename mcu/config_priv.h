/* The table of keys, shared by the parts of config. Internal to mcu/config*.c. */
#ifndef MCU_CONFIG_PRIV_H
#define MCU_CONFIG_PRIV_H

#include <yaml.h>

#include "mcu/config.h"

enum key_type { KEY_BOOL = 1, KEY_INT, KEY_EVEN, KEY_CHOICE, KEY_LEVEL, KEY_STRING, KEY_STRINGS,
		KEY_TURNS };

/* NULL: good; otherwise what the value should be ("an IP address, or empty"). */
typedef const char *config_value_check(const char *value);

struct config_key {
	const char *path; /* "section.key" */
	enum key_type type;
	size_t offset;    /* in struct config */
	int min, max;     /* KEY_INT, KEY_EVEN */
	const char *choices;       /* KEY_CHOICE, KEY_LEVEL: "a|b|c" */
	config_value_check *check; /* KEY_STRING, each item of KEY_STRINGS; or NULL */
	const char *def;  /* the default as text; of lists as in YAML, "" for an empty one */
	const char *doc;
};

struct config_section {
	const char *name, *doc;
};

extern const struct config_key config_keys[];
extern const size_t config_n_keys;
extern const struct config_section config_sections[];
extern const size_t config_n_sections;

/* Where a value stands: for messages. line 0: no file. */
struct config_place {
	const char *file;
	size_t line;
};

/* "mcu.yaml:12: " or "--set: ", then the text. Returns -EINVAL. */
__attribute__((format(printf, 4, 5)))
int config_refuse(struct errmsg *why, const struct config_place *at, const char *code,
		  const char *fmt, ...);

const struct config_key *config_find(const char *path);
/* Refuses path, with the nearest key as a suggestion. */
int config_refuse_unknown(struct errmsg *why, const struct config_place *at, const char *path);

/* Sets a key that is no list. quoted: the text stood in quotes. */
int config_assign(struct config *c, const struct config_key *k, const char *text, bool quoted,
		  const struct config_place *at, struct errmsg *why);
/* Sets a list from a YAML node. */
int config_assign_list(struct config *c, const struct config_key *k, yaml_document_t *doc,
		       yaml_node_t *node, const struct config_place *at, struct errmsg *why);
/* The same from text: "[a, b]"; "": empty. at NULL: no file. */
int config_assign_text_list(struct config *c, const struct config_key *k, const char *text,
			    const struct config_place *at, struct errmsg *why);
void config_clear_list(struct config *c, const struct config_key *k);

static inline void *config_field(struct config *c, const struct config_key *k)
{
	return (char *)c + k->offset;
}

#endif
