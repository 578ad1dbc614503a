/* What a caller is told and asked, as a table: what happens, and what is done then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/ivr.h"

static const struct ivr_cfg english = {
	.language = "en",
	.key = { [IVR_MUTE] = '6', [IVR_HAND] = '5', [IVR_LAYOUT_NEXT] = '1',
		 [IVR_LAYOUT_PREVIOUS] = '2', [IVR_RECORD] = '4', [IVR_RECORD_PAUSE] = '9', [IVR_QUIETER] = '7',
		 [IVR_LOUDER] = '8', [IVR_HELP] = '0' },
};
static const struct ivr_cfg either = { .language = "en", .other = "ko" };
static const struct ivr_cfg few = { .language = "en", .key = { [IVR_MUTE] = '#', [IVR_HELP] = '9' } };

static void put(char *to, size_t size, const char *text)
{
	size_t n = strlen(to);

	snprintf(to + n, size - n, "%s%s", n ? " " : "", text);
}

/* Whether there is such a sentence, in both languages. */
static bool is_spoken(const char *language, const char *name)
{
	char path[40], line[256];
	size_t n = strlen(name);
	bool found = false;
	FILE *f;

	snprintf(path, sizeof path, "prompts/%s.txt", language);
	f = fopen(path, "r");
	assert_non_null(f);
	while (!found && fgets(line, sizeof line, f))
		found = !strncmp(line, name, n) && line[n] == '\t';
	fclose(f);
	return found;
}

static void check_name(const char *name)
{
	if (name[0] == '=' || !strcmp(name, "music"))
		return;
	name = strchr(name, '/') ? strchr(name, '/') + 1 : name;
	if (!is_spoken("en", name) || !is_spoken("ko", name))
		fail_msg("nobody has written what \"%s\" says", name);
}

/* "[welcome enter_number|] t10000 >123/45 do6+ bye" */
static void show(const struct ivr *v, const struct ivr_do *d, char *to, size_t size)
{
	char text[400] = "";

	if (d->n) {
		strcat(text, "[");
		for (size_t i = 0; i < d->n; i++) {
			strcat(text, i ? " " : "");
			strcat(text, d->prompt[i]);
			check_name(d->prompt[i]);
		}
		strcat(text, d->loop ? "@]" : d->until_digit ? "|]" : "]");
		put(to, size, text);
	}
	if (d->hush)
		put(to, size, "hush");
	if (d->enter) {
		snprintf(text, sizeof text, ">%s%s%s", v->room, v->pin[0] ? "/" : "", v->pin);
		put(to, size, text);
	}
	if (d->command) {
		snprintf(text, sizeof text, "do%d%s", (int)d->command, d->on ? "+" : "");
		put(to, size, text);
	}
	if (d->command == IVR_LOUDER || d->command == IVR_QUIETER) {
		snprintf(text, sizeof text, "%ddB", d->volume_db);
		put(to, size, text);
	}
	if (d->timer_ms >= 0) {
		snprintf(text, sizeof text, "t%d", d->timer_ms);
		put(to, size, text);
	}
	if (d->hang_up)
		put(to, size, "bye");
}

/* One thing that happens: digits, "over", "old" (an earlier list), "stopped", "timer",
 * "no CODE", "waits", "in N", "done N CODE", "muted", "held", "unheld", "recorded". */
static void happen(struct ivr *v, const char *what, char *to, size_t size)
{
	struct ivr_room room = { .muted = strstr(what, " muted"),
				 .recorded = strstr(what, " recorded") };
	struct ivr_do d;

	to[0] = 0;
	if (strchr("0123456789*#", what[0])) {
		for (; *what; what++) {
			to[0] = 0;
			ivr_digit(v, *what, &d);
			show(v, &d, to, size);
		}
		return;
	}
	if (!strcmp(what, "over") || !strcmp(what, "stopped"))
		ivr_prompt_over(v, v->prompt, what[0] == 's', &d);
	else if (!strcmp(what, "old"))
		ivr_prompt_over(v, v->prompt - 1, false, &d);
	else if (!strcmp(what, "timer"))
		ivr_timer(v, &d);
	else if (!strncmp(what, "no ", 3))
		ivr_refused(v, what + 3, &d);
	else if (!strcmp(what, "waits"))
		ivr_waits(v, &d);
	else if (!strncmp(what, "in ", 3)) {
		room.others = (unsigned)atoi(what + 3);
		ivr_entered(v, &room, &d);
	} else if (!strncmp(what, "done", 4))
		ivr_done(v, (enum ivr_command)atoi(what + 5), what + 7, &d);
	else if (!strcmp(what, "muted") || !strcmp(what, "unmuted"))
		ivr_was_muted(v, what[0] == 'm', false, &d);
	else if (!strcmp(what, "held") || !strcmp(what, "unheld"))
		ivr_was_muted(v, what[0] == 'h', true, &d);
	else if (!strcmp(what, "recorded") || !strcmp(what, "off") || !strcmp(what, "paused"))
		ivr_was_recorded(v, what[0] != 'o', what[0] == 'p', &d);
	else if (!strcmp(what, "lowered"))
		ivr_hand_was(v, false, &d);
	else
		fail_msg("%s?", what);
	show(v, &d, to, size);
}

