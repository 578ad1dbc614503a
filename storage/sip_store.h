/* What SIP keeps in the registry: HA1 values of users who have a password for telephones,
 * where their telephones are, and trunks. Rules of db.h.
 *
 * HA1 (signaling/sip_digest.h) is as good as the password within its realm: whoever reads
 * the database can register as these users, and can try passwords at full speed. It is
 * therefore made from a password of its own, never from the one for signing in, and a
 * trunk's password stands there as it is, since we have to show it to the trunk. */
#ifndef MCU_STORAGE_SIP_STORE_H
#define MCU_STORAGE_SIP_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

struct sip_secret_row {
	char user[DB_NAME_MAX + 1];
	char realm[DB_NAME_MAX + 1], ha1_md5[33], ha1_sha256[65];
};

struct sip_phone_row {
	char user[DB_NAME_MAX + 1];
	char uri[300], route[128], path[300], call_id[129], instance[129], agent[97];
	uint32_t cseq;
	int64_t expires_ms;
};

enum { SIP_TRUNK_NAME_MAX = 64, SIP_TRUNK_SETTINGS_MAX = 16384, SIP_PHONES_MAX = 16 };

struct sip_trunk_row {
	char name[SIP_TRUNK_NAME_MAX + 1];
	char settings[SIP_TRUNK_SETTINGS_MAX + 1]; /* JSON */
	char password[129];
};

typedef void sip_done_cb(void *obj, int err);

/* err -ENOENT: no such user. */
int sip_secret_put(struct db *db, const struct sip_secret_row *row, sip_done_cb *cb, void *obj);
int sip_secret_delete(struct db *db, const char *user, sip_done_cb *cb, void *obj);
/* All that a user has now; n <= SIP_PHONES_MAX. Fire and forget. */
int sip_phones_put(struct db *db, const char *user, const struct sip_phone_row *rows, size_t n);
int sip_trunk_put(struct db *db, const struct sip_trunk_row *row, sip_done_cb *cb, void *obj);
/* err -ENOENT: no such trunk. */
int sip_trunk_delete(struct db *db, const char *name, sip_done_cb *cb, void *obj);

/* All of it, at the start: blocks. The functions are called on the database's thread while
 * the caller waits; secrets come before phones. Phones that are over (now_ms) are dropped. */
struct sip_load {
	void *obj;
	int64_t now_ms;
	void (*secret)(void *obj, const struct sip_secret_row *row);
	void (*phone)(void *obj, const struct sip_phone_row *row);
	void (*trunk)(void *obj, const struct sip_trunk_row *row);
};
int sip_load(struct db *db, const struct sip_load *load);

#endif
