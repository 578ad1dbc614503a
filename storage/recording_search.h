/* Looking for recordings: by words in room, title, tags, names of who took part and
 * what was written to everybody, by room, person, tag and time; and only what one
 * may see. Rooms decide whether those who took part see a recording, or the owner
 * and hosts only. Any thread; rules of db.h. */
#ifndef MCU_STORAGE_RECORDING_SEARCH_H
#define MCU_STORAGE_RECORDING_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/recordings.h"

/* Who looks. */
struct recording_viewer {
	int64_t user_id;
	bool everything;   /* an administrator */
	bool participants; /* where a room says nothing, who took part may see it */
};

struct recording_query {
	struct recording_viewer viewer;
	const char *text;   /* words, all of which are there; NULL or "": any */
	const char *person; /* words of the name of one who took part; likewise */
	const char *room;   /* its name; NULL: any */
	const char *tag;    /* all of it; NULL: any */
	int64_t from_ms, until_ms; /* began in [from, until); 0: open */
	int64_t before;		   /* ids below this; 0: from the newest on */
	size_t limit;		   /* 1…RECORDING_LIST_MAX */
	bool trash;		   /* what was deleted instead of what is there */
};

struct recording_hit {
	struct recording_row row;
	bool manage; /* the viewer may change and delete it */
};

typedef void recording_hits_cb(void *obj, int err, const struct recording_hit *hits, size_t n);

/* The newest first, without tracks. Returns -EINVAL: limit, or a text is too long. err
 * -E2BIG: too many words. */
int recording_search(struct db *db, const struct recording_query *q, recording_hits_cb *cb,
		     void *obj);
/* The one of this id, tracks too; n is 1. err -ENOENT: there is none that the viewer
 * may see. */
int recording_open(struct db *db, int64_t id, const struct recording_viewer *viewer,
		   recording_hits_cb *cb, void *obj);

/* Brings the index up to date by at most limit recordings; done: whether that were all.
 * Searches do it for a few themselves. cb may be NULL. */
typedef void recording_index_cb(void *obj, int err, bool done);
int recording_index(struct db *db, size_t limit, recording_index_cb *cb, void *obj);

/* Who took part in it, and what was written to everybody; times from its start. */
struct recording_person {
	char name[DB_NAME_MAX + 1];
	int64_t joined_ms, left_ms;
	bool host;
};
struct recording_line {
	char name[DB_NAME_MAX + 1];
	int64_t at_ms;
	const char *text; /* borrowed for the callback */
};
struct recording_story {
	const struct recording_person *people;
	size_t n_people;
	const struct recording_line *lines;
	size_t n_lines;
};
enum { RECORDING_STORY_MAX = 1000 }; /* of each, the first ones */
typedef void recording_story_cb(void *obj, int err, const struct recording_story *s);
int recording_story(struct db *db, int64_t id, recording_story_cb *cb, void *obj);

#endif
