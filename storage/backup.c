#include "storage/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "storage/db_request.h"
#include "storage/migrations.h"

enum { PAGES_AT_ONCE = 256, BUSY_MS = 10000, TRIES = 1000 };

/* --- files ------------------------------------------------------------------- */

static int join(char out[BACKUP_PATH_MAX], const char *path, const char *end, struct errmsg *why)
{
	if (snprintf(out, BACKUP_PATH_MAX, "%s%s", path, end) < BACKUP_PATH_MAX)
		return 0;
	return errmsg_set(why, -ENAMETOOLONG, "path_too_long", "The path %.200s… is too long.", path);
}

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static int sync_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = fsync(fd) ? -errno : 0;
	close(fd);
	return err;
}

static void folder_of(char out[BACKUP_PATH_MAX], const char *path)
{
	char *slash;

	snprintf(out, BACKUP_PATH_MAX, "%s", path);
	slash = strrchr(out, '/');
	if (slash)
		slash[slash == out] = 0;
	else
		strcpy(out, ".");
}

static int sync_folder_of(const char *path)
{
	char folder[BACKUP_PATH_MAX];

	folder_of(folder, path);
	return sync_file(folder);
}

/* Root restores for the user whom the server runs as. */
static void hand_over(const char *path, const char *db_path)
{
	char folder[BACKUP_PATH_MAX];
	struct stat st;

	folder_of(folder, db_path);
	if (geteuid() == 0 && (!stat(db_path, &st) || !stat(folder, &st)))
		(void)!chown(path, st.st_uid, st.st_gid);
}

/* An empty file that is ours alone, so that the copy is never readable to others. */
static int make_file(const char *path, struct errmsg *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errmsg_set(why, -errno, "file_unusable",
				  "The file %s cannot be made: %s. Choose another place, or remove what "
				  "is there.", path, err_str(-errno));
	close(fd);
	return 0;
}

/* Without replacing anything; where there are no hard links, by another way. */
static int second_name(const char *path, const char *name)
{
	if (!link(path, name))
		return 0;
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	return exists(name) ? -EEXIST : rename(path, name) ? -errno : 0;
}

/* --- databases --------------------------------------------------------------- */

/* A connection that leaves what it reads as it is. */
static int open_source(sqlite3 **conn, const char *path, int flags, struct errmsg *why)
{
	int rc = sqlite3_open_v2(path, conn, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				 NULL);

	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(*conn, BUSY_MS);
		sqlite3_db_config(*conn, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		/* from here on one moment of the database is seen */
		rc = sqlite3_exec(*conn, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		return 0;
	if (rc == SQLITE_NOTADB || (rc & 0xff) == SQLITE_CORRUPT)
		return errmsg_set(why, -EBADMSG, "db_damaged", "%s is damaged, or no database of mcu.",
				  path);
	return errmsg_set(why, db_errno(*conn, rc), "db_unusable", "%s cannot be read: %s.", path,
			  sqlite3_errmsg(*conn));
}

static int copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int rc = SQLITE_OK;

	if (!b)
		return db_errno(to, sqlite3_errcode(to));
	for (int tries = 0; tries < TRIES;) {
		rc = sqlite3_backup_step(b, PAGES_AT_ONCE);
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
			tries++;
			sqlite3_sleep(10);
		} else if (rc != SQLITE_OK) {
			break;
		}
	}
	rc = sqlite3_backup_finish(b);
	return db_errno(to, rc);
}

static int check_whole(sqlite3 *conn, const char *path, struct errmsg *why)
{
	sqlite3_stmt *st = NULL;
	char text[96] = "";
	int err = db_prepare(conn, &st, "PRAGMA integrity_check(1)", "");

	if (!err && sqlite3_step(st) == SQLITE_ROW)
		db_column_text(st, 0, text, sizeof text);
	else
		snprintf(text, sizeof text, "%s", sqlite3_errmsg(conn));
	sqlite3_finalize(st);
	if (!strcmp(text, "ok"))
		return 0;
	return errmsg_set(why, -EBADMSG, "db_damaged", "%s is damaged (%.80s). Take another backup.",
			  path, text);
}

/* That it is a registry, of a version that this server knows. */
static int describe(sqlite3 *conn, const char *path, struct backup_report *out,
		    struct errmsg *why)
{
	int err = db_query_int(conn, &out->version, "PRAGMA user_version", "");

