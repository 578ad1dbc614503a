#include "storage/chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/db_request.h"

struct chat_request {
	struct db_request base;
	struct chat_row row;
	char name[DB_NAME_MAX + 1];
	char *text;
};

static void clear(struct db_request *base)
{
	free(((struct chat_request *)base)->text);
}

static int run_add(sqlite3 *conn, struct db_request *base)
{
	struct chat_request *r = (struct chat_request *)base;

	return db_run(conn,
		      "INSERT INTO chat (id, session_id, at_ms, leg, to_leg, name, text) "
		      "VALUES (?, ?, ?, ?, ?, ?, ?)",
		      "iiiintt", r->row.id, r->row.session_id, r->row.at_ms, (int64_t)r->row.leg,
		      (int64_t)r->row.to_leg, r->name, r->text);
}

int chat_add(struct db *db, const struct chat_row *row)
{
	struct chat_request *r;

	if (strlen(row->text) > CHAT_TEXT_MAX)
		return -EINVAL;
	r = db_request_new(sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "keep a chat message", .run = run_add,
				       .clear = clear };
	r->row = *row;
	r->text = strdup(row->text);
	if (!r->text || !db_copy_text(r->name, sizeof(r->name), row->name)) {
		int err = r->text ? -EINVAL : -ENOMEM;

		db_request_free(&r->base);
		return err;
	}
	return db_request_post(db, &r->base);
}
