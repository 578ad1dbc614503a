#include "mcu/prompts.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mixer/audio/prompt_file.h"

enum { PATH_BYTES = 1024, NAMES_MOST = 4096 };

struct prompts {
	GHashTable *by_name; /* "en/welcome", "music" → struct prompt */
};

static int add(struct prompts *p, const char *path, const char *key)
{
	struct prompt *s;
	struct errmsg why;
	int err = prompt_file_read(&s, path, &why);

	if (err) {
		log_error(NULL, "announcement: %s", why.text);
		return err;
	}
	g_hash_table_insert(p->by_name, g_strdup(key), s);
	return 0;
}

/* Files of a folder; prefix: of their keys. Folders in it are languages. */
static void add_folder(struct prompts *p, const char *folder, const char *prefix)
{
	GDir *d = g_dir_open(folder, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		char path[PATH_BYTES], key[PATH_BYTES];
		size_t len = strlen(name);

		if (name[0] == '.' || g_hash_table_size(p->by_name) >= NAMES_MOST ||
		    (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
			continue;
		if (len > 4 && !strcmp(name + len - 4, ".wav")) {
			snprintf(key, sizeof key, "%s%.*s", prefix, (int)(len - 4), name);
			(void)add(p, path, key);
		} else if (!*prefix && g_file_test(path, G_FILE_TEST_IS_DIR)) {
			snprintf(key, sizeof key, "%s/", name);
			add_folder(p, path, key);
		}
	}
	if (d)
		g_dir_close(d);
}

int prompts_load(struct prompts **out, const char *own, const char *built)
{
	struct prompts *p = calloc(1, sizeof *p);

	if (!p)
		return -ENOMEM;
	p->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free);
	add_folder(p, built, "");
	if (!prompts_count(p))
		log_error(NULL, "there are no announcements in %s: callers will hear nothing. Build the "
			  "server with `make`, or say in sip.prompts where they are.", built);
	if (*own && !g_file_test(own, G_FILE_TEST_IS_DIR))
		log_error(NULL, "%s (sip.prompts) is no folder: the server's own announcements are "
			  "used.", own);
	else if (*own)
		add_folder(p, own, "");
	*out = p;
	return 0;
}

void prompts_free(struct prompts **p)
{
	if (!*p)
		return;
	g_hash_table_destroy((*p)->by_name);
	free(*p);
	*p = NULL;
}

size_t prompts_count(const struct prompts *p)
{
	return g_hash_table_size(p->by_name);
}

static const struct prompt *find_in(const struct prompts *p, const char *language,
				    const char *name)
{
	char key[128];

	if ((size_t)snprintf(key, sizeof key, "%s/%s", language, name) >= sizeof key)
		return NULL;
	return g_hash_table_lookup(p->by_name, key);
}

const struct prompt *prompts_find(const struct prompts *p, const char *language, const char *name)
{
	const struct prompt *s = find_in(p, language, name);

	if (!s)
		s = g_hash_table_lookup(p->by_name, name);
	return s ? s : find_in(p, "en", name);
}

static size_t put_number(char out[16], size_t at, unsigned number)
{
	snprintf(out, 16, "number_%u", number);
	return at + 1;
}

/* "forty" "two"; Korean has no one before a hundred. */
size_t prompts_number(const char *language, unsigned number, char out[PROMPTS_NUMBER_PARTS][16])
{
	bool korean = !strcmp(language, "ko");
	unsigned most = korean ? 10 : 20, rest;
	size_t n = 0;

	if (number > PROMPTS_NUMBER_MOST)
		number = PROMPTS_NUMBER_MOST;
	rest = number % 100;
	if (number >= 100) {
		if (!korean || number >= 200)
			n = put_number(out[n], n, number / 100);
		strcpy(out[n++], "hundred");
	}
	if (rest > most) {
		n = put_number(out[n], n, rest / 10 * 10);
		rest %= 10;
	}
	if (rest || !number)
		n = put_number(out[n], n, rest);
	return n;
}

size_t prompts_list(const struct prompts *p, const char *language, const char *const *names,
		    size_t n, const struct prompt *out[PROMPT_PARTS], const char **missing)
{
	size_t got = 0;

	*missing = NULL;
	for (size_t i = 0; i < n; i++) {
		char number[PROMPTS_NUMBER_PARTS][16];
		bool is_number = names[i][0] == '=';
		size_t parts = 1;

		if (is_number)
			parts = prompts_number(language, (unsigned)strtoul(names[i] + 1, NULL, 10),
					       number);
		for (size_t k = 0; k < parts && got < PROMPT_PARTS; k++) {
			out[got] = prompts_find(p, language, is_number ? number[k] : names[i]);
			if (out[got])
				got++;
			else if (!*missing)
				*missing = names[i];
		}
	}
	return got;
}