struct line {
	const char *what, *want;
};

static void play(struct ivr *v, const char *name, const struct line *l, size_t n)
{
	char got[1200];

	for (size_t i = 0; i < n && l[i].what; i++) {
		happen(v, l[i].what, got, sizeof got);
		if (strcmp(got, l[i].want))
			fail_msg("%s, line %zu, %s: \"%s\" instead of \"%s\"", name, i + 1, l[i].what,
				 got, l[i].want);
	}
}

struct story {
	const char *name;
	const char *begins; /* what is done at first */
	struct line line[20];
};

static const struct story bridge[] = {
	{ "straight in", "[welcome enter_number|] t0", {
		{ "over", "t10000" }, { "4", "t5000" }, { "711", "t5000" }, { "#", ">4711 t0" },
		{ "in 0", "[only_one] t0" }, { "over", "" } } },
	{ "before the end of the words, and without the pound key", "[welcome enter_number|] t0", {
		{ "1", "t5000" }, { "stopped", "" }, { "2", "t5000" }, { "timer", ">12 t0" },
		{ "in 1", "[one_other] t0" } } },
	{ "a PIN", "[welcome enter_number|] t0", {
		{ "7#", ">7 t0" }, { "no pin_required", "[enter_pin|] t0" },
		{ "old", "" }, { "over", "t10000" }, { "1234#", ">7/1234 t0" },
		{ "in 12", "[others_before =12 others_after] t0" } } },
	{ "a wrong PIN, then the right one", "[welcome enter_number|] t0", {
		{ "7#", ">7 t0" }, { "no pin_required", "[enter_pin|] t0" },
		{ "1#", ">7/1 t0" }, { "no pin_wrong", "[wrong_pin enter_pin|] t0" },
		{ "2#", ">7/2 t0" }, { "in 0", "[only_one] t0" } } },
	{ "three wrong PINs", "[welcome enter_number|] t0", {
		{ "7#", ">7 t0" }, { "no pin_required", "[enter_pin|] t0" },
		{ "1#", ">7/1 t0" }, { "no pin_wrong", "[wrong_pin enter_pin|] t0" },
		{ "2#", ">7/2 t0" }, { "no pin_wrong", "[wrong_pin enter_pin|] t0" },
		{ "3#", ">7/3 t0" }, { "no pin_wrong", "[wrong_pin goodbye] t30000" },
		{ "4#", "" }, { "over", "t0 bye" }, { "over", "" } } },
	{ "three wrong numbers", "[welcome enter_number|] t0", {
		{ "1#", ">1 t0" }, { "no room_unknown", "[wrong_number enter_number|] t0" },
		{ "2#", ">2 t0" }, { "no room_unknown", "[wrong_number enter_number|] t0" },
		{ "3#", ">3 t0" }, { "no room_unknown", "[wrong_number goodbye] t30000" },
		{ "over", "t0 bye" } } },
	{ "nobody speaks", "[welcome enter_number|] t0", {
		{ "over", "t10000" }, { "timer", "[nothing_entered enter_number|] t0" },
		{ "over", "t10000" }, { "timer", "[nothing_entered enter_number|] t0" },
		{ "over", "t10000" }, { "timer", "[nothing_entered goodbye] t30000" },
		{ "timer", "t0 bye" } } },
	{ "a slip, taken back", "[welcome enter_number|] t0", {
		{ "12*", "t10000" }, { "34#", ">34 t0" } } },
	{ "too long", "[welcome enter_number|] t0", {
		{ "12345678901234567890#", "[wrong_number enter_number|] t0" },
		{ "1234567890123456#", ">1234567890123456 t0" } } },
	{ "other digits are for other machines", "[welcome enter_number|] t0", {
		{ "1", "t5000" }, { "2#", ">12 t0" }, { "5", "" }, { "no room_full",
		"[room_full goodbye] t30000" }, { "5", "" }, { "over", "t0 bye" } } },
	{ "the lobby", "[welcome enter_number|] t0", {
		{ "7#", ">7 t0" }, { "waits", "[wait_lobby music@] t0" }, { "5", "" },
		{ "in 3", "[others_before =3 others_after] t0" } } },
	{ "the lobby, in vain", "[welcome enter_number|] t0", {
		{ "7#", ">7 t0" }, { "waits", "[wait_lobby music@] t0" },
		{ "no refused", "[refused goodbye] t30000" }, { "over", "t0 bye" } } },
	{ "locked", "[welcome enter_number|] t0", {
		{ "7#", ">7 t0" }, { "no room_locked", "[room_locked goodbye] t30000" } } },
	{ "too many guesses", "[welcome enter_number|] t0", {
		{ "7#", ">7 t0" }, { "no rate_limited", "[too_many_tries goodbye] t30000" } } },
	{ "busy", "[welcome enter_number|] t0", {
		{ "7#", ">7 t0" }, { "no overloaded", "[server_busy goodbye] t30000" } } },
	{ "whatever it is", "[welcome enter_number|] t0", {
		{ "7#", ">7 t0" }, { "no members_only", "[no_entry goodbye] t30000" } } },
};

