#include "signaling/ivr.h"

#include <stdio.h>
#include <string.h>

static const char *const command_names[IVR_COMMANDS] = {
	[IVR_MUTE] = "mute", [IVR_HAND] = "hand", [IVR_LAYOUT_NEXT] = "layout_next",
	[IVR_LAYOUT_PREVIOUS] = "layout_previous", [IVR_RECORD] = "record",
	[IVR_RECORD_PAUSE] = "record_pause",
	[IVR_LOUDER] = "louder", [IVR_QUIETER] = "quieter", [IVR_HELP] = "help",
};
static const char *const help_names[IVR_COMMANDS] = {
	[IVR_MUTE] = "help_mute", [IVR_HAND] = "help_hand",
	[IVR_LAYOUT_NEXT] = "help_layout_next", [IVR_LAYOUT_PREVIOUS] = "help_layout_previous",
	[IVR_RECORD] = "help_record", [IVR_RECORD_PAUSE] = "help_record_pause",
	[IVR_LOUDER] = "help_louder",
	[IVR_QUIETER] = "help_quieter", [IVR_HELP] = "help_help",
};
static const char *const number_names[] = {
	"number_0", "number_1", "number_2", "number_3", "number_4",
	"number_5", "number_6", "number_7", "number_8", "number_9",
};

/* The goodbye is fetched in any case. */
enum { LEAVING_MS = 30000, PIECES_PER_HELP = 5 };

enum ivr_command ivr_command_parse(const char *name)
{
	for (unsigned i = IVR_NOTHING + 1; i < IVR_COMMANDS; i++)
		if (!strcmp(name, command_names[i]))
			return (enum ivr_command)i;
	return IVR_NOTHING;
}

bool ivr_menu_parse(const char *text, char *key, enum ivr_command *command)
{
	if (text[0] != '*' || !text[1] || !strchr("0123456789#", text[1]) || text[2] != ' ')
		return false;
	*key = text[1];
	*command = ivr_command_parse(text + 3);
	return *command != IVR_NOTHING;
}

/* --- saying ------------------------------------------------------------------ */

static void begin(struct ivr_do *out)
{
	memset(out, 0, sizeof *out);
	out->timer_ms = -1;
}

static void say(struct ivr *v, struct ivr_do *out, const char *name)
{
	if (!out->n)
		out->id = ++v->prompt;
	if (out->n < IVR_PROMPTS)
		out->prompt[out->n++] = name;
}

static void leave(struct ivr *v, struct ivr_do *out, const char *why)
{
	if (why)
		say(v, out, why);
	say(v, out, "goodbye");
	out->timer_ms = LEAVING_MS;
	v->state = IVR_LEAVING;
}

/* Asks for what the state wants; a digit ends what is said. */
static void ask(struct ivr *v, struct ivr_do *out, enum ivr_state state)
{
	v->state = state;
	v->typed[0] = 0;
	say(v, out, state == IVR_PIN ? "enter_pin" : "enter_number");
	out->until_digit = true;
	out->timer_ms = 0;
}

/* Nothing was typed, or something wrong. */
static void ask_again(struct ivr *v, struct ivr_do *out, enum ivr_state state, const char *wrong,
		      unsigned times)
{
	if (times >= IVR_TRIES) {
		leave(v, out, wrong);
		return;
	}
	say(v, out, wrong);
	ask(v, out, state);
}

/* --- beginning --------------------------------------------------------------- */

static void init(struct ivr *v, const struct ivr_cfg *cfg, struct ivr_do *out)
{
	*v = (struct ivr){ .cfg = cfg, .language = cfg->language };
	if (out)
		begin(out);
}

void ivr_start(struct ivr *v, const struct ivr_cfg *cfg, struct ivr_do *out)
{
	init(v, cfg, out);
	say(v, out, "welcome");
	if (!cfg->other) {
		ask(v, out, IVR_NUMBER);
		return;
	}
	v->state = IVR_LANGUAGE;
	say(v, out, !strcmp(cfg->other, "ko") ? "ko/choose_language" : "en/choose_language");
	out->until_digit = true;
}

void ivr_start_pin(struct ivr *v, const struct ivr_cfg *cfg, struct ivr_do *out)
{
	init(v, cfg, out);
	ask(v, out, IVR_PIN);
}

void ivr_start_waiting(struct ivr *v, const struct ivr_cfg *cfg, struct ivr_do *out)
{
	init(v, cfg, out);
	ivr_waits(v, out);
}

void ivr_start_room(struct ivr *v, const struct ivr_cfg *cfg)
{
	init(v, cfg, NULL);
	v->state = IVR_ROOM;
}

void ivr_farewell(struct ivr *v, const struct ivr_cfg *cfg, const char *why, struct ivr_do *out)
{
	const char *language = v->language;

	init(v, cfg, out);
	if (language)
		v->language = language;
	leave(v, out, why);
}

/* --- numbers ----------------------------------------------------------------- */

static void enter(struct ivr *v, struct ivr_do *out)
{
	v->state = IVR_ENTERING;
	out->enter = true;
	out->timer_ms = 0;
}

