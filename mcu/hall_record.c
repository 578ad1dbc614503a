/* Recording a room: as somebody wants it, or by itself while enough people are there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/conference_priv.h"

static void note_to_info(const struct recording_note *n, struct recording_info *i)
{
	static const enum recording_event_state state[] = {
		[RECORDING_RUNS] = RECORDING_IS_ON,
		[RECORDING_PAUSED] = RECORDING_IS_PAUSED,
		[RECORDING_ENDS] = RECORDING_IS_FINISHING,
		[RECORDING_DONE] = RECORDING_IS_READY,
		[RECORDING_BROKE] = RECORDING_IS_FAILED,
	};

	*i = (struct recording_info){
		.state = state[n->phase], .id = n->id, .by = n->by, .url = n->url, .text = n->text,
		.sound_only = n->sound_only, .tracks = n->tracks,
	};
}

void hall_recording_info(const struct hall *h, struct recording_info *out)
{
	struct recording_note n;

	*out = (struct recording_info){ .state = RECORDING_IS_OFF };
	if (!h->recording)
		return;
	recording_describe(h->recording, &n);
	note_to_info(&n, out);
}

static void on_recording(void *obj, const struct recording_note *n)
{
	struct recording_info i;
	struct hall *h = obj;

	role_assert_ctl();
	if (n->phase == RECORDING_DONE || n->phase == RECORDING_BROKE)
		h->recording = NULL;
	note_to_info(n, &i);
	presence_recording_changed(h, &i);
}

static int not_recording(struct errmsg *why)
{
	return errmsg_set(why, -ENOENT, "not_recording", "This room is not being recorded.");
}

ON_THREAD(ROLE_CTL) static void forget_end(struct hall *h)
{
	if (h->auto_end)
		g_source_remove(h->auto_end);
	h->auto_end = 0;
}

ON_THREAD(ROLE_CTL) static int start(struct hall *h, const struct record_wish *wish,
				     const char *by, struct errmsg *why)
{
	const struct recording_order order = {
		.session_id = h->session_id, .by = by, .wish = *wish,
	};


	if (h->recording)
		return errmsg_set(why, -EBUSY, "already_recording",
				  "This room is being recorded already.");
	int err = recording_start(&h->recording, &h->conf->recordings, h->room, &order,
				  on_recording, h, why);

	if (!err)
		hall_stands(h);
	return err;
}

int hall_record(struct hall *h, const struct record_wish *wish, const char *by,
		struct errmsg *why)
{
	enum record_action action = wish->action;
	int err;

	if (h->closing)
		return not_recording(why);
	if (action == RECORD_START) {
		err = start(h, wish, by, why);
		h->auto_runs = h->auto_runs && err;
		return err;
	}
	if (!h->recording)
		return not_recording(why);
	if (action == RECORD_PAUSE || action == RECORD_RESUME)
		return recording_pause(h->recording, action == RECORD_PAUSE, why);
	/* Not again by itself before it has been left by enough people. */
	h->auto_held = true;
	h->auto_runs = false;
	forget_end(h);
	recording_stop(h->recording);
	return 0;
}

void hall_record_close(struct hall *h)
{
	forget_end(h);
	if (h->recording)
		recording_stop(h->recording);
}

/* --- by itself --------------------------------------------------------------- */

static size_t people(const struct hall *h)
{
	size_t n = 0;

	for (guint i = 0; i < h->people->len; i++)
		n += !((struct leg_handle *)g_ptr_array_index(h->people, i))->who.device;
	return n;
}

static gboolean end_due(gpointer obj)
{
	struct hall *h = obj;

	role_assert_ctl();
	h->auto_end = 0;
	h->auto_runs = false;
	if (h->recording)
		recording_stop(h->recording);
	return G_SOURCE_REMOVE;
}

/* A host who pauses it does so for all of the time that it is paused. */
ON_THREAD(ROLE_CTL) static void end_soon(struct hall *h, size_t n)
{
	int wait_s = n ? h->conf->cfg.config->recording.auto_end_s : 0;

	if (!h->auto_runs || !h->recording)
		return;
	if (!n)
		forget_end(h);
	if (!h->auto_end)
		h->auto_end = g_timeout_add_seconds((guint)wait_s, end_due, h);
}

void hall_record_look(struct hall *h)
{
	int own = h->rules.auto_people;
	size_t least = (size_t)(own > 0 ? own : h->conf->cfg.config->recording.auto_people);
	static const struct record_wish as_configured = { .action = RECORD_START };
	bool by_itself = !strcmp(h->rules.record, "auto");
	struct errmsg why;
	size_t n;

	if (h->closing || h->parlour || (!by_itself && !h->auto_runs))
		return;
	n = people(h);
	if (n < least || !by_itself) {
		h->auto_held = h->auto_held && n >= least;
		end_soon(h, n);
		return;
	}
	forget_end(h);
	if (h->recording || h->auto_held)
		return;
	h->auto_runs = !start(h, &as_configured, "", &why);
	/* Whoever comes next is a reason to try again; not each second. */
	if (!h->auto_runs)
		log_warn(NULL, "room %s is not recorded by itself: %s", room_name(h->room), why.text);
}

/* --- from outside ------------------------------------------------------------- */

static int no_room(struct errmsg *why)
{
	return errmsg_set(why, -ENOENT, "room_empty", "Nobody is in this room now.");
}

int conference_record(struct conference *c, const char *room, const struct record_wish *wish,
		      const char *by, struct errmsg *why)
{
	struct hall *h = hall_find(c, room);

	return h && !h->closing ? hall_record(h, wish, by, why) : no_room(why);
}

int conference_recording(const struct conference *c, const char *room,
			 struct recording_info *out, struct errmsg *why)
{
	const struct hall *h = g_hash_table_lookup(c->halls, room);

	if (!h)
		return no_room(why);
	hall_recording_info(h, out);
	return 0;
}
