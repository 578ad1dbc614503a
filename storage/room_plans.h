/* Templates of rooms, and schedules by which rooms open or are recorded. Any thread; rules of
 * db.h. */
#ifndef MCU_STORAGE_ROOM_PLANS_H
#define MCU_STORAGE_ROOM_PLANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum { TEMPLATES_MAX = 200, SCHEDULES_MAX = 2000, SCHEDULES_OF_ROOM = 50, PLAN_SETTINGS_MAX = 2048 };

struct template_row {
	char name[65];
	char pattern[65];		     /* of rooms that open unregistered; "": none */
	char settings[PLAN_SETTINGS_MAX + 1]; /* JSON */
};

struct schedule_row {
	int64_t id;
	char room[DB_NAME_MAX + 1];
	char title[DB_NAME_MAX + 1];
	bool record; /* otherwise it opens */
	bool enabled;
	char zone[65], repeat[8], first_day[11], last_day[11]; /* last_day "": for ever */
	unsigned weekdays;
	int start_minute, minutes;
	int64_t made_by; /* 0: gone */
};

typedef void plan_cb(void *obj, int err);
typedef void template_list_cb(void *obj, int err, const struct template_row *rows, size_t n);
typedef void schedule_list_cb(void *obj, int err, const struct schedule_row *rows, size_t n);

/* Makes it or writes it anew. err -EUSERS: there are TEMPLATES_MAX. */
int templates_put(struct db *db, const struct template_row *row, plan_cb *cb, void *obj);
/* err -ENOENT. */
int templates_delete(struct db *db, const char *name, plan_cb *cb, void *obj);
/* By name. */
int templates_list(struct db *db, template_list_cb *cb, void *obj);

/* err -EUSERS: the room has SCHEDULES_OF_ROOM, or there are SCHEDULES_MAX. */
int schedules_add(struct db *db, const struct schedule_row *row, plan_cb *cb, void *obj);
/* Writes the one of this id and room anew; who made it stays. err -ENOENT. */
int schedules_change(struct db *db, const struct schedule_row *row, plan_cb *cb, void *obj);
/* Of this room. err -ENOENT. */
int schedules_delete(struct db *db, const char *room, int64_t id, plan_cb *cb, void *obj);
/* In order of making. */
int schedules_list(struct db *db, schedule_list_cb *cb, void *obj);

#endif
