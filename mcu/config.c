#include "mcu/config.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/config_priv.h"

int config_refuse(struct errmsg *why, const struct config_place *at, const char *code,
		  const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!at)
		return errmsg_set(why, -EINVAL, code, "%s", text);
	if (at->line)
		return errmsg_set(why, -EINVAL, code, "%.48s:%zu: %s", at->file, at->line, text);
	return errmsg_set(why, -EINVAL, code, "%.48s: %s", at->file, text);
}

const struct config_key *config_find(const char *path)
{
	for (size_t i = 0; i < config_n_keys; i++)
		if (!strcmp(config_keys[i].path, path))
			return &config_keys[i];
	return NULL;
}

/* Levenshtein distance of the first MAX_NAME characters. */
static size_t distance(const char *a, const char *b)
{
	enum { MAX_NAME = 48 };
	size_t la = strnlen(a, MAX_NAME), lb = strnlen(b, MAX_NAME);
	size_t row[MAX_NAME + 1];

	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

static const char *last_part(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : path;
}

/* The same last part in another section counts as one letter. */
static const char *nearest_key(const char *path)
{
	const char *best = NULL;
	size_t least = strlen(path) / 3 + 1;

	for (size_t i = 0; i < config_n_keys; i++) {
		const char *key = config_keys[i].path;
		size_t d = strcmp(last_part(key), last_part(path)) ? distance(key, path) : 1;

		if (d < least) {
			least = d;
			best = key;
		}
	}
	return best;
}

static const char *nearest_section(const char *name)
{
	const char *best = NULL;
	size_t least = strlen(name) / 3 + 2;

	for (size_t i = 0; i < config_n_sections; i++) {
		size_t d = distance(config_sections[i].name, name);

		if (d < least) {
			least = d;
			best = config_sections[i].name;
		}
	}
	return best;
}

int config_refuse_unknown(struct errmsg *why, const struct config_place *at, const char *path)
{
	const char *near = strchr(path, '.') ? nearest_key(path) : nearest_section(path);

	if (near)
		return config_refuse(why, at, "config_unknown_key",
				     "unknown key \"%.64s\"; did you mean \"%s\"?", path, near);
	return config_refuse(why, at, "config_unknown_key",
			     "unknown key \"%.64s\"; mcu --default-config lists all keys", path);
}

static int assign_int(int *field, const struct config_key *k, const char *text, bool quoted,
		      const struct config_place *at, struct errmsg *why)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	if (quoted || *end || end == text || strchr(" \t\n+", *text))
		return config_refuse(why, at, "config_bad_type",
				     "%s must be a whole number from %d to %d, not \"%.40s\"", k->path,
				     k->min, k->max, text);
	if (errno || v < k->min || v > k->max)
		return config_refuse(why, at, "config_out_of_range",
				     "%s must be from %d to %d, not %.24s", k->path, k->min, k->max, text);
	if (k->type == KEY_EVEN && v % 2)
		return config_refuse(why, at, "config_out_of_range", "%s must be even: %ld or %ld",
				     k->path, v - 1, v + 1);
	*field = (int)v;
	return 0;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t n = strlen(text);

	for (const char *p = choices; p; p = strchr(p, '|')) {
		p += *p == '|';
		if (n && !strncmp(p, text, n) && (p[n] == '|' || !p[n]))
			return true;
	}
	return false;
}