static void test_bridge(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bridge / sizeof *bridge; i++) {
		const struct story *s = &bridge[i];
		char got[400] = "";
		struct ivr_do d;
		struct ivr v;

		ivr_start(&v, &english, &d);
		show(&v, &d, got, sizeof got);
		assert_string_equal(got, s->begins);
		play(&v, s->name, s->line, 20);
	}
}

static void begins(struct ivr *v, const struct ivr_do *d, const char *want)
{
	char got[400] = "";

	show(v, d, got, sizeof got);
	assert_string_equal(got, want);
}

static void test_languages(void **state)
{
	static const struct line korean[] = {
		{ "over", "t3000" }, { "2", "[enter_number|] t0" }, { "7#", ">7 t0" } };
	static const struct line silent[] = {
		{ "over", "t3000" }, { "timer", "[enter_number|] t0" }, { "27#", ">27 t0" } };
	static const struct line hasty[] = { { "4", "hush t5000" }, { "5#", ">45 t0" } };
	struct ivr_do d;
	struct ivr v;

	(void)state;
	ivr_start(&v, &either, &d);
	begins(&v, &d, "[welcome ko/choose_language|]");
	play(&v, "Korean", korean, 3);
	assert_string_equal(v.language, "ko");
	ivr_start(&v, &either, &d);
	play(&v, "silent", silent, 3);
	assert_string_equal(v.language, "en");
	ivr_start(&v, &either, &d);
	play(&v, "hasty", hasty, 2);
	assert_string_equal(v.language, "en");
}

static void test_other_beginnings(void **state)
{
	static const struct line pin[] = {
		{ "12#", ">/12 t0" }, { "no pin_wrong", "[wrong_pin enter_pin|] t0" },
		{ "34#", ">/34 t0" }, { "in 0", "[only_one] t0" } };
	static const struct line lobby[] = { { "in 1", "[one_other] t0" } };
	static const struct line room[] = { { "*6", "do1+ t0" }, { "12", "" } };
	struct ivr_do d;
	struct ivr v;

	(void)state;
	ivr_start_pin(&v, &english, &d);
	begins(&v, &d, "[enter_pin|] t0");
	play(&v, "PIN", pin, 4);
	ivr_start_waiting(&v, &english, &d);
	begins(&v, &d, "[wait_lobby music@] t0");
	play(&v, "lobby", lobby, 1);
	ivr_start_room(&v, &english);
	play(&v, "room", room, 2);
}

static void test_menu(void **state)
{
	static const struct line lines[] = {
		{ "in 0 muted recorded", "[only_one recording_on muted_by_host] t0" },
		{ "6", "" }, { "*", "t4000" }, { "timer", "t0" }, { "6", "" },
		{ "*6", "do1 t0" }, { "done 1 ", "[unmuted]" }, { "*6", "do1+ t0" },
		{ "done 1 ", "[muted]" }, { "muted", "" }, { "*6", "do1 t0" },
		{ "done 1 not_allowed", "[cannot_unmute]" },
		{ "unheld", "[unmuted_by_host]" }, { "held", "[muted_by_host]" },
		{ "*5", "do2+ t0" }, { "done 2 ", "[hand_raised]" }, { "lowered", "[hand_lowered]" },
		{ "lowered", "" }, { "*5", "do2+ t0" }, { "done 2 ", "[hand_raised]" } };
	static const struct line more[] = {
		{ "*5", "do2 t0" }, { "done 2 ", "[hand_lowered]" },
		{ "*1", "do3 t0" }, { "done 3 not_allowed", "[hosts_only]" },
		{ "*2", "do4 t0" }, { "done 4 ", "[layout_changed]" },
		{ "*4", "do5 t0" }, { "done 5 ", "" }, { "off", "[recording_off]" },
		{ "*4", "do5+ t0" }, { "done 5 no_space", "[not_possible]" },
		{ "recorded", "[recording_on]" }, { "recorded", "" },
		{ "*9", "do6+ t0" }, { "paused", "[recording_paused]" }, { "*9", "do6 t0" },
		{ "recorded", "[recording_on]" },
		{ "*3", "[unknown_key] t0" }, { "**6", "do1 t0" } };
	struct ivr_do d;
	struct ivr v;

	(void)state;
	ivr_start(&v, &english, &d);
	play(&v, "menu", lines, sizeof lines / sizeof *lines);
	play(&v, "more", more, sizeof more / sizeof *more);
}

