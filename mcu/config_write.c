#include <errno.h>
#include <string.h>

#include "mcu/config_priv.h"

enum { COLUMNS = 88 };

/* A comment, folded at spaces; a piece without spaces is left whole. */
static void write_comment(FILE *to, const char *indent, const char *text)
{
	while (*text) {
		size_t room = COLUMNS - strlen(indent), n = strlen(text);

		if (n > room) {
			n = room;
			while (n > 0 && text[n] != ' ')
				n--;
			if (n == 0)
				n = strcspn(text, " ");
		}
		fprintf(to, "%s# %.*s\n", indent, (int)n, text);
		text += n;
		text += strspn(text, " ");
	}
}

static void write_key(FILE *to, const struct config_key *k)
{
	char doc[512], range[128] = "";

	if (k->type == KEY_INT || k->type == KEY_EVEN)
		snprintf(range, sizeof(range), "(%d to %d)", k->min, k->max);
	else if (k->choices)
		snprintf(range, sizeof(range), "(%s)", k->choices);
	snprintf(doc, sizeof(doc), "%s%s%s", k->doc, *k->doc && *range ? " " : "", range);
	write_comment(to, "  ", doc);
	fprintf(to, "  %s: ", strchr(k->path, '.') + 1);
	if (k->type == KEY_STRINGS || k->type == KEY_TURNS)
		fprintf(to, "%s\n", *k->def ? k->def : "[]");
	else
		fprintf(to, k->type == KEY_STRING ? "\"%s\"\n" : "%s\n", k->def);
}

int config_write_defaults(FILE *to)
{
	fputs("# Configuration of mcu. Every key is here with its default; what is left out keeps it.\n"
	      "# Check a file with `mcu --check-config --config FILE`. Unknown keys are refused.\n",
	      to);
	for (size_t s = 0; s < config_n_sections; s++) {
		size_t n = strlen(config_sections[s].name);

		fputc('\n', to);
		write_comment(to, "", config_sections[s].doc);
		fprintf(to, "%s:\n", config_sections[s].name);
		for (size_t i = 0; i < config_n_keys; i++)
			if (!strncmp(config_keys[i].path, config_sections[s].name, n) &&
			    config_keys[i].path[n] == '.')
				write_key(to, &config_keys[i]);
	}
	return fflush(to) || ferror(to) ? -EIO : 0;
}