	if (!err)
		err = db_query_int(conn, &out->users, "SELECT count(*) FROM users", "");
	if (!err)
		err = db_query_int(conn, &out->rooms, "SELECT count(*) FROM rooms", "");
	if (!err)
		err = db_query_int(conn, &out->recordings, "SELECT count(*) FROM recordings", "");
	if (err || out->version < 1)
		return errmsg_set(why, -EBADMSG, "db_damaged",
				  "%s is not a registry of mcu. Name a file that \"mcu backup\" made.",
				  path);
	if (out->version > migrations_count)
		return errmsg_set(why, -EPROTO, "db_newer",
				  "%s has version %lld, this server knows versions up to %d. Use the "
				  "newer server that made it.", path, (long long)out->version,
				  migrations_count);
	return 0;
}

/* Copies all of it into the empty file. */
static int copy_into(sqlite3 *from, const char *to, struct backup_report *out, struct errmsg *why)
{
	sqlite3 *conn = NULL;
	struct stat st;
	int err = db_errno(NULL, sqlite3_open_v2(to, &conn, SQLITE_OPEN_READWRITE |
						 SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL));

	if (!err)
		err = copy_pages(from, conn);
	/* The copy says WAL in its head; alone, it must need no companions. */
	if (!err)
		err = db_run(conn, "PRAGMA journal_mode = DELETE", "");
	if (err)
		errmsg_set(why, err, err == -ENOSPC ? "disk_full" : "file_unusable",
			   "%s cannot be written: %s.", to, conn ? sqlite3_errmsg(conn) : err_str(err));
	else
		err = check_whole(conn, to, why);
	if (!err)
		err = describe(conn, to, out, why);
	sqlite3_close_v2(conn);
	if (!err) {
		err = sync_file(to);
		out->bytes = stat(to, &st) ? 0 : st.st_size;
		if (err)
			errmsg_set(why, err, "file_unusable", "%s cannot be written: %s.", to,
				   err_str(err));
	}
	return err;
}

/* --- backup ------------------------------------------------------------------ */

int backup_write(const char *db_path, const char *to, struct backup_report *out,
		 struct errmsg *why)
{
	char part[BACKUP_PATH_MAX];
	sqlite3 *from = NULL;
	int err;

	*out = (struct backup_report){ 0 };
	if (exists(to))
		return errmsg_set(why, -EEXIST, "file_exists", "%s exists already. Choose another name, "
				  "or remove it first.", to);
	if (!exists(db_path))
		return errmsg_set(why, -ENOENT, "db_unknown", "There is no database %s. Say which server "
				  "is meant with --config or --set data.path=FOLDER.", db_path);
	err = join(part, to, ".part", why);
	if (err)
		return err;
	unlink(part);
	err = make_file(part, why);
	if (err)
		return err;
	err = open_source(&from, db_path, SQLITE_OPEN_READWRITE, why);
	if (!err)
		err = copy_into(from, part, out, why);
	sqlite3_close_v2(from);
	if (!err) {
		err = second_name(part, to);
		if (err)
			errmsg_set(why, err, "file_unusable", "%s cannot be made: %s.", to, err_str(err));
	}
	unlink(part);
	if (!err)
		(void)sync_folder_of(to);
	return err;
}

static void write_json_text(FILE *f, const char *text)
{
	fputc('"', f);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(f, "\\%c", *p);
		else if (*p < 0x20)
			fprintf(f, "\\u%04x", *p);
		else
			fputc(*p, f);
	}
	fputc('"', f);
}

static int write_rows(sqlite3 *conn, FILE *f)
{
	sqlite3_stmt *st = NULL;
	char text[BACKUP_PATH_MAX];
	int rc, err = db_prepare(conn, &st, "SELECT id, path, state, bytes FROM recordings ORDER BY id",
				 "");

	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		fprintf(f, "{\"id\":%lld,\"path\":", (long long)sqlite3_column_int64(st, 0));
		db_column_text(st, 1, text, sizeof text);
		write_json_text(f, text);
		fputs(",\"state\":", f);
		db_column_text(st, 2, text, sizeof text);
		write_json_text(f, text);
		fprintf(f, ",\"bytes\":%lld}\n", (long long)sqlite3_column_int64(st, 3));
	}
	sqlite3_finalize(st);
	return db_errno(conn, rc);
}

int backup_manifest(const char *backup, const char *to, struct errmsg *why)
{
	sqlite3 *conn = NULL;
	FILE *f = NULL;
	int err = make_file(to, why);

	if (err)
		return err;
	err = open_source(&conn, backup, SQLITE_OPEN_READONLY, why);
	if (!err) {
		f = fopen(to, "we");
		err = f ? write_rows(conn, f) : -errno;
		if (f && (fflush(f) || fsync(fileno(f))) && !err)
			err = -errno;
		if (f && fclose(f) && !err)
			err = -errno;
		if (err)
			errmsg_set(why, err, "file_unusable", "%s cannot be written: %s.", to,
				   err_str(err));
	}
	sqlite3_close_v2(conn);
	if (err)
		unlink(to);
	return err;
}

/* --- restore ----------------------------------------------------------------- */