static void test_volume(void **state)
{
	char got[100], want[100];
	struct ivr_do d;
	struct ivr v;

	(void)state;
	ivr_start_room(&v, &english);
	for (int db = 3; db <= IVR_VOLUME_MOST_DB; db += 3) {
		happen(&v, "*8", got, sizeof got);
		snprintf(want, sizeof want, "do7 %ddB t0", db);
		assert_string_equal(got, want);
		ivr_done(&v, IVR_LOUDER, "", &d);
	}
	happen(&v, "*8", got, sizeof got);
	assert_string_equal(got, "[loudest] t0");
	for (int db = IVR_VOLUME_MOST_DB - 3; db >= -IVR_VOLUME_MOST_DB; db -= 3) {
		happen(&v, "*7", got, sizeof got);
		snprintf(want, sizeof want, "do8 %ddB t0", db);
		assert_string_equal(got, want);
		ivr_done(&v, IVR_QUIETER, "", &d);
	}
	happen(&v, "*7", got, sizeof got);
	assert_string_equal(got, "[quietest] t0");
}

/* What there is, by the keys that it is on. */
static void test_help(void **state)
{
	static const struct line line[] = {
		{ "*9", "[help_mute press star pound press_after "
			"help_help press star number_9 press_after|] t0" },
		{ "*#", "do1+ t0" }, { "*6", "[unknown_key] t0" } };
	struct ivr v;

	(void)state;
	ivr_start_room(&v, &few);
	play(&v, "help", line, 3);
}

static void test_menu_lines(void **state)
{
	enum ivr_command c;
	char key;

	(void)state;
	assert_true(ivr_menu_parse("*6 mute", &key, &c));
	assert_int_equal(key, '6');
	assert_int_equal(c, IVR_MUTE);
	assert_true(ivr_menu_parse("*# layout_previous", &key, &c));
	assert_int_equal(c, IVR_LAYOUT_PREVIOUS);
	assert_false(ivr_menu_parse("6 mute", &key, &c));
	assert_false(ivr_menu_parse("*6mute", &key, &c));
	assert_false(ivr_menu_parse("*6 ", &key, &c));
	assert_false(ivr_menu_parse("*", &key, &c));
	assert_false(ivr_menu_parse("", &key, &c));
	assert_false(ivr_menu_parse("** mute", &key, &c));
	assert_false(ivr_menu_parse("*6 dance", &key, &c));
}

/* Whatever comes in whatever order. */
static void test_any_order(void **state)
{
	static const char *const codes[] = { "", "pin_required", "pin_wrong", "room_unknown",
					     "room_full", "not_allowed" };
	static const struct ivr_room room = { .others = 3, .muted = true };
	unsigned seed = 4711;
	struct ivr_do d;
	struct ivr v;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		unsigned r = (unsigned)rand_r(&seed), what = r % 16;

		if (!i || r % 1009 == 0)
			ivr_start(&v, r & 4096 ? &english : &either, &d);
		else if (what < 7)
			ivr_digit(&v, "0123456789*#ABCD"[r / 16 % 16], &d);
		else if (what < 9)
			ivr_prompt_over(&v, v.prompt - (r / 16 % 4 == 0), r / 64 % 2, &d);
		else if (what == 9)
			ivr_timer(&v, &d);
		else if (what == 10 && v.state == IVR_ENTERING)
			ivr_refused(&v, codes[1 + r / 16 % 5], &d);
		else if (what == 11 && v.state == IVR_ENTERING)
			ivr_waits(&v, &d);
		else if (what == 12 && (v.state == IVR_ENTERING || v.state == IVR_WAITING))
			ivr_entered(&v, &room, &d);
		else if (what == 13)
			ivr_done(&v, (enum ivr_command)(1 + r / 16 % (IVR_COMMANDS - 1)),
				 codes[r / 512 % 6], &d);
		else
			ivr_was_muted(&v, r / 16 % 2, r / 32 % 2, &d);
		assert_true(d.n <= IVR_PROMPTS && strlen(v.typed) <= IVR_NUMBER_MAX + 1);
		assert_true(!d.enter || v.state == IVR_ENTERING);
		assert_true(!d.hang_up || v.state == IVR_OVER);
		assert_true(!d.command || v.state == IVR_ROOM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_other_beginnings),
		cmocka_unit_test(test_menu),
		cmocka_unit_test(test_volume),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_menu_lines),
		cmocka_unit_test(test_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
