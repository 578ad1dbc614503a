#include "mcu/options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef MCU_VERSION
#define MCU_VERSION "unknown"
#endif
#ifndef MCU_WEB_PATH
#define MCU_WEB_PATH "/usr/local/share/mcu/web"
#endif

#ifndef MCU_PROMPTS_PATH
#define MCU_PROMPTS_PATH "/usr/local/share/mcu/prompts"
#endif

static const char default_file[] = "mcu.yaml";

void options_write_help(FILE *to)
{
	fputs("usage: mcu [--config FILE] [--set KEY=VALUE]...\n"
	      "       mcu backup FILE [--manifest FILE] [--config FILE] [--set KEY=VALUE]...\n"
	      "       mcu restore FILE [--config FILE] [--set KEY=VALUE]...\n"
	      "\n"
	      "A conferencing server: everybody in a room sends one picture and one sound and\n"
	      "gets back one, composed and mixed of all.\n"
	      "\n"
	      "backup copies the database into a new file, also while the server runs; restore puts\n"
	      "such a copy in its place, when the server is stopped, and keeps the one of before.\n"
	      "\n"
	      "  --config FILE      read this file (default: mcu.yaml if it is there)\n"
	      "  --set KEY=VALUE    override a key of the file, like --set video.fps=15\n"
	      "  --manifest FILE    with backup: list the recordings' files there, a JSON object a line\n"
	      "  --check-config     say what is wrong with the configuration and exit (0 or 2)\n"
	      "  --default-config   write a commented file with all keys to standard output\n"
	      "  --version          write the version\n"
	      "  --help             write this\n",
	      to);
}

const char *options_version(void)
{
	return MCU_VERSION;
}

const char *options_web_path(const struct config *c)
{
	if (*c->http.web_path)
		return c->http.web_path;
	return access("web/index.html", R_OK) ? MCU_WEB_PATH : "web";
}

void options_prompts_path(char *out, size_t len)
{
	char self[1024];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	snprintf(out, len, "%.*s/prompts", slash ? (int)(slash - self) : 0, self);
	if (!slash || access(out, R_OK))
		snprintf(out, len, "%s", MCU_PROMPTS_PATH);
}

/* Whether argv[*i] is the option; its value ("--x v" or "--x=v") in *value,
 * NULL if it is missing. */
static bool takes_value(const char *name, int argc, char **argv, int *i, const char **value)
{
	size_t n = strlen(name);

	if (strncmp(argv[*i], name, n))
		return false;
	if (argv[*i][n] == '=') {
		*value = argv[*i] + n + 1;
		return true;
	}
	if (argv[*i][n])
		return false;
	*value = *i + 1 < argc ? argv[++*i] : NULL;
	return true;
}

static int refuse(struct errmsg *why, const char *text, const char *arg)
{
	return errmsg_set(why, -EINVAL, "bad_option", "%s %s; see mcu --help", text, arg);
}

static enum options_action action_of(const char *arg)
{
	static const struct {
		const char *name;
		enum options_action action;
	} flags[] = {
		{ "--check-config", OPTIONS_CHECK_CONFIG },
		{ "--default-config", OPTIONS_DEFAULT_CONFIG },
		{ "--version", OPTIONS_VERSION },
		{ "--help", OPTIONS_HELP },
		{ "-h", OPTIONS_HELP },
	};

	for (size_t k = 0; k < sizeof(flags) / sizeof(*flags); k++)
		if (!strcmp(arg, flags[k].name))
			return flags[k].action;
	return 0;
}

/* "backup FILE" or "restore FILE": the first arguments. */
static int scan_command(struct options *o, int argc, char **argv, int *i, struct errmsg *why)
{
	if (*i != 1 || (strcmp(argv[1], "backup") && strcmp(argv[1], "restore")))
		return refuse(why, "unknown option", argv[*i]);
	o->action = argv[1][0] == 'b' ? OPTIONS_BACKUP : OPTIONS_RESTORE;
	if (argc < 3 || argv[2][0] == '-' || !argv[2][0])
		return refuse(why, "a file name must follow", argv[1]);
	o->file = argv[2];
	*i = 2;
	return 0;
}

/* First pass: what to do and which file; the --set are checked for form only. */
static int scan(struct options *o, int argc, char **argv, struct errmsg *why)
{
	const char *value;

	for (int i = 1; i < argc; i++) {
		enum options_action action = action_of(argv[i]);

		if (action) {
			o->action = action;
		} else if (takes_value("--config", argc, argv, &i, &value)) {
			if (!value)
				return refuse(why, "a file name must follow", "--config");
			o->config_path = value;
		} else if (takes_value("--set", argc, argv, &i, &value)) {
			if (!value)
				return refuse(why, "key=value must follow", "--set");
		} else if (takes_value("--manifest", argc, argv, &i, &value)) {
			if (!value || o->action != OPTIONS_BACKUP)
				return refuse(why, "a file name must follow, after \"backup FILE\"",
					      "--manifest");
			o->manifest = value;
		} else {
			int err = scan_command(o, argc, argv, &i, why);

			if (err)
				return err;
		}
	}
	return 0;
}

static int override(struct options *o, int argc, char **argv, struct errmsg *why)
{
	const char *value;
	int err = 0;

	for (int i = 1; i < argc && !err; i++) {
		if (takes_value("--config", argc, argv, &i, &value) ||
		    takes_value("--manifest", argc, argv, &i, &value))
			continue;
		if (takes_value("--set", argc, argv, &i, &value))
			err = config_set(&o->config, value, why);
	}
	return err;
}

int options_parse(struct options *o, int argc, char **argv, struct errmsg *why)
{
	int err;

	*o = (struct options){ .action = OPTIONS_RUN };
	err = scan(o, argc, argv, why);
	if (err || o->action == OPTIONS_DEFAULT_CONFIG || o->action == OPTIONS_VERSION ||
	    o->action == OPTIONS_HELP)
		return err;
	err = config_init(&o->config);
	if (err)
		return errmsg_set(why, err, "out_of_memory", "out of memory");
	if (!o->config_path && access(default_file, F_OK) == 0)
		o->config_path = default_file;
	if (o->config_path)
		err = config_read(&o->config, o->config_path, why);
	if (!err)
		err = override(o, argc, argv, why);
	if (!err)
		err = config_check(&o->config, why);
	if (err)
		options_free(o);
	return err;
}

void options_free(struct options *o)
{
	config_free(&o->config);
}

const char *options_realm(const struct config *c)
{
	if (c->sip.realm[0])
		return c->sip.realm;
	return c->sip.domain[0] ? c->sip.domain : "mcu";
}