/* What is still in its journal goes into the file; a damaged one keeps its journal. */
static void settle(const char *db_path)
{
	sqlite3 *conn = NULL;

	if (sqlite3_open_v2(db_path, &conn, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
		(void)sqlite3_exec(conn, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	sqlite3_close_v2(conn);
}

static int keep_name(char out[BACKUP_PATH_MAX], const char *db_path, struct errmsg *why)
{
	char end[64], when[32];
	time_t now = time(NULL);
	struct tm tm;
	int err = 0;

	strftime(when, sizeof when, "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	for (int i = 0; i < TRIES; i++) {
		if (i)
			snprintf(end, sizeof end, ".before-%s.%d", when, i);
		else
			snprintf(end, sizeof end, ".before-%s", when);
		err = join(out, db_path, end, why);
		if (err || !exists(out))
			return err;
	}
	return errmsg_set(why, -EEXIST, "file_exists", "Too many old databases are beside %s. Remove "
			  "some.", db_path);
}

/* The old one gets a second name; only then the new one takes the first. Its journal must be
 * gone by that time, or it would be taken for that of the new one. */
static int swap(const char *db_path, const char *part, char kept[BACKUP_PATH_MAX],
		struct errmsg *why)
{
	char journal[BACKUP_PATH_MAX + 8], away[BACKUP_PATH_MAX + 8];
	int err = 0;

	if (exists(db_path)) {
		settle(db_path);
		err = keep_name(kept, db_path, why);
		if (err)
			return err;
		err = second_name(db_path, kept);
	}
	if (err)
		return errmsg_set(why, err, "file_unusable", "%.150s cannot be kept as %.150s: %s.",
				  db_path, kept, err_str(err));
	snprintf(journal, sizeof journal, "%s-wal", db_path);
	snprintf(away, sizeof away, "%s-wal", kept);
	if (exists(journal) && (kept[0] ? rename(journal, away) : unlink(journal)))
		return errmsg_set(why, -errno, "file_unusable", "%s cannot be moved: %s.", journal,
				  err_str(-errno));
	snprintf(journal, sizeof journal, "%s-shm", db_path);
	unlink(journal);
	if (rename(part, db_path))
		return errmsg_set(why, -errno, "file_unusable", "%s cannot be replaced: %s.", db_path,
				  err_str(-errno));
	(void)sync_folder_of(db_path);
	return 0;
}

/* What was in the trash then, and long enough there for its end by now, may have been taken
 * out again since: it gets all of its days, in which somebody can look. */
static int restart_trash(const char *path, struct errmsg *why)
{
	int64_t has_trash = 0;
	sqlite3 *conn = NULL;
	int err = db_errno(NULL, sqlite3_open_v2(path, &conn, SQLITE_OPEN_READWRITE |
						 SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL));

	if (!err) /* an older server's has none */
		err = db_query_int(conn, &has_trash,
				   "SELECT count(*) FROM pragma_table_info('recordings') "
				   "WHERE name = 'deleted_ms'", "");
	if (!err && has_trash)
		err = db_run(conn, "UPDATE recordings SET deleted_ms = ? WHERE deleted_ms IS NOT NULL",
			     "i", (int64_t)(clock_wall_ns() / NS_PER_MS));
	if (err)
		errmsg_set(why, err, err == -ENOSPC ? "disk_full" : "file_unusable",
			   "%s cannot be written: %s.", path,
			   conn ? sqlite3_errmsg(conn) : err_str(err));
	sqlite3_close_v2(conn);
	return err;
}

int backup_restore(const char *db_path, const char *from, struct backup_report *out,
		   struct errmsg *why)
{
	char part[BACKUP_PATH_MAX];
	sqlite3 *conn = NULL;
	int lock = -1, err;

	*out = (struct backup_report){ 0 };
	if (!exists(from))
		return errmsg_set(why, -ENOENT, "file_unknown", "There is no file %s.", from);
	err = join(part, db_path, ".restoring", why);
	if (!err)
		err = db_lock_file(db_path, &lock, why);
	if (err)
		return err;
	unlink(part);
	err = make_file(part, why);
	if (!err)
		err = open_source(&conn, from, SQLITE_OPEN_READONLY, why);
	if (!err)
		err = describe(conn, from, out, why);
	if (!err)
		err = check_whole(conn, from, why);
	if (!err)
		err = copy_into(conn, part, out, why);
	sqlite3_close_v2(conn);
	if (!err)
		err = restart_trash(part, why);
	if (!err) {
		hand_over(part, db_path);
		err = swap(db_path, part, out->kept, why);
	}
	if (err)
		unlink(part);
	else
		(void)!ftruncate(lock, 0); /* it says when the one before lived (db.h) */
	close(lock);
	return err;
}
