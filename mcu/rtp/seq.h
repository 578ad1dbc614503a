/* Arithmetic on wrapping RTP sequence numbers and time stamps (RFC 3550 A.1).
 * Pure. */
#ifndef MCU_RTP_SEQ_H
#define MCU_RTP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* a - b on the circle: -32768 … 32767. */
static inline int16_t seq_diff(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(a - b);
}

/* a comes after b. */
static inline bool seq_newer(uint16_t a, uint16_t b)
{
	return seq_diff(a, b) > 0;
}

/* The 64-bit number nearest to last whose low 16 bits are seq. It may be
 * negative when last is near 0; start with last = 65536 + seq to avoid that. */
static inline int64_t seq_unwrap(int64_t last, uint16_t seq)
{
	return last + seq_diff(seq, (uint16_t)last);
}

/* The same three for 32-bit numbers: time stamps and packet indices. */
static inline int32_t ts_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline bool ts_newer(uint32_t a, uint32_t b)
{
	return ts_diff(a, b) > 0;
}

static inline int64_t ts_unwrap(int64_t last, uint32_t ts)
{
	return last + ts_diff(ts, (uint32_t)last);
}

#endif
