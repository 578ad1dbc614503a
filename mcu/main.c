#include <stdio.h>
#include <stdlib.h>

#include "mcu/app.h"
#include "mcu/base/log.h"
#include "mcu/base/role.h"
#include "mcu/options.h"

static int serve(struct options *o)
{
	struct errmsg why = { 0 };
	struct app *app;

	role_enter(ROLE_ID_CTL);
	role_assert_ctl();
	log_start(stderr, (enum log_level)o->config.log.level);
	if (app_new(&app, &o->config, &why)) {
		log_stop();
		fprintf(stderr, "mcu: %s\n", why.text[0] ? why.text : "cannot start");
		return 1;
	}
	app_print_welcome(app);
	app_run(app);
	app_free(&app);
	log_stop();
	return 0;
}

int main(int argc, char **argv)
{
	struct options o;
	struct errmsg why;
	int status = 0;

	if (options_parse(&o, argc, argv, &why)) {
		fprintf(stderr, "mcu: %s\n", why.text);
		return OPTIONS_EXIT_BAD_CONFIG;
	}
	switch (o.action) {
	case OPTIONS_HELP: options_write_help(stdout); break;
	case OPTIONS_VERSION: printf("mcu %s\n", options_version()); break;
	case OPTIONS_DEFAULT_CONFIG: config_write_defaults(stdout); break;
	case OPTIONS_CHECK_CONFIG:
		printf("%s: fine\n", o.config_path ? o.config_path : "built-in defaults");
		break;
	case OPTIONS_RUN: status = serve(&o); break;
	}
	options_free(&o);
	return status;
}
