#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/app.h"
#include "mcu/base/log.h"
#include "mcu/base/role.h"
#include "mcu/finisher.h"
#include "mcu/options.h"
#include "storage/backup.h"

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

static int backup(const struct options *o)
{
	struct backup_report rep;
	struct errmsg why = { 0 };
	char db[BACKUP_PATH_MAX];
	int err;

	snprintf(db, sizeof db, "%s/mcu.db", o->config.data.path);
	err = backup_write(db, o->file, &rep, &why);
	if (!err && o->manifest)
		err = backup_manifest(o->file, o->manifest, &why);
	if (err) {
		fprintf(stderr, "mcu: %s\n", why.text);
		return 1;
	}
	printf("%s: %lld octets, version %lld, with %lld users, %lld rooms and %lld recordings\n"
	       "Not in it: the recordings' files and %s/secret.key (PINs and sign-ins need it).\n",
	       o->file, (long long)rep.bytes, (long long)rep.version, (long long)rep.users,
	       (long long)rep.rooms, (long long)rep.recordings, o->config.data.path);
	return 0;
}

static int restore(const struct options *o)
{
	struct backup_report rep;
	struct errmsg why = { 0 };
	char db[BACKUP_PATH_MAX];

	snprintf(db, sizeof db, "%s/mcu.db", o->config.data.path);
	if (backup_restore(db, o->file, &rep, &why)) {
		fprintf(stderr, "mcu: %s\n", why.text);
		return 1;
	}
	printf("%s is now the copy %s: version %lld, with %lld users, %lld rooms and %lld recordings\n",
	       db, o->file, (long long)rep.version, (long long)rep.users, (long long)rep.rooms,
	       (long long)rep.recordings);
	if (rep.kept[0])
		printf("The one of before is kept: %s\n", rep.kept);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o;
	struct errmsg why;
	int status = 0;

	if (argc > 1 && !strcmp(argv[1], "--finish"))
		return finish_process(argc, argv);
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
	case OPTIONS_BACKUP: status = backup(&o); break;
	case OPTIONS_RESTORE: status = restore(&o); break;
	case OPTIONS_RUN: status = serve(&o); break;
	}
	options_free(&o);
	return status;
}
