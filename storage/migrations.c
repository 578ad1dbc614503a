#include "storage/migrations.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>

#include "mcu/base/log.h"
#include "storage/db_request.h"

const struct migration migrations[] = {
	{ "users, rooms, sessions, participants, recordings",
	  "CREATE TABLE users ("
	  " id INTEGER PRIMARY KEY,"
	  " name TEXT NOT NULL UNIQUE CHECK (name <> ''),"
	  " password_hash TEXT NOT NULL,"
	  " role TEXT NOT NULL CHECK (role IN ('admin', 'host', 'participant')),"
	  " created_ms INTEGER NOT NULL"
	  ") STRICT;"
	  "CREATE TABLE rooms ("
	  " id INTEGER PRIMARY KEY,"
	  " name TEXT NOT NULL UNIQUE CHECK (name <> ''),"
	  " title TEXT NOT NULL DEFAULT '',"
	  " settings TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(settings)),"
	  " created_ms INTEGER NOT NULL"
	  ") STRICT;"
	  "CREATE TABLE sessions ("
	  " id INTEGER PRIMARY KEY,"
	  " room_id INTEGER NOT NULL REFERENCES rooms,"
	  " started_ms INTEGER NOT NULL,"
	  " ended_ms INTEGER,"
	  " end_reason TEXT"
	  ") STRICT;"
	  "CREATE INDEX sessions_by_room ON sessions (room_id, started_ms);"
	  "CREATE INDEX sessions_open ON sessions (id) WHERE ended_ms IS NULL;"
	  "CREATE TABLE participants ("
	  " id INTEGER PRIMARY KEY,"
	  " session_id INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,"
	  " leg INTEGER NOT NULL,"
	  " name TEXT NOT NULL,"
	  " joined_ms INTEGER NOT NULL,"
	  " left_ms INTEGER,"
	  " leave_reason TEXT,"
	  " user_id INTEGER REFERENCES users ON DELETE SET NULL"
	  ") STRICT;"
	  "CREATE INDEX participants_by_session ON participants (session_id);"
	  "CREATE INDEX participants_open ON participants (id) WHERE left_ms IS NULL;"
	  "CREATE TABLE recordings ("
	  " id INTEGER PRIMARY KEY,"
	  " session_id INTEGER REFERENCES sessions ON DELETE SET NULL,"
	  " room_id INTEGER REFERENCES rooms ON DELETE SET NULL,"
	  " path TEXT NOT NULL UNIQUE CHECK (path <> ''),"
	  " state TEXT NOT NULL CHECK (state IN"
	  "  ('recording', 'finishing', 'ready', 'interrupted', 'failed')),"
	  " started_ms INTEGER NOT NULL,"
	  " ended_ms INTEGER,"
	  " duration_ms INTEGER NOT NULL DEFAULT 0,"
	  " bytes INTEGER NOT NULL DEFAULT 0,"
	  " width INTEGER NOT NULL DEFAULT 0,"
	  " height INTEGER NOT NULL DEFAULT 0,"
	  " by_name TEXT NOT NULL DEFAULT '',"
	  " token TEXT NOT NULL UNIQUE CHECK (length(token) = 32),"
	  " error TEXT NOT NULL DEFAULT ''"
	  ") STRICT;"
	  "CREATE INDEX recordings_by_room ON recordings (room_id, id);" },
	{ "accounts, rules of rooms, invitations, audit, chat",
	  "ALTER TABLE users ADD COLUMN display_name TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE users ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;"
	  "ALTER TABLE rooms ADD COLUMN registered INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE rooms ADD COLUMN owner_id INTEGER REFERENCES users ON DELETE SET NULL;"
	  "ALTER TABLE rooms ADD COLUMN members_only INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE rooms ADD COLUMN lobby INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE rooms ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE rooms ADD COLUMN unmute INTEGER NOT NULL DEFAULT 1;"
	  "ALTER TABLE rooms ADD COLUMN stereo INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE rooms ADD COLUMN max_participants INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE rooms ADD COLUMN record TEXT NOT NULL DEFAULT ''"
	  " CHECK (record IN ('', 'hosts', 'all', 'nobody'));"
	  "ALTER TABLE rooms ADD COLUMN guest_pin TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE rooms ADD COLUMN host_pin TEXT NOT NULL DEFAULT '';"
	  /* Until now a room that was made on demand looked like a registered one, except
	   * that it had no title and had been used. */
	  "UPDATE rooms SET registered = 1"
	  " WHERE title <> '' OR id NOT IN (SELECT room_id FROM sessions);"
	  "CREATE TABLE invitations ("
	  " id INTEGER PRIMARY KEY,"
	  " token_hash TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),"
	  " room_id INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,"
	  " role TEXT NOT NULL CHECK (role IN ('host', 'participant')),"
	  " created_ms INTEGER NOT NULL,"
	  " expires_ms INTEGER NOT NULL,"
	  " uses_left INTEGER CHECK (uses_left >= 0)," /* NULL: any number */
	  " made_by INTEGER REFERENCES users ON DELETE SET NULL"
	  ") STRICT;"
	  "CREATE INDEX invitations_by_room ON invitations (room_id, id);"
	  "CREATE TABLE audit ("
	  " id INTEGER PRIMARY KEY,"
	  " at_ms INTEGER NOT NULL,"
	  " action TEXT NOT NULL,"
	  " actor TEXT NOT NULL,"
	  " address TEXT NOT NULL,"
	  " room TEXT NOT NULL,"
	  " detail TEXT NOT NULL"
	  ") STRICT;"
	  "CREATE TABLE chat ("
	  " id INTEGER PRIMARY KEY,"
	  " session_id INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,"
	  " at_ms INTEGER NOT NULL,"
	  " leg INTEGER NOT NULL,"
	  " to_leg INTEGER," /* NULL: everybody */
	  " name TEXT NOT NULL,"
	  " text TEXT NOT NULL"
	  ") STRICT;"
	  "CREATE INDEX chat_by_session ON chat (session_id, id);" },
	{ "call records",
	  "CREATE TABLE calls ("
	  " id INTEGER PRIMARY KEY,"
	  " session_id INTEGER REFERENCES sessions ON DELETE SET NULL,"
	  " direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),"
	  " room TEXT NOT NULL," /* by name: the record outlives it */
	  " uri TEXT NOT NULL,"
	  " number TEXT NOT NULL,"
	  " user TEXT NOT NULL,"
	  " trunk TEXT NOT NULL,"
	  " started_ms INTEGER NOT NULL,"
	  " answered_ms INTEGER,"
	  " ended_ms INTEGER,"
	  " audio TEXT NOT NULL,"
	  " video TEXT NOT NULL,"
	  " packets_in INTEGER NOT NULL,"
	  " packets_out INTEGER NOT NULL,"
	  " lost_in INTEGER NOT NULL,"
	  " lost_out INTEGER NOT NULL,"
	  " jitter_ms REAL NOT NULL,"
	  " rtt_ms REAL NOT NULL,"
	  " mos REAL NOT NULL,"
	  " score REAL NOT NULL,"
	  " end_reason TEXT NOT NULL,"
	  " sip_status INTEGER NOT NULL,"
	  " reason TEXT NOT NULL"
	  ") STRICT;"
	  "CREATE INDEX calls_by_room ON calls (room, id);"
	  "CREATE INDEX calls_by_start ON calls (started_ms);"
	  "CREATE INDEX calls_by_session ON calls (session_id);"
	  "CREATE INDEX calls_open ON calls (id) WHERE ended_ms IS NULL;" },
	{ "SIP: passwords of telephones, where they are, trunks",
	  "CREATE TABLE sip_secrets ("
	  " user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,"
	  " realm TEXT NOT NULL,"
	  " ha1_md5 TEXT NOT NULL CHECK (length(ha1_md5) = 32),"
	  " ha1_sha256 TEXT NOT NULL CHECK (length(ha1_sha256) = 64)"
	  ") STRICT;"
	  "CREATE TABLE sip_phones ("
	  " user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"
	  " uri TEXT NOT NULL,"
	  " route TEXT NOT NULL,"
	  " path TEXT NOT NULL,"
	  " call_id TEXT NOT NULL,"
	  " cseq INTEGER NOT NULL,"
	  " instance TEXT NOT NULL,"
	  " agent TEXT NOT NULL,"
	  " expires_ms INTEGER NOT NULL"
	  ") STRICT;"
	  "CREATE INDEX sip_phones_by_user ON sip_phones (user_id);"
	  "CREATE TABLE sip_trunks ("
	  " name TEXT PRIMARY KEY CHECK (name <> ''),"
	  " settings TEXT NOT NULL CHECK (json_valid(settings)),"
	  " password TEXT NOT NULL"
	  ") STRICT;" },
	{ "rooms: numbers that callers enter",
	  "ALTER TABLE rooms ADD COLUMN number TEXT NOT NULL DEFAULT '';"
	  "CREATE UNIQUE INDEX rooms_by_number ON rooms (number) WHERE number <> '';" },
	{ "recordings: titles, tags, tracks, what belongs to them, trash, search",
	  "ALTER TABLE recordings ADD COLUMN title TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE recordings ADD COLUMN kind TEXT NOT NULL DEFAULT 'composed'"
	  " CHECK (kind IN ('composed', 'track', 'audio'));"
	  "ALTER TABLE recordings ADD COLUMN format TEXT NOT NULL DEFAULT 'mp4'"
	  " CHECK (format IN ('mp4', 'mkv'));"
	  "ALTER TABLE recordings ADD COLUMN video_codec TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE recordings ADD COLUMN audio_codec TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE recordings ADD COLUMN parent_id INTEGER REFERENCES recordings"
	  " ON DELETE SET NULL;"
	  "ALTER TABLE recordings ADD COLUMN leg INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE recordings ADD COLUMN user_id INTEGER REFERENCES users ON DELETE SET NULL;"
	  "ALTER TABLE recordings ADD COLUMN tags TEXT NOT NULL DEFAULT '';" /* one a line */
	  "ALTER TABLE recordings ADD COLUMN people TEXT NOT NULL DEFAULT '';" /* likewise */
	  "ALTER TABLE recordings ADD COLUMN sha256 TEXT NOT NULL DEFAULT ''"
	  " CHECK (length(sha256) IN (0, 64));"
	  "ALTER TABLE recordings ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE recordings ADD COLUMN finish TEXT NOT NULL DEFAULT 'none'"
	  " CHECK (finish IN ('none', 'queued', 'done', 'failed'));"
	  "ALTER TABLE recordings ADD COLUMN finish_tries INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE recordings ADD COLUMN keep INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE recordings ADD COLUMN deleted_ms INTEGER;"
	  "ALTER TABLE recordings ADD COLUMN deleted_by TEXT NOT NULL DEFAULT '';"
	  "CREATE INDEX recordings_by_session ON recordings (session_id);"
	  "CREATE INDEX recordings_by_parent ON recordings (parent_id)"
	  " WHERE parent_id IS NOT NULL;"
	  "CREATE INDEX recordings_listed ON recordings (id)"
	  " WHERE deleted_ms IS NULL AND parent_id IS NULL;"
	  "CREATE INDEX recordings_trash ON recordings (deleted_ms) WHERE deleted_ms IS NOT NULL;"
	  "CREATE INDEX recordings_to_finish ON recordings (id) WHERE finish = 'queued';"
	  "ALTER TABLE participants ADD COLUMN host INTEGER NOT NULL DEFAULT 0;"
	  "CREATE INDEX participants_by_user ON participants (user_id, session_id)"
	  " WHERE user_id IS NOT NULL;"
	  "CREATE TABLE recording_rules ("
	  " room_id INTEGER PRIMARY KEY REFERENCES rooms ON DELETE CASCADE,"
	  " keep_days INTEGER CHECK (keep_days >= 0)," /* NULL: as configured; 0: for ever */
	  " quota_bytes INTEGER CHECK (quota_bytes >= 0)," /* likewise */
	  " viewers TEXT NOT NULL DEFAULT '' CHECK (viewers IN ('', 'hosts', 'participants'))"
	  ") STRICT;"
	  "CREATE TABLE link_keys ("
	  " id INTEGER PRIMARY KEY,"
	  " secret TEXT NOT NULL CHECK (length(secret) = 64),"
	  " created_ms INTEGER NOT NULL"
	  ") STRICT;"
	  /* The texts are those of search_text.h. */
	  "CREATE VIRTUAL TABLE recording_search USING fts5 ("
	  " room, title, tags, people, chat, keys, prefix = '1 2 3',"
	  " tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'\");"
	  /* Recordings whose row in recording_search is to be written anew. */
	  "CREATE TABLE recording_dirty (id INTEGER PRIMARY KEY) STRICT;"
	  "INSERT INTO recording_dirty SELECT id FROM recordings;"
	  "CREATE TRIGGER recording_added AFTER INSERT ON recordings BEGIN"
	  " INSERT OR IGNORE INTO recording_dirty VALUES (NEW.id); END;"
	  "CREATE TRIGGER recording_changed AFTER UPDATE OF title, tags, by_name, kind, room_id,"
	  " session_id, parent_id, user_id, started_ms, ended_ms ON recordings BEGIN"
	  " INSERT OR IGNORE INTO recording_dirty VALUES (NEW.id); END;"
	  "CREATE TRIGGER recording_removed AFTER DELETE ON recordings BEGIN"
	  " DELETE FROM recording_search WHERE rowid = OLD.id;"
	  " DELETE FROM recording_dirty WHERE id = OLD.id; END;"
	  "CREATE TRIGGER recording_said AFTER INSERT ON chat WHEN coalesce(NEW.to_leg, 0) = 0 BEGIN"
	  " INSERT OR IGNORE INTO recording_dirty SELECT id FROM recordings"
	  "  WHERE session_id = NEW.session_id AND coalesce(ended_ms, NEW.at_ms) >= NEW.at_ms; END;"
	  "CREATE TRIGGER recording_joined AFTER INSERT ON participants BEGIN"
	  " INSERT OR IGNORE INTO recording_dirty SELECT id FROM recordings"
	  "  WHERE session_id = NEW.session_id"
	  "  AND coalesce(ended_ms, NEW.joined_ms) >= NEW.joined_ms; END;"
	  "CREATE TRIGGER recording_renamed AFTER UPDATE OF name, user_id ON participants BEGIN"
	  " INSERT OR IGNORE INTO recording_dirty SELECT id FROM recordings"
	  "  WHERE session_id = NEW.session_id; END;" },
	{ "API tokens, quality of connections, templates and schedules of rooms",
	  "CREATE TABLE api_tokens ("
	  " id INTEGER PRIMARY KEY,"
	  " token_hash TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),"
	  " user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"
	  " name TEXT NOT NULL CHECK (name <> ''),"
	  " scopes TEXT NOT NULL,"
	  " created_ms INTEGER NOT NULL,"
	  " expires_ms INTEGER," /* NULL: never */
	  " used_ms INTEGER"
	  ") STRICT;"
	  "CREATE INDEX api_tokens_by_user ON api_tokens (user_id, id);"
	  /* what is left when the rows of its intervals are gone */
	  "ALTER TABLE participants ADD COLUMN score_n INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE participants ADD COLUMN score_sum REAL NOT NULL DEFAULT 0;"
	  "ALTER TABLE participants ADD COLUMN score_min REAL;"
	  "CREATE INDEX participants_by_time ON participants (joined_ms);"
	  "CREATE INDEX sessions_by_start ON sessions (started_ms);"
	  "CREATE TABLE quality (" /* ids grow with time */
	  " id INTEGER PRIMARY KEY,"
	  " participant_id INTEGER NOT NULL REFERENCES participants ON DELETE CASCADE,"
	  " at_ms INTEGER NOT NULL," /* its end */
	  " interval_ms INTEGER NOT NULL,"
	  " loss_up REAL NOT NULL,"
	  " loss_down REAL NOT NULL,"
	  " jitter_up_ms REAL NOT NULL,"
	  " jitter_down_ms REAL NOT NULL,"
	  " rtt_ms REAL NOT NULL,"
	  " kbps_up REAL NOT NULL,"
	  " kbps_down REAL NOT NULL,"
	  " height INTEGER NOT NULL,"
	  " score REAL NOT NULL"
	  ") STRICT;"
	  "CREATE INDEX quality_by_participant ON quality (participant_id, id);"
	  "CREATE TABLE room_templates ("
	  " name TEXT PRIMARY KEY CHECK (name <> ''),"
	  " pattern TEXT NOT NULL DEFAULT ''," /* of rooms that open without being registered */
	  " settings TEXT NOT NULL CHECK (json_valid(settings)),"
	  " created_ms INTEGER NOT NULL"
	  ") STRICT;"
	  "CREATE TABLE room_schedules ("
	  " id INTEGER PRIMARY KEY,"
	  " room TEXT NOT NULL CHECK (room <> ''),"
	  " title TEXT NOT NULL,"
	  " action TEXT NOT NULL CHECK (action IN ('open', 'record')),"
	  " zone TEXT NOT NULL,"
	  " repeat TEXT NOT NULL CHECK (repeat IN ('once', 'daily', 'weekly')),"
	  " weekdays INTEGER NOT NULL," /* bit 0: Monday */
	  " first_day TEXT NOT NULL CHECK (length(first_day) = 10),"
	  " last_day TEXT NOT NULL," /* '': for ever */
	  " start_minute INTEGER NOT NULL CHECK (start_minute BETWEEN 0 AND 1439),"
	  " minutes INTEGER NOT NULL CHECK (minutes > 0),"
	  " enabled INTEGER NOT NULL,"
	  " made_by INTEGER REFERENCES users ON DELETE SET NULL,"
	  " created_ms INTEGER NOT NULL"
	  ") STRICT;"
	  "CREATE INDEX room_schedules_by_room ON room_schedules (room, id);" },
	{ "rooms: recorded by themselves",
	  "ALTER TABLE rooms ADD COLUMN auto_record INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE rooms ADD COLUMN auto_people INTEGER NOT NULL DEFAULT 0;" },
	{ "recordings: what happened meanwhile",
	  "CREATE TABLE recording_events ("
	  " id INTEGER PRIMARY KEY,"
	  " recording_id INTEGER NOT NULL REFERENCES recordings ON DELETE CASCADE,"
	  " at_ms INTEGER NOT NULL," /* by the recording's time */
	  " kind TEXT NOT NULL,"
	  " leg INTEGER NOT NULL,"
	  " name TEXT NOT NULL"
	  ") STRICT;"
	  "CREATE INDEX recording_events_by_recording ON recording_events (recording_id, at_ms);"
	  /* what older versions recorded */
	  "UPDATE recordings SET finish = 'queued'"
	  " WHERE state IN ('ready', 'interrupted') AND finish = 'none';" },
	{ "files that were uploaded to be played",
	  "CREATE TABLE uploads ("
	  " id INTEGER PRIMARY KEY,"
	  " room TEXT NOT NULL,"
	  " name TEXT NOT NULL," /* a label */
	  " by TEXT NOT NULL,"
	  " bytes INTEGER NOT NULL,"
	  " created_ms INTEGER NOT NULL,"
	  " duration_ms INTEGER NOT NULL,"
	  " width INTEGER NOT NULL,"
	  " height INTEGER NOT NULL,"
	  " pages INTEGER NOT NULL,"
	  " audio INTEGER NOT NULL,"
	  " video INTEGER NOT NULL"
	  ") STRICT;"
	  "CREATE INDEX uploads_by_room ON uploads (room, id);" },
	{ "files that were uploaded: whose they are",
	  /* of a room that is registered; else NULL, as a name alone is anybody's */
	  "ALTER TABLE uploads ADD COLUMN room_id INTEGER REFERENCES rooms ON DELETE SET NULL;"
	  "ALTER TABLE uploads ADD COLUMN user_id INTEGER REFERENCES users ON DELETE SET NULL;"
	  "UPDATE uploads SET user_id = (SELECT u.id FROM users u WHERE u.name = uploads.by),"
	  " room_id = (SELECT r.id FROM rooms r WHERE r.name = uploads.room AND r.registered = 1);" },
};
const int migrations_count = (int)(sizeof(migrations) / sizeof(migrations[0]));