/* What was typed is complete. */
static void take_typed(struct ivr *v, struct ivr_do *out)
{
	bool too_long = strlen(v->typed) > IVR_NUMBER_MAX, is_pin = v->state == IVR_PIN;

	if (!v->typed[0]) {
		ask_again(v, out, v->state, "nothing_entered", ++v->silences);
	} else if (too_long && is_pin) {
		ask_again(v, out, IVR_PIN, "wrong_pin", ++v->wrong_pins);
	} else if (too_long) {
		ask_again(v, out, IVR_NUMBER, "wrong_number", ++v->wrong_numbers);
	} else {
		strcpy(is_pin ? v->pin : v->room, v->typed);
		if (!is_pin)
			v->pin[0] = 0;
		enter(v, out);
	}
}

static void type(struct ivr *v, char digit, struct ivr_do *out)
{
	size_t n = strlen(v->typed);

	if (digit == '#') {
		take_typed(v, out);
	} else if (digit == '*') { /* from the start */
		v->typed[0] = 0;
		out->timer_ms = IVR_FIRST_MS;
	} else {
		if (n < sizeof v->typed - 1) {
			v->typed[n] = digit;
			v->typed[n + 1] = 0;
		}
		out->timer_ms = IVR_NEXT_MS;
	}
}

static void choose_language(struct ivr *v, char digit, struct ivr_do *out)
{
	if (digit == '2')
		v->language = v->cfg->other;
	ask(v, out, IVR_NUMBER);
	/* Somebody who knows the way begins with the number at once. */
	if (digit >= '0' && digit <= '9' && digit != '2') {
		out->n = 0;
		out->hush = true;
		type(v, digit, out);
	}
}

/* --- in the room ------------------------------------------------------------- */

static void help(struct ivr *v, struct ivr_do *out)
{
	for (unsigned i = IVR_NOTHING + 1; i < IVR_COMMANDS; i++) {
		char key = v->cfg->key[i];

		if (!key || out->n + PIECES_PER_HELP > IVR_PROMPTS)
			continue;
		say(v, out, help_names[i]);
		say(v, out, "press");
		say(v, out, "star");
		say(v, out, key == '#' ? "pound" : number_names[key - '0']);
		say(v, out, "press_after");
	}
	out->until_digit = true;
}

static enum ivr_command command_of(const struct ivr *v, char key)
{
	for (unsigned i = IVR_NOTHING + 1; i < IVR_COMMANDS; i++)
		if (v->cfg->key[i] == key)
			return (enum ivr_command)i;
	return IVR_NOTHING;
}

static void turn_volume(struct ivr *v, enum ivr_command c, struct ivr_do *out)
{
	int db = v->volume_db + (c == IVR_LOUDER ? IVR_VOLUME_STEP_DB : -IVR_VOLUME_STEP_DB);

	if (db > IVR_VOLUME_MOST_DB || db < -IVR_VOLUME_MOST_DB) {
		say(v, out, c == IVR_LOUDER ? "loudest" : "quietest");
		return;
	}
	out->command = c;
	out->volume_db = db;
}

static void command(struct ivr *v, char key, struct ivr_do *out)
{
	enum ivr_command c = command_of(v, key);

	switch (c) {
	case IVR_NOTHING: say(v, out, "unknown_key"); break;
	case IVR_HELP: help(v, out); break;
	case IVR_LOUDER:
	case IVR_QUIETER: turn_volume(v, c, out); break;
	default:
		out->command = c;
		out->on = c == IVR_MUTE ? !v->muted : c == IVR_HAND ? !v->hand :
			  c == IVR_RECORD ? !v->recorded : c == IVR_RECORD_PAUSE && !v->paused;
	}
}

static void room_digit(struct ivr *v, char digit, struct ivr_do *out)
{
	if (digit == '*') {
		v->star = true;
		out->timer_ms = IVR_COMMAND_MS;
	} else if (v->star) {
		v->star = false;
		out->timer_ms = 0;
		command(v, digit, out);
	}
}

void ivr_done(struct ivr *v, enum ivr_command c, const char *code, struct ivr_do *out)
{
	bool ok = !*code;

	begin(out);
	if (v->state != IVR_ROOM)
		return;
	if (!ok && c == IVR_MUTE)
		say(v, out, "cannot_unmute");
	else if (!ok)
		say(v, out, !strcmp(code, "not_allowed") ? "hosts_only" : "not_possible");
	else if (c == IVR_MUTE)
		say(v, out, (v->muted = !v->muted) ? "muted" : "unmuted");
	else if (c == IVR_HAND)
		say(v, out, (v->hand = !v->hand) ? "hand_raised" : "hand_lowered");
	else if (c == IVR_LAYOUT_NEXT || c == IVR_LAYOUT_PREVIOUS)
		say(v, out, "layout_changed");
	else if (c == IVR_LOUDER || c == IVR_QUIETER) {
		v->volume_db += c == IVR_LOUDER ? IVR_VOLUME_STEP_DB : -IVR_VOLUME_STEP_DB;
		say(v, out, c == IVR_LOUDER ? "louder" : "quieter");
	}
	/* Of a recording everybody is told when it runs. */
}

