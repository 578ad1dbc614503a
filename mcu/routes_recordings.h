/* What the routes about recordings share. CTL. */
#ifndef MCU_ROUTES_RECORDINGS_H
#define MCU_ROUTES_RECORDINGS_H

#include "mcu/routes_priv.h"
#include "storage/recording_keep.h"
#include "storage/recording_search.h"

/* What a request is about; hangs on its wait. */
struct recording_ask {
	struct recording_query query; /* its texts are those below */
	char text[DB_NAME_MAX + 1], person[DB_NAME_MAX + 1], tag[DB_NAME_MAX + 1];
	struct recording_row row;
	bool manage; /* who asks may change it */
	int64_t seconds;
	char title[DB_NAME_MAX + 1], tags[RECORDING_TAGS_MAX + 1];
	struct recording_edit edit; /* of title, tags and keep */
	bool keep;
	struct recording_rules rules;
	struct keep_policy policy;
};

/* NULL: out of memory, answered and ended. */
struct recording_ask *wait_recording(struct wait *w) ON_THREAD(ROLE_CTL);
struct recording_viewer wait_viewer(const struct wait *w) ON_THREAD(ROLE_CTL);
/* What JSON says of a row; its addresses hold for some hours. */
json_t *recording_json(const struct routes *r, const struct recording_row *row, bool manage)
	ON_THREAD(ROLE_CTL);
/* The same with addresses that hold as long as this link does. */
json_t *recording_json_with(const struct recording_row *row, bool manage, const char *link);
json_t *recording_story_json(const struct recording_story *s);

#endif
