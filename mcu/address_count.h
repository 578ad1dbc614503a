/* How many there are of each address; an IPv6 network of 64 bits counts as one
 * address. Pure. One owner. */
#ifndef MCU_ADDRESS_COUNT_H
#define MCU_ADDRESS_COUNT_H

#include <stddef.h>

struct address_count;

/* 0 or -ENOMEM. */
int address_count_new(struct address_count **out);
void address_count_free(struct address_count **c);
size_t address_count_get(const struct address_count *c, const char *address);
void address_count_add(struct address_count *c, const char *address);
/* Of one that was added. */
void address_count_remove(struct address_count *c, const char *address);
/* How many addresses there are. */
size_t address_count_size(const struct address_count *c);

#endif
