#include "mcu/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mcu/base/log.h"

static int parse(struct config *c, const char *yaml, struct errmsg *why)
{
	*why = (struct errmsg){ .code = "" };
	assert_int_equal(config_init(c), 0);
	return config_parse(c, yaml, strlen(yaml), "t.yaml", why);
}

static void shipped_file_is_the_table(void **state)
{
	char *want = NULL, got[65536];
	size_t want_len = 0, got_len;
	FILE *f = open_memstream(&want, &want_len);

	(void)state;
	assert_non_null(f);
	assert_int_equal(config_write_defaults(f), 0);
	fclose(f);
	f = fopen("mcu.yaml", "r");
	assert_non_null(f);
	got_len = fread(got, 1, sizeof(got), f);
	fclose(f);
	/* after a change of the table: mcu --default-config >mcu.yaml */
	assert_int_equal(got_len, want_len);
	assert_memory_equal(got, want, want_len);
	free(want);
}

static void shipped_file_reads_as_the_defaults(void **state)
{
	struct config c, d;
	struct errmsg why;

	(void)state;
	assert_int_equal(config_init(&d), 0);
	assert_int_equal(config_init(&c), 0);
	c.video.fps = 1;
	c.ice.loopback = false;
	assert_int_equal(config_read(&c, "mcu.yaml", &why), 0);
	assert_int_equal(config_check(&c, &why), 0);
	assert_int_equal(c.video.fps, 30);
	assert_int_equal(c.video.fps, d.video.fps);
	assert_true(c.ice.loopback);
	assert_string_equal(c.http.address, "localhost");
	assert_int_equal(c.http.port, 8080);
	assert_string_equal(c.https.address, "0.0.0.0");
	assert_int_equal(c.https.port, 8443);
	assert_string_equal(c.video.preset, "superfast");
	assert_string_equal(c.https.key, "");
	assert_int_equal(c.log.level, LOG_INFO);
	assert_int_equal(c.ice.stun.n, 0);
	assert_int_equal(c.video.encode.n, 2);
	assert_string_equal(c.video.encode.items[0], "h264");
	assert_string_equal(c.video.encode.items[1], "vp8");
	assert_true(c.audio.red);
	config_free(&c);
	config_free(&d);
}

static void reads_every_type(void **state)
{
	static const char yaml[] = "server: {name: \"여보세요\"}\n"
				   "log:\n  level: debug\n"
				   "http:\n  port: -1\n"
				   "room:\n  on_demand: false\n"
				   "video:\n  width: 640\n  preset: veryfast\n"
				   "data:\n  path: /var/lib/mcu # a folder\n"
				   "ice:\n"
				   "  public_address: 2001:db8::1\n"
				   "  stun: [\"stun:a.example\", 'stun:[::1]:99']\n"
				   "  turn:\n"
				   "    - {url: \"turn:t.example?transport=tcp\", username: u, credential: \"c#\"}\n";
	struct config c;
	struct errmsg why;

	(void)state;
	assert_int_equal(parse(&c, yaml, &why), 0);
	assert_string_equal(c.server.name, "여보세요");
	assert_int_equal(c.log.level, LOG_DEBUG);
	assert_int_equal(c.http.port, -1);
	assert_false(c.room.on_demand);
	assert_int_equal(c.video.width, 640);
	assert_int_equal(c.video.height, 720);
	assert_string_equal(c.video.preset, "veryfast");
	assert_string_equal(c.data.path, "/var/lib/mcu");
	assert_string_equal(c.ice.public_address, "2001:db8::1");
	assert_int_equal(c.ice.stun.n, 2);
	assert_string_equal(c.ice.stun.items[1], "stun:[::1]:99");
	assert_int_equal(c.ice.turn.n, 1);
	assert_string_equal(c.ice.turn.items[0].url, "turn:t.example?transport=tcp");
	assert_string_equal(c.ice.turn.items[0].credential, "c#");
	config_free(&c);
}

static void an_empty_file_or_section_keeps_the_defaults(void **state)
{
	static const char *const texts[] = { "", "# nothing\n", "---\n", "video:\nhttp:\n" };
	struct config c;
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(parse(&c, texts[i], &why), 0);
		assert_int_equal(c.video.fps, 30);
		config_free(&c);
	}
}

