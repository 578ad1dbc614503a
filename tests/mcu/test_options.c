#include "mcu/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { MAX_ARGS = 8 };

static char home[4096];

static int parse(struct options *o, struct errmsg *why, ...)
{
	char *argv[MAX_ARGS + 1] = { "mcu" };
	int argc = 1;
	va_list ap;

	va_start(ap, why);
	for (char *a; argc < MAX_ARGS && (a = va_arg(ap, char *)); argc++)
		argv[argc] = a;
	va_end(ap);
	return options_parse(o, argc, argv, why);
}

/* Runs each test in a folder of its own. */
static int enter(void **state)
{
	static char dir[] = "/tmp/mcu-options-XXXXXX";
	char *made = strcpy(dir, "/tmp/mcu-options-XXXXXX");

	*state = made;
	return !getcwd(home, sizeof(home)) || !mkdtemp(made) || chdir(made);
}

static int leave(void **state)
{
	(void)!remove("mcu.yaml");
	(void)!remove("other.yaml");
	(void)!remove("web/index.html");
	(void)!rmdir("web");
	return chdir(home) || rmdir(*state);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
}

static void without_a_file_the_defaults_hold(void **state)
{
	struct options o;
	struct errmsg why;

	(void)state;
	assert_int_equal(parse(&o, &why, NULL), 0);
	assert_int_equal(o.action, OPTIONS_RUN);
	assert_null(o.config_path);
	assert_int_equal(o.config.video.fps, 30);
	options_free(&o);
}

static void the_file_here_is_read_and_set_overrides_it(void **state)
{
	struct options o;
	struct errmsg why;

	(void)state;
	write_file("mcu.yaml", "video:\n  fps: 20\n  width: 640\n");
	write_file("other.yaml", "video:\n  fps: 10\n");
	assert_int_equal(parse(&o, &why, "--set", "video.width=320", "--set=video.width=480", NULL), 0);
	assert_string_equal(o.config_path, "mcu.yaml");
	assert_int_equal(o.config.video.fps, 20);
	assert_int_equal(o.config.video.width, 480);
	options_free(&o);
	assert_int_equal(parse(&o, &why, "--set", "room.linger_s=9", "--config", "other.yaml",
			       "--check-config", NULL), 0);
	assert_int_equal(o.action, OPTIONS_CHECK_CONFIG);
	assert_int_equal(o.config.video.fps, 10);
	assert_int_equal(o.config.video.width, 1280);
	assert_int_equal(o.config.room.linger_s, 9);
	options_free(&o);
}

static void bad_configuration_is_told(void **state)
{
	struct options o;
	struct errmsg why;

	(void)state;
	write_file("mcu.yaml", "video:\n  fps: 0\n");
	assert_int_equal(parse(&o, &why, NULL), -EINVAL);
	assert_string_equal(why.text, "mcu.yaml:2: video.fps must be from 1 to 60, not 0");
	assert_int_equal(parse(&o, &why, "--config=none.yaml", NULL), -ENOENT);
	assert_string_equal(why.text, "cannot read none.yaml: No such file or directory");
	write_file("other.yaml", "");
	assert_int_equal(parse(&o, &why, "--config", "other.yaml", "--set", "x=1", NULL), -EINVAL);
	assert_string_equal(why.code, "config_unknown_key");
	assert_int_equal(parse(&o, &why, "--config", "other.yaml", "--set", "https.key=k", NULL), -EINVAL);
	assert_string_equal(why.code, "config_conflict");
}

static void help_and_version_need_no_configuration(void **state)
{
	static const struct {
		char *arg;
		enum options_action action;
	} flags[] = {
		{ "--help", OPTIONS_HELP },
		{ "-h", OPTIONS_HELP },
		{ "--version", OPTIONS_VERSION },
		{ "--default-config", OPTIONS_DEFAULT_CONFIG },
	};
	struct options o;
	struct errmsg why;

	(void)state;
	write_file("mcu.yaml", "nonsense");
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		assert_int_equal(parse(&o, &why, flags[i].arg, NULL), 0);
		assert_int_equal(o.action, flags[i].action);
		options_free(&o);
	}
	assert_true(strlen(options_version()) > 0);
}

