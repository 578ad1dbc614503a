/* The command line. */
#ifndef MCU_OPTIONS_H
#define MCU_OPTIONS_H

#include <stdio.h>

#include "mcu/base/err.h"
#include "mcu/config.h"

enum options_action {
	OPTIONS_RUN = 1,
	OPTIONS_CHECK_CONFIG,
	OPTIONS_DEFAULT_CONFIG,
	OPTIONS_VERSION,
	OPTIONS_HELP,
	OPTIONS_BACKUP,
	OPTIONS_RESTORE,
};

enum { OPTIONS_EXIT_BAD_CONFIG = 2 };

struct options {
	enum options_action action;
	const char *config_path; /* of argv, "mcu.yaml", or NULL: built-in defaults */
	const char *file;	 /* of _BACKUP, _RESTORE */
	const char *manifest;	 /* of _BACKUP; NULL: none */
	struct config config;    /* read, overridden and checked; but for _DEFAULT_CONFIG, _VERSION,
				  * _HELP */
};

/* Reads the configuration too: --config, or mcu.yaml of the working directory if
 * there is one, then every --set in turn. Borrows argv. On an error (-errno, *why)
 * nothing is left to free. */
int options_parse(struct options *o, int argc, char **argv, struct errmsg *why);
void options_free(struct options *o);

void options_write_help(FILE *to);
const char *options_version(void);
/* Folder of the browser client. */
/* Where the announcements are that were built: beside the program, otherwise the
 * installed ones. */
void options_prompts_path(char *out, size_t len);
/* Of digest authentication, SIP's and RTSP's. */
const char *options_realm(const struct config *c);
const char *options_web_path(const struct config *c);

#endif