/* Each refusal names file and line and says what would be right. */
static const struct {
	const char *yaml, *code, *text;
} refusals[] = {
	{ "video:\n  widht: 640\n", "config_unknown_key",
	  "t.yaml:2: unknown key \"video.widht\"; did you mean \"video.width\"?" },
	{ "http:\n  fps: 15\n", "config_unknown_key",
	  "t.yaml:2: unknown key \"http.fps\"; did you mean \"video.fps\"?" },
	{ "\n\nvidoe:\n  fps: 15\n", "config_unknown_key",
	  "t.yaml:3: unknown key \"vidoe\"; did you mean \"video\"?" },
	{ "room:\n  xylophone: 1\n", "config_unknown_key",
	  "t.yaml:2: unknown key \"room.xylophone\"; mcu --default-config lists all keys" },
	{ "video:\n  fps: fast\n", "config_bad_type",
	  "t.yaml:2: video.fps must be a whole number from 1 to 60, not \"fast\"" },
	{ "video:\n  fps: \"30\"\n", "config_bad_type",
	  "t.yaml:2: video.fps must be a whole number from 1 to 60, not \"30\"" },
	{ "video:\n  fps: 30.5\n", "config_bad_type",
	  "t.yaml:2: video.fps must be a whole number from 1 to 60, not \"30.5\"" },
	{ "video:\n  fps:\n", "config_bad_type",
	  "t.yaml:2: video.fps must be a whole number from 1 to 60, not \"\"" },
	{ "video:\n  fps: [30]\n", "config_bad_type",
	  "t.yaml:2: video.fps must be a single value, like 30" },
	{ "server:\n  name: [a]\n", "config_bad_type",
	  "t.yaml:2: server.name must be a single value, like mcu" },
	{ "video:\n  fps: 61\n", "config_out_of_range",
	  "t.yaml:2: video.fps must be from 1 to 60, not 61" },
	{ "video:\n  fps: 99999999999999999999\n", "config_out_of_range",
	  "t.yaml:2: video.fps must be from 1 to 60, not 99999999999999999999" },
	{ "video:\n  width: 641\n", "config_out_of_range",
	  "t.yaml:2: video.width must be even: 640 or 642" },
	{ "video:\n  preset: placebo\n", "config_out_of_range",
	  "t.yaml:2: video.preset must be one of ultrafast|superfast|veryfast|faster|fast|medium, "
	  "not \"placebo\"" },
	{ "video:\n  asm: fast|x\n", "config_out_of_range",
	  "t.yaml:2: video.asm must be one of auto|default|avx2, not \"fast|x\"" },
	{ "log:\n  level: inf\n", "config_out_of_range",
	  "t.yaml:2: log.level must be one of error|warn|info|debug|trace, not \"inf\"" },
	{ "room:\n  on_demand: yes\n", "config_bad_type",
	  "t.yaml:2: room.on_demand must be true or false, not \"yes\"" },
	{ "server:\n  name: \"\"\n", "config_out_of_range",
	  "t.yaml:2: server.name must be a text that is not empty, not \"\"" },
	{ "http:\n  address: example.org\n", "config_out_of_range",
	  "t.yaml:2: http.address must be \"localhost\", \"0.0.0.0\" (all of IPv4), \"::\" (all) or "
	  "another IP address, not \"example.org\"" },
	{ "ice:\n  public_address: 300.1.1.1\n", "config_out_of_range",
	  "t.yaml:2: ice.public_address must be an IP address, or empty, not \"300.1.1.1\"" },
	{ "video:\n  fps: 20\n  width: 640\n  fps: 25\n", "config_duplicate_key",
	  "t.yaml:4: video.fps is already given in line 2; remove one of them" },
	{ "video:\n  fps: 20\nhttp:\nvideo:\n  fps: 25\n", "config_duplicate_key",
	  "t.yaml:5: video.fps is already given in line 2; remove one of them" },
	{ "ice:\n  stun: stun:a.example\n", "config_bad_type",
	  "t.yaml:2: ice.stun must be a list: [ … ]" },
	{ "ice:\n  stun:\n    - a.example\n", "config_out_of_range",
	  "t.yaml:3: an entry of ice.stun must be a STUN URL like \"stun:stun.example.org:3478\", "
	  "not \"a.example\"" },
	{ "video:\n  encode: [h264, H265]\n", "config_out_of_range",
	  "t.yaml:2: an entry of video.encode must be h264, vp8, vp9 or av1, not \"H265\"" },
	{ "ice:\n  stun: [[a]]\n", "config_bad_type", "t.yaml:2: ice.stun must be a list of texts" },
	{ "ice:\n  turn: [x]\n", "config_bad_type",
	  "t.yaml:2: a server of ice.turn must be {url: …, username: …, credential: …}" },
	{ "ice:\n  turn:\n  - url: turn:a\n    user: b\n", "config_unknown_key",
	  "t.yaml:4: unknown key \"user\" in ice.turn; a server has url, username and credential" },
	{ "ice:\n  turn:\n  - {url: 'turn:a', url: 'turn:b'}\n", "config_duplicate_key",
	  "t.yaml:3: url is given twice for a server of ice.turn; remove one" },
	{ "ice:\n  turn:\n  - {url: 'turn:a', username: u}\n", "config_bad_type",
	  "t.yaml:3: a server of ice.turn needs url, username and credential" },
	{ "ice:\n  turn:\n  - {url: 'stun:a', username: u, credential: c}\n", "config_out_of_range",
	  "t.yaml:3: url of ice.turn must be a TURN URL like "
	  "\"turn:turn.example.org:3478?transport=udp\", not \"stun:a\"" },
	{ "ice:\n  turn:\n  - {url: [a], username: u, credential: c}\n", "config_bad_type",
	  "t.yaml:3: url, username and credential of ice.turn must be texts" },
	{ "http: 8080\n", "config_bad_type",
	  "t.yaml:1: http is a section: write \"http:\" and its keys indented below" },
	{ "- http\n", "config_bad_type",
	  "t.yaml:1: the file must consist of sections, like \"video:\" and below it \"  fps: 30\"" },
	{ "video:\n  [a]: 1\n", "config_bad_type",
	  "t.yaml:2: a key in section \"video\" must be a plain word" },
	{ "[video]: 1\n", "config_unknown_key",
	  "t.yaml:1: unknown key \"?\"; mcu --default-config lists all keys" },
	{ "video:\n  fps: 20\n\twidth: 3\n", "config_syntax",
	  "t.yaml:3: this is not YAML: found a tab character that violates indentation" },
	{ "video: {fps: 20\n", "config_syntax",
	  "t.yaml:2: this is not YAML: did not find expected ',' or '}'" },
	{ "video: *nobody\n", "config_syntax",
	  "t.yaml:1: this is not YAML: found undefined alias" },
	{ "video:\n---\nhttp:\n", "config_syntax",
	  "t.yaml:1: the file holds several documents; remove the \"---\" lines" },
	{ "server:\n  name: \"a\\0b\"\n", "config_bad_type",
	  "t.yaml:2: server.name must be a single value, like mcu" },
};