static void commands_name_their_files(void **state)
{
	struct options o;
	struct errmsg why;

	(void)state;
	assert_int_equal(parse(&o, &why, "backup", "a.db", "--set", "data.path=/x", NULL), 0);
	assert_int_equal(o.action, OPTIONS_BACKUP);
	assert_string_equal(o.file, "a.db");
	assert_null(o.manifest);
	assert_string_equal(o.config.data.path, "/x");
	options_free(&o);
	assert_int_equal(parse(&o, &why, "backup", "a.db", "--manifest", "b", NULL), 0);
	assert_string_equal(o.manifest, "b");
	options_free(&o);
	assert_int_equal(parse(&o, &why, "restore", "a.db", NULL), 0);
	assert_int_equal(o.action, OPTIONS_RESTORE);
	options_free(&o);
	assert_int_equal(parse(&o, &why, "restore", NULL), -EINVAL);
	assert_string_equal(why.text, "a file name must follow restore; see mcu --help");
	assert_int_equal(parse(&o, &why, "backup", "--set", "data.path=/x", NULL), -EINVAL);
	assert_int_equal(parse(&o, &why, "restore", "a", "--manifest", "b", NULL), -EINVAL);
	assert_int_equal(parse(&o, &why, "--set", "data.path=/x", "backup", "a.db", NULL), -EINVAL);
}

static void unknown_options_are_refused(void **state)
{
	static const struct {
		char *arg;
		const char *text;
	} bad[] = {
		{ "--prot", "unknown option --prot; see mcu --help" },
		{ "8080", "unknown option 8080; see mcu --help" },
		{ "--configure", "unknown option --configure; see mcu --help" },
		{ "--config", "a file name must follow --config; see mcu --help" },
		{ "--set", "key=value must follow --set; see mcu --help" },
	};
	struct options o;
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(parse(&o, &why, bad[i].arg, NULL), -EINVAL);
		assert_string_equal(why.text, bad[i].text);
		assert_string_equal(why.code, "bad_option");
	}
}

static void help_names_every_option(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	options_write_help(f);
	fclose(f);
	assert_non_null(strstr(text, "--config FILE"));
	assert_non_null(strstr(text, "--set KEY=VALUE"));
	assert_non_null(strstr(text, "--check-config"));
	assert_non_null(strstr(text, "--default-config"));
	assert_non_null(strstr(text, "--version"));
	assert_non_null(strstr(text, "backup FILE"));
	assert_non_null(strstr(text, "restore FILE"));
	assert_non_null(strstr(text, "--manifest FILE"));
	free(text);
}

static void the_web_folder_is_the_nearest(void **state)
{
	struct options o;
	struct errmsg why;

	(void)state;
	assert_int_equal(parse(&o, &why, NULL), 0);
	assert_non_null(strstr(options_web_path(&o.config), "/share/mcu/web"));
	assert_int_equal(mkdir("web", 0700), 0);
	write_file("web/index.html", "");
	assert_string_equal(options_web_path(&o.config), "web");
	assert_int_equal(config_set(&o.config, "http.web_path=/srv/web", &why), 0);
	assert_string_equal(options_web_path(&o.config), "/srv/web");
	options_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_a_file_the_defaults_hold, enter, leave),
		cmocka_unit_test_setup_teardown(the_file_here_is_read_and_set_overrides_it, enter, leave),
		cmocka_unit_test_setup_teardown(bad_configuration_is_told, enter, leave),
		cmocka_unit_test_setup_teardown(help_and_version_need_no_configuration, enter, leave),
		cmocka_unit_test_setup_teardown(commands_name_their_files, enter, leave),
		cmocka_unit_test(unknown_options_are_refused),
		cmocka_unit_test(help_names_every_option),
		cmocka_unit_test_setup_teardown(the_web_folder_is_the_nearest, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
