/* Open bitstream units of AV1 (AV1 bitstream specification, 5.3 to 5.9) as far as
 * must be known before a decoder may see them. Pure, bounded, for hostile input. */
#ifndef MCU_MIXER_CODEC_AV1_HEADER_H
#define MCU_MIXER_CODEC_AV1_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	AV1_OBU_SEQUENCE = 1,
	AV1_OBU_DELIMITER = 2,
	AV1_OBU_FRAME_HEADER = 3,
	AV1_OBU_TILE_GROUP = 4,
	AV1_OBU_METADATA = 5,
	AV1_OBU_FRAME = 6,
	AV1_OBU_TILE_LIST = 8
};

struct av1_obu {
	uint8_t type;
	uint8_t temporal_id, spatial_id;
	const uint8_t *payload; /* borrowed */
	size_t len;
};

struct av1_sequence {
	uint8_t profile; /* 0…2 */
	bool still, reduced;
	uint8_t bit_depth;
	bool mono;
	uint8_t subsampling_x, subsampling_y;
	uint32_t max_width, max_height; /* 1…65536; frames may be smaller */
};

struct av1_frame {
	bool show_existing; /* shows an earlier frame; nothing else is said then */
	bool key, show;
};

/* Walks a temporal unit in the low-overhead format: takes the unit at *pos, which
 * must be below len, and moves *pos behind it. 0, or -EBADMSG when it is truncated
 * or its header breaks the rules. */
int av1_next_obu(struct av1_obu *out, const uint8_t *data, size_t len, size_t *pos);

/* payload of an AV1_OBU_SEQUENCE. 0, or -EBADMSG. */
int av1_sequence_parse(struct av1_sequence *out, const uint8_t *payload, size_t len);

/* The start of an AV1_OBU_FRAME or AV1_OBU_FRAME_HEADER. reduced: as its sequence
 * header says. 0, or -EBADMSG. */
int av1_frame_parse(struct av1_frame *out, const uint8_t *payload, size_t len, bool reduced);

#endif
