/* What a caller is told and asked, and what the keys of a telephone do: a pure state
 * machine. It is told what happens and says what shall be done; who it belongs to does
 * that (sip_call_guide.c). No clock: it asks for a timer, of which there is one.
 *
 *   (LANGUAGE →) NUMBER → ENTERING → PIN → ENTERING → WAITING → ROOM
 *                   ↑________|        ↑______|
 *
 * A number or PIN is ended by the pound key, or by a pause. Three wrong ones, or three
 * times nothing, and it says goodbye. In the room, a star and a key are a command. */
#ifndef MCU_SIGNALING_IVR_H
#define MCU_SIGNALING_IVR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	IVR_NUMBER_MAX = 16, /* digits of a number or PIN */
	IVR_TRIES = 3,
	IVR_PROMPTS = 64,
	IVR_FIRST_MS = 10000,  /* for the first digit, from the end of what is said */
	IVR_NEXT_MS = 5000,    /* for each more */
	IVR_CHOICE_MS = 3000,  /* of the language */
	IVR_COMMAND_MS = 4000, /* for the key after a star */
	IVR_VOLUME_STEP_DB = 3,
	IVR_VOLUME_MOST_DB = 12, /* up and down */
};

/* What a key does in a room. */
enum ivr_command {
	IVR_NOTHING,
	IVR_MUTE, /* and unmute, each in turn; so with hand and record */
	IVR_HAND,
	IVR_LAYOUT_NEXT,
	IVR_LAYOUT_PREVIOUS,
	IVR_RECORD,
	IVR_RECORD_PAUSE, /* and go on */
	IVR_LOUDER, /* what it hears */
	IVR_QUIETER,
	IVR_HELP,
	IVR_COMMANDS
};

/* "mute", "hand", "layout_next", …; IVR_NOTHING: no such. */
enum ivr_command ivr_command_parse(const char *name);
/* "*6 mute": the key after the star and what it does. False: something else. */
bool ivr_menu_parse(const char *text, char *key, enum ivr_command *command);

struct ivr_cfg {
	const char *language; /* "en" */
	const char *other;    /* that may be chosen by pressing 2; NULL: none */
	char key[IVR_COMMANDS]; /* by command; 0: it has none */
};

enum ivr_state {
	IVR_LANGUAGE = 1,
	IVR_NUMBER,
	IVR_PIN,
	IVR_ENTERING, /* the rooms are asked */
	IVR_WAITING,  /* in a lobby */
	IVR_ROOM,
	IVR_LEAVING,  /* says goodbye */
	IVR_OVER
};

struct ivr {
	const struct ivr_cfg *cfg; /* borrowed */
	enum ivr_state state;
	const char *language;
	char typed[IVR_NUMBER_MAX + 2]; /* one more than may be: too long */
	char room[IVR_NUMBER_MAX + 2], pin[IVR_NUMBER_MAX + 2]; /* as they were entered; "": not */
	unsigned wrong_numbers, wrong_pins, silences;
	bool star;	/* in the room: a command has begun */
	bool muted, hand, recorded, paused; /* paused: what is recorded */
	int volume_db;
	uint32_t prompt; /* number of the newest list */
};

/* What is to be done, in this order. */
struct ivr_do {
	/* prompts (leg_api.h) to play, instead of what plays or waits; n 0: nothing new */
	size_t n;
	const char *prompt[IVR_PROMPTS];
	char count[16];		/* one of them */
	uint32_t id; /* of the list */
	bool loop, until_digit;
	bool hush;   /* what plays stops; only without n */
	int timer_ms; /* ivr_timer is to be called then; 0: no more; -1: as it was */
	bool enter;  /* ivr.room with ivr.pin: then ivr_refused, ivr_waits or ivr_entered */
	enum ivr_command command; /* in the room: then ivr_done */
	bool on;		  /* of MUTE, HAND, RECORD, RECORD_PAUSE */
	int volume_db;		  /* of LOUDER, QUIETER */
	bool hang_up;
};

/* A call to the bridge; one to a room that wants a PIN; one that waits in a lobby. */
void ivr_start(struct ivr *v, const struct ivr_cfg *cfg, struct ivr_do *out);
void ivr_start_pin(struct ivr *v, const struct ivr_cfg *cfg, struct ivr_do *out);
void ivr_start_waiting(struct ivr *v, const struct ivr_cfg *cfg, struct ivr_do *out);
/* It is in a room without having been asked anything; nothing is said. */
void ivr_start_room(struct ivr *v, const struct ivr_cfg *cfg);

/* It was in a room and is not any more: why, and goodbye. */
void ivr_farewell(struct ivr *v, const struct ivr_cfg *cfg, const char *why, struct ivr_do *out);

void ivr_digit(struct ivr *v, char digit, struct ivr_do *out);
void ivr_prompt_over(struct ivr *v, uint32_t id, bool stopped, struct ivr_do *out);
void ivr_timer(struct ivr *v, struct ivr_do *out);
/* code: of leg_api.h's errors. */
void ivr_refused(struct ivr *v, const char *code, struct ivr_do *out);
void ivr_waits(struct ivr *v, struct ivr_do *out);
/* others: without itself. */
struct ivr_room {
	unsigned others;
	bool muted, recorded, paused;
};
void ivr_entered(struct ivr *v, const struct ivr_room *r, struct ivr_do *out);
/* Of a command; code "": it is done. */
void ivr_done(struct ivr *v, enum ivr_command c, const char *code, struct ivr_do *out);

/* In the room, by whomever. */
void ivr_was_muted(struct ivr *v, bool muted, bool by_host, struct ivr_do *out);
/* paused: it is recorded still, but not now. */
void ivr_was_recorded(struct ivr *v, bool recorded, bool paused, struct ivr_do *out);
void ivr_hand_was(struct ivr *v, bool raised, struct ivr_do *out);

#endif