static void refuses_with_line_and_remedy(void **state)
{
	struct config c;
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		assert_int_equal(parse(&c, refusals[i].yaml, &why), -EINVAL);
		assert_string_equal(why.text, refusals[i].text);
		assert_string_equal(why.code, refusals[i].code);
		config_free(&c);
	}
}

static void survives_any_cut_of_the_shipped_file(void **state)
{
	char text[65536];
	struct config c;
	struct errmsg why;
	FILE *f = fopen("mcu.yaml", "r");
	size_t len;

	(void)state;
	assert_non_null(f);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_int_equal(config_init(&c), 0);
	for (size_t n = 0; n < len; n += 7) {
		int err = config_parse(&c, text, n, "t.yaml", &why);

		assert_true(err == 0 || err == -EINVAL);
	}
	config_free(&c);
}

static void set_overrides_one_key(void **state)
{
	struct config c;
	struct errmsg why;

	(void)state;
	assert_int_equal(config_init(&c), 0);
	assert_int_equal(config_set(&c, "video.fps=15", &why), 0);
	assert_int_equal(config_set(&c, "data.path=/tmp/a=b: c", &why), 0);
	assert_int_equal(config_set(&c, "https.key=", &why), 0);
	assert_int_equal(config_set(&c, "room.on_demand=false", &why), 0);
	assert_int_equal(config_set(&c, "ice.stun=[stun:a.example, stun:b.example]", &why), 0);
	assert_int_equal(config_set(&c, "ice.turn=[{url: 'turn:t', username: u, credential: c}]", &why),
			 0);
	assert_int_equal(c.video.fps, 15);
	assert_string_equal(c.data.path, "/tmp/a=b: c");
	assert_string_equal(c.https.key, "");
	assert_false(c.room.on_demand);
	assert_int_equal(c.ice.stun.n, 2);
	assert_string_equal(c.ice.stun.items[1], "stun:b.example");
	assert_string_equal(c.ice.turn.items[0].url, "turn:t");
	assert_int_equal(config_set(&c, "ice.stun=", &why), 0);
	assert_int_equal(c.ice.stun.n, 0);
	config_free(&c);
}