static int assign_string(char **field, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

int config_assign(struct config *c, const struct config_key *k, const char *text, bool quoted,
		  const struct config_place *at, struct errmsg *why)
{
	void *field = config_field(c, k);
	const char *should;

	switch (k->type) {
	case KEY_INT:
	case KEY_EVEN:
		return assign_int(field, k, text, quoted, at, why);
	case KEY_BOOL:
		if (quoted || (strcmp(text, "true") && strcmp(text, "false")))
			return config_refuse(why, at, "config_bad_type",
					     "%s must be true or false, not \"%.40s\"", k->path, text);
		*(bool *)field = text[0] == 't';
		return 0;
	case KEY_CHOICE:
	case KEY_LEVEL:
		if (!is_choice(k->choices, text))
			return config_refuse(why, at, "config_out_of_range",
					     "%s must be one of %s, not \"%.40s\"", k->path, k->choices,
					     text);
		if (k->type == KEY_LEVEL) {
			*(int *)field = log_level_parse(text);
			return 0;
		}
		return assign_string(field, text);
	case KEY_STRING:
		should = k->check ? k->check(text) : NULL;
		if (should)
			return config_refuse(why, at, "config_out_of_range",
					     "%s must be %s, not \"%.40s\"", k->path, should, text);
		return assign_string(field, text);
	case KEY_STRINGS:
	case KEY_TURNS:
		break;
	}
	return config_refuse(why, at, "config_bad_type", "%s must be a list: [ … ]", k->path);
}

void config_clear_list(struct config *c, const struct config_key *k)
{
	if (k->type == KEY_STRINGS) {
		struct config_strings *s = config_field(c, k);

		for (size_t i = 0; i < s->n; i++)
			free(s->items[i]);
		free(s->items);
		*s = (struct config_strings){ 0 };
	} else {
		struct config_turns *t = config_field(c, k);

		for (size_t i = 0; i < t->n; i++) {
			free(t->items[i].url);
			free(t->items[i].username);
			free(t->items[i].credential);
		}
		free(t->items);
		*t = (struct config_turns){ 0 };
	}
}

int config_init(struct config *c)
{
	struct errmsg why;

	*c = (struct config){ 0 };
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];
		int err;

		if (k->type == KEY_STRINGS || k->type == KEY_TURNS)
			err = config_assign_text_list(c, k, k->def, NULL, &why);
		else
			err = config_assign(c, k, k->def, false, NULL, &why);
		if (err == -ENOMEM) {
			config_free(c);
			return err;
		}
		assert(!err);
	}
	return 0;
}

void config_free(struct config *c)
{
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];

		if (k->type == KEY_STRINGS || k->type == KEY_TURNS)
			config_clear_list(c, k);
		else if (k->type == KEY_STRING || k->type == KEY_CHOICE)
			free(*(char **)config_field(c, k));
	}
	*c = (struct config){ 0 };
}

int config_check(const struct config *c, struct errmsg *why)
{
	if (c->http.port < 0 && c->https.port < 0)
		return config_refuse(why, NULL, "config_conflict",
				     "http.port and https.port are both off (-1): nobody could connect; "
				     "switch one of them on");
	if (!c->video.encode.n)
		return config_refuse(why, NULL, "config_conflict",
				     "video.encode is empty: nobody could be sent a picture; name at "
				     "least one of h264, vp8, vp9 and av1");
	if (!*c->https.certificate != !*c->https.key)
		return config_refuse(why, NULL, "config_conflict",
				     "https.certificate and https.key belong together: give both, or "
				     "neither for a generated one");
	if (!c->ice.port_min != !c->ice.port_max)
		return config_refuse(why, NULL, "config_conflict",
				     "ice.port_min and ice.port_max belong together: give both, or 0 "
				     "for both");
	if (c->ice.port_min > c->ice.port_max)
		return config_refuse(why, NULL, "config_conflict",
				     "ice.port_min (%d) must not be above ice.port_max (%d)",
				     c->ice.port_min, c->ice.port_max);
	if (c->http.port > 0 && c->http.port == c->https.port)
		return config_refuse(why, NULL, "config_conflict",
				     "http.port and https.port are both %d: give each its own",
				     c->http.port);
	if (c->sip.port > 0 && c->sip.port == c->sip.tls_port)
		return config_refuse(why, NULL, "config_conflict",
				     "sip.port and sip.tls_port are both %d: give each its own",
				     c->sip.port);
	return 0;
}
