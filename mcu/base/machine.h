/* What of the machine this process may use. In a container that is less than the
 * machine has: the processors it may run on, and the quotas of its control groups
 * (cpu.max and memory.max of version 2, cpu.cfs_quota_us and
 * memory.limit_in_bytes of version 1), its own and those above it.
 *
 * root: "" for the real files, or a folder that has proc/ and sys/ (tests). Reads
 * a few small files of the kernel's, no disk. Any thread. */
#ifndef MCU_BASE_MACHINE_H
#define MCU_BASE_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* Thousandths of a processor; at least 1. */
unsigned machine_millicores(const char *root);
/* Whole ones, rounded up: how many threads can run beside each other. */
size_t machine_cores(void);
/* Octets that may still be used, what can be dropped from caches included;
 * INT64_MAX: not known. */
int64_t machine_memory_left(const char *root);

#endif
