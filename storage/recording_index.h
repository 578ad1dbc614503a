/* The index of recordings (recording_search.h): what goes into it. ROLE_STO. */
#ifndef MCU_STORAGE_RECORDING_INDEX_H
#define MCU_STORAGE_RECORDING_INDEX_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* Writes at most limit of the rows anew that changed, in one transaction. */
int recording_index_some(sqlite3 *conn, size_t limit, bool *done);

#endif
