/* The templates and schedules of rooms, as they are in force: kept in memory, so that nobody
 * who joins waits for them. At the end of a time for which a room is open it is closed, and
 * in a time for which it is recorded a recording begins as soon as somebody is there. CTL. */
#ifndef MCU_AGENDA_H
#define MCU_AGENDA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/schedule.h"
#include "storage/room_plans.h"
#include "storage/rooms.h"

struct agenda;

enum { AGENDA_ID_SIZE = 24 };

struct agenda_events {
	/* Everybody out. */
	void (*close)(void *ctx, const char *room);
	/* 0: done. start: it may not be possible yet, and is tried again while the time lasts;
	 * id: of the recording that began. Otherwise that one ends, and no other. */
	int (*record)(void *ctx, const char *room, bool start, char id[AGENDA_ID_SIZE]);
};

struct agenda_cfg {
	struct db *db;
	int64_t (*now_ms)(void); /* NULL: the clock on the wall */
	const struct agenda_events *events;
	void *ctx;
};

/* cfg's pointers are borrowed for its life. */
int agenda_new(struct agenda **out, const struct agenda_cfg *cfg) ON_THREAD(ROLE_CTL);
/* No event comes any more. */
void agenda_stop(struct agenda *a) ON_THREAD(ROLE_CTL);
/* When no callback of the database comes any more. */
void agenda_free(struct agenda **a) ON_THREAD(ROLE_CTL);

/* Reads them from the registry: at the start and when they have changed. */
void agenda_load(struct agenda *a) ON_THREAD(ROLE_CTL);
/* What agenda_load has read. */
void agenda_set_schedules(struct agenda *a, const struct schedule_row *rows, size_t n)
	ON_THREAD(ROLE_CTL);
void agenda_set_templates(struct agenda *a, const struct template_row *rows, size_t n)
	ON_THREAD(ROLE_CTL);
/* What is due now is done. By a timer, and by tests. */
void agenda_look(struct agenda *a) ON_THREAD(ROLE_CTL);

/* Whether the room may be entered now: it has no schedule that opens it, or one that does now.
 * *opens_ms: the next time; 0: none. a NULL: yes. */
bool agenda_is_open(const struct agenda *a, const char *room, int64_t *opens_ms)
	ON_THREAD(ROLE_CTL);
/* Rules by the template whose pattern the name fits, over those in *rules. a NULL: none. */
void agenda_rules(const struct agenda *a, const char *room, struct room_rules *rules)
	ON_THREAD(ROLE_CTL);
/* False: there is no template of this name. title: DB_NAME_MAX + 1 octets. */
bool agenda_template(const struct agenda *a, const char *name, struct room_rules *rules,
		     char *title) ON_THREAD(ROLE_CTL);

/* --- reading what clients send; pure ------------------------------------------- */

/* The settings of a template over *rules and title (DB_NAME_MAX + 1 octets, may be NULL).
 * 0 or -EINVAL with *why. */
int agenda_read_settings(const char *text, size_t len, struct room_rules *rules, char *title,
			 struct errmsg *why);
/* The body of a template that is put: {"pattern", "settings"}. */
int agenda_read_template(const char *text, size_t len, struct template_row *out,
			 struct errmsg *why);
/* The body of a schedule that is made; room, id and made_by are the caller's. */
int agenda_read_schedule(const char *text, size_t len, struct schedule_row *out,
			 struct errmsg *why);
/* The row as a schedule. zone: the caller's to free. False: it is not one. */
bool agenda_compile(struct schedule *out, struct zone **zone, const struct schedule_row *row);

#endif
