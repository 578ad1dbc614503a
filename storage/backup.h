/* Copies of the registry: made while a server runs on it or not, and put back while none
 * runs. For the command line; nothing here belongs to a thread of the server.
 *
 * A backup is one ordinary SQLite file (journal in the file system's usual way, no
 * companions), checked before it gets its name; a half-made one never has it. It holds
 * hashes of passwords and what people wrote: its mode is 0600. What is not in it: the
 * recordings' files, secret.key (PINs and sign-ins), certificates. */
#ifndef MCU_STORAGE_BACKUP_H
#define MCU_STORAGE_BACKUP_H

#include <stdint.h>

#include "mcu/base/err.h"

enum { BACKUP_PATH_MAX = 1024 };

struct backup_report {
	int64_t version, bytes, users, rooms, recordings;
	char kept[BACKUP_PATH_MAX]; /* by a restore: where the one before is; "": there was none */
};

/* Copies the database into a new file; one moment of it, whatever is written meanwhile.
 * -EEXIST: there is such a file. -ENOENT: there is no database. -EBADMSG: it is damaged. */
int backup_write(const char *db_path, const char *to, struct backup_report *out,
		 struct errmsg *why);
/* Writes one JSON object per line for every recording of a backup, {"id", "path", "state",
 * "bytes"}, into a new file: what else there is to copy. */
int backup_manifest(const char *backup, const char *to, struct errmsg *why);
/* Puts a copy of a backup in the place of the database, which stays beside it under another
 * name. -EBUSY: a server runs on it. -EBADMSG: it is no backup, or a damaged one. -EPROTO:
 * of a newer server. On an error the database is the one of before. */
int backup_restore(const char *db_path, const char *from, struct backup_report *out,
		   struct errmsg *why);

#endif
