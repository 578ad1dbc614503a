/* What a repair would cut off a recording, kept beside it as PATH.tail when it is more than
 * a dead process can have left half written: behind one damaged place there may be hours
 * that somebody can still save. ROLE_STO or before the loop. */
#ifndef MCU_STORAGE_TAIL_H
#define MCU_STORAGE_TAIL_H

#include <stdint.h>

enum { TAIL_LEAST_BYTES = 4 << 20 };

/* fd, path: of the recording, which is whole up to end. Blocks, and is on the disk then.
 * 0: it may be cut; -errno: it must not. */
int tail_keep(int fd, const char *path, uint64_t end, uint64_t size);

#endif
