/* Takes the records of calls (signaling/sip_cdr.h) and writes them to the registry. CTL. */
#ifndef MCU_CALL_RECORDS_H
#define MCU_CALL_RECORDS_H

#include "mcu/base/role.h"
#include "signaling/sip_cdr.h"
#include "storage/db.h"

/* Plain; made once, before the front end, and alive as long as it. */
struct call_records {
	struct db *db;
	int keep_days; /* 0: for ever */
};

/* What a front end is given. r: borrowed for its life. */
struct sip_cdr_sink call_records_sink(struct call_records *r);

struct call_row;
/* The row of a record. */
void call_records_row(struct call_row *row, const struct sip_cdr *c);

#endif