static void set_refuses_like_the_file(void **state)
{
	static const struct {
		const char *arg, *text;
	} bad[] = {
		{ "video.fps", "--set: \"video.fps\" must be key=value, like video.fps=15" },
		{ "vidoe.fps=3", "--set: unknown key \"vidoe.fps\"; did you mean \"video.fps\"?" },
		{ "video.fps=0", "--set: video.fps must be from 1 to 60, not 0" },
		{ "video.fps=+9", "--set: video.fps must be a whole number from 1 to 60, not \"+9\"" },
		{ "video.fps= 9", "--set: video.fps must be a whole number from 1 to 60, not \" 9\"" },
		{ "ice.stun=stun:a", "--set: ice.stun must be a list: [ … ]" },
		{ "ice.stun=[", "--set: this is not YAML: did not find expected node content" },
		{ "ice.turn=[{url: 'turn:t'}]",
		  "--set: a server of ice.turn needs url, username and credential" },
	};
	struct config c;
	struct errmsg why;

	(void)state;
	assert_int_equal(config_init(&c), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(config_set(&c, bad[i].arg, &why), -EINVAL);
		assert_string_equal(why.text, bad[i].text);
	}
	config_free(&c);
}

static void keys_that_contradict_each_other_are_refused(void **state)
{
	static const struct {
		const char *yaml, *text;
	} bad[] = {
		{ "http: {port: -1}\nhttps: {port: -1}\n",
		  "http.port and https.port are both off (-1): nobody could connect; switch one of them "
		  "on" },
		{ "http: {port: 8443}\n", "http.port and https.port are both 8443: give each its own" },
		{ "sip: {port: 5061}\n", "sip.port and sip.tls_port are both 5061: give each its own" },
		{ "video: {encode: []}\n",
		  "video.encode is empty: nobody could be sent a picture; name at least one of h264, "
		  "vp8, vp9 and av1" },
		{ "https: {certificate: a.pem}\n",
		  "https.certificate and https.key belong together: give both, or neither for a "
		  "generated one" },
		{ "ice: {port_min: 1000}\n",
		  "ice.port_min and ice.port_max belong together: give both, or 0 for both" },
		{ "ice: {port_min: 2000, port_max: 1000}\n",
		  "ice.port_min (2000) must not be above ice.port_max (1000)" },
	};
	struct config c;
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(parse(&c, bad[i].yaml, &why), 0);
		assert_int_equal(config_check(&c, &why), -EINVAL);
		assert_string_equal(why.text, bad[i].text);
		assert_string_equal(why.code, "config_conflict");
		config_free(&c);
	}
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	struct config c;
	struct errmsg why;

	(void)state;
	assert_int_equal(config_init(&c), 0);
	assert_int_equal(config_read(&c, "tests/none.yaml", &why), -ENOENT);
	assert_string_equal(why.text, "cannot read tests/none.yaml: No such file or directory");
	assert_int_equal(config_read(&c, "tests", &why), -EISDIR);
	assert_string_equal(why.text, "cannot read tests: Is a directory");
	assert_int_equal(config_read(&c, "/dev/zero", &why), -EFBIG);
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_file_is_the_table),
		cmocka_unit_test(shipped_file_reads_as_the_defaults),
		cmocka_unit_test(reads_every_type),
		cmocka_unit_test(an_empty_file_or_section_keeps_the_defaults),
		cmocka_unit_test(refuses_with_line_and_remedy),
		cmocka_unit_test(survives_any_cut_of_the_shipped_file),
		cmocka_unit_test(set_overrides_one_key),
		cmocka_unit_test(set_refuses_like_the_file),
		cmocka_unit_test(keys_that_contradict_each_other_are_refused),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