void ivr_was_muted(struct ivr *v, bool muted, bool by_host, struct ivr_do *out)
{
	begin(out);
	if (v->muted == muted)
		return;
	v->muted = muted;
	if (v->state == IVR_ROOM)
		say(v, out, muted ? by_host ? "muted_by_host" : "muted" :
				    by_host ? "unmuted_by_host" : "unmuted");
}

void ivr_was_recorded(struct ivr *v, bool recorded, bool paused, struct ivr_do *out)
{
	begin(out);
	if (v->recorded == recorded && v->paused == paused)
		return;
	v->recorded = recorded;
	v->paused = paused;
	if (v->state == IVR_ROOM)
		say(v, out, paused ? "recording_paused" : recorded ? "recording_on" : "recording_off");
}

void ivr_hand_was(struct ivr *v, bool raised, struct ivr_do *out)
{
	begin(out);
	if (v->hand == raised)
		return;
	v->hand = raised;
	if (v->state == IVR_ROOM)
		say(v, out, raised ? "hand_raised" : "hand_lowered");
}

void ivr_entered(struct ivr *v, const struct ivr_room *r, struct ivr_do *out)
{
	begin(out);
	v->state = IVR_ROOM;
	v->star = v->hand = false;
	v->volume_db = 0;
	v->muted = r->muted;
	v->recorded = r->recorded;
	v->paused = r->paused;
	out->timer_ms = 0;
	if (!r->others) {
		say(v, out, "only_one");
	} else if (r->others == 1) {
		say(v, out, "one_other");
	} else {
		snprintf(out->count, sizeof out->count, "=%u", r->others);
		say(v, out, "others_before");
		say(v, out, out->count);
		say(v, out, "others_after");
	}
	if (r->recorded)
		say(v, out, r->paused ? "recording_paused" : "recording_on");
	if (r->muted)
		say(v, out, "muted_by_host");
}

/* --- what happens ------------------------------------------------------------ */

void ivr_digit(struct ivr *v, char digit, struct ivr_do *out)
{
	begin(out);
	switch (v->state) {
	case IVR_LANGUAGE: choose_language(v, digit, out); break;
	case IVR_NUMBER:
	case IVR_PIN: type(v, digit, out); break;
	case IVR_ROOM: room_digit(v, digit, out); break;
	default: break;
	}
}

void ivr_prompt_over(struct ivr *v, uint32_t id, bool stopped, struct ivr_do *out)
{
	begin(out);
	if (id != v->prompt)
		return;
	if (v->state == IVR_LEAVING) {
		out->hang_up = true;
		out->timer_ms = 0;
		v->state = IVR_OVER;
	} else if (stopped) {
		return; /* by a digit, which has its own timer */
	} else if (v->state == IVR_NUMBER || v->state == IVR_PIN) {
		out->timer_ms = IVR_FIRST_MS;
	} else if (v->state == IVR_LANGUAGE) {
		out->timer_ms = IVR_CHOICE_MS;
	}
}

void ivr_timer(struct ivr *v, struct ivr_do *out)
{
	begin(out);
	out->timer_ms = 0;
	switch (v->state) {
	case IVR_LANGUAGE: ask(v, out, IVR_NUMBER); break;
	case IVR_NUMBER:
	case IVR_PIN: take_typed(v, out); break;
	case IVR_ROOM: v->star = false; break;
	case IVR_LEAVING:
		out->hang_up = true;
		v->state = IVR_OVER;
		break;
	default: break;
	}
}

void ivr_waits(struct ivr *v, struct ivr_do *out)
{
	begin(out);
	v->state = IVR_WAITING;
	out->timer_ms = 0;
	say(v, out, "wait_lobby");
	say(v, out, "music");
	out->loop = true;
}

void ivr_refused(struct ivr *v, const char *code, struct ivr_do *out)
{
	static const struct { const char *code, *prompt; } said[] = {
		{ "room_full", "room_full" }, { "room_locked", "room_locked" },
		{ "refused", "refused" }, { "rate_limited", "too_many_tries" },
		{ "overloaded", "server_busy" }, { "server_full", "server_busy" },
		{ "busy", "server_busy" }, { "too_many_from_address", "server_busy" },
		{ "shutting_down", "server_busy" }, { "internal", "failed" },
	};
	const char *why = "no_entry";

	begin(out);
	if (!strcmp(code, "room_unknown") || !strcmp(code, "room_invalid")) {
		ask_again(v, out, IVR_NUMBER, "wrong_number", ++v->wrong_numbers);
		return;
	}
	if (!strcmp(code, "pin_required")) {
		ask(v, out, IVR_PIN);
		return;
	}
	if (!strcmp(code, "pin_wrong")) {
		ask_again(v, out, IVR_PIN, "wrong_pin", ++v->wrong_pins);
		return;
	}
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		if (!strcmp(code, said[i].code))
			why = said[i].prompt;
	leave(v, out, why);
}