/* detail: what SQLite says, before the rollback overwrites it. */
static int apply_one(sqlite3 *conn, const struct migration *m, int number, char *detail,
		     size_t cap)
{
	/* a pragma takes no parameters; the number is ours */
	char set_version[48];
	int err = db_begin(conn);

	snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d", number);
	if (!err)
		err = db_errno(conn, sqlite3_exec(conn, m->sql, NULL, NULL, NULL));
	if (!err)
		err = db_run(conn, set_version, "");
	if (err)
		snprintf(detail, cap, "%s", sqlite3_errmsg(conn));
	return db_end(conn, err);
}

int migrations_apply(sqlite3 *conn, const char *path, const struct migration *steps, int n,
		     struct errmsg *why)
{
	char detail[96] = "";
	int64_t version = 0;
	int err = db_query_int(conn, &version, "PRAGMA user_version", "");

	if (err)
		return errmsg_set(why, err, "db_unusable", "The database %s cannot be read: %s.",
				  path, sqlite3_errmsg(conn));
	if (version > n || version < 0)
		return errmsg_set(why, -EPROTO, "db_newer",
				  "The database %s has version %lld, this server knows versions up "
				  "to %d. Start the newer server that made it, or restore a backup "
				  "from before the update; the file was not changed.",
				  path, (long long)version, n);
	for (int i = (int)version; i < n && !err; i++) {
		err = apply_one(conn, &steps[i], i + 1, detail, sizeof(detail));
		if (err)
			errmsg_set(why, err, "db_migration_failed",
				   "The database %s could not be brought to version %d (%s): %s. "
				   "It was left at version %d.",
				   path, i + 1, steps[i].title, detail, i);
		else
			log_info(NULL, "database %s: now version %d (%s)", path, i + 1,
				 steps[i].title);
	}
	return err;
}
