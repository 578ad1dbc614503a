/* Takes the records of calls (signaling/sip_cdr.h) and writes them to the registry. Of
 * strangers' calls that nobody answers, which anybody can send without end, there is a
 * counter alone. CTL. */
#ifndef MCU_CALL_RECORDS_H
#define MCU_CALL_RECORDS_H

#include <stdbool.h>

#include "mcu/base/role.h"
#include "signaling/sip_cdr.h"
#include "storage/db.h"

/* Plain; made once, before the front end, and alive as long as it. */
struct call_records {
	struct db *db;
	int keep_days; /* 0: for ever */
	int keep_rows; /* at most, and up to CALL_RECORDS_MORE beyond; 0: any number */
	unsigned ended; /* 0 */
};

enum { CALL_RECORDS_MORE = 100 };

/* What a front end is given. r: borrowed for its life. */
struct sip_cdr_sink call_records_sink(struct call_records *r);

/* Whether there is a row of it: we called, or it is of a user or a trunk, or it was
 * answered. */
bool call_records_kept(const struct sip_cdr *c);

struct call_row;
/* The row of a record. */
void call_records_row(struct call_row *row, const struct sip_cdr *c);

#endif
