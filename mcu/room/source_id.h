/* What a tile shows is a source: a leg's camera, or the content it shares beside
 * that. One number names it: the camera's is the leg's own, the content's has the
 * highest bit too. Legs are numbered from 1 and stay below that bit. Pure. */
#ifndef MCU_ROOM_SOURCE_ID_H
#define MCU_ROOM_SOURCE_ID_H

#include <stdbool.h>
#include <stdint.h>

#define SOURCE_CONTENT UINT32_C(0x80000000)

static inline uint32_t source_id(uint32_t leg, bool content)
{
	return content ? leg | SOURCE_CONTENT : leg;
}

static inline uint32_t source_leg(uint32_t id)
{
	return id & ~SOURCE_CONTENT;
}

static inline bool source_is_content(uint32_t id)
{
	return id & SOURCE_CONTENT;
}

#endif
