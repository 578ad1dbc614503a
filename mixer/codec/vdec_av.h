/* What the decoders that libavcodec runs have in common: input without a copy of
 * libavcodec's, pictures handed on as references, and the rule that after an error
 * nothing is decoded until a key frame. A codec adds the reading of its headers,
 * which comes before the decoder sees anything. For mixer/codec/vdec_*.c alone. */
#ifndef MCU_MIXER_CODEC_VDEC_AV_H
#define MCU_MIXER_CODEC_VDEC_AV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavcodec/avcodec.h>

#include "mixer/codec/vdec_ops.h"

enum vdec_av_kind {
	VDEC_AV_NOTHING, /* a dropped frame: the decoder need not see it */
	VDEC_AV_HEADERS, /* headers ahead of their picture */
	VDEC_AV_PICTURE
};

/* What the headers of an access unit say. */
struct vdec_av_info {
	enum vdec_av_kind kind;
	bool key; /* decoding may start here */
};

struct vdec_av;

struct vdec_av_codec {
	const char *decoder; /* libavcodec's name */
	int align; /* sizes that inspect checks are multiples of this */
	/* 0, -EBADMSG, -EMSGSIZE or -ENOTSUP: the decoder does not see it. */
	int (*inspect)(const struct vdec_av *d, const uint8_t *au, size_t len,
		       struct vdec_av_info *info);
};

struct vdec_av {
	struct vdec base;
	const struct vdec_av_codec *codec;
	AVCodecContext *ctx;
	AVPacket *pkt;
	/* What the decoder reads: a copy with the padding it wants, referenced by
	 * the packet, because libavcodec allocates and copies an unreferenced one. */
	AVBufferRef *input;
	struct vframe_pool *pool;
	AVFrame *picture; /* what the decoder gave last */
	int max_long, max_area;
	bool need_key;
};

/* 0, -ENOTSUP (libavcodec was built without it), -ENOMEM. */
int vdec_av_open(struct vdec **out, const struct vdec_av_codec *codec,
		 const struct vdec_limits *limits, struct vframe_pool *pool);
void vdec_av_close(struct vdec *base);
int vdec_av_decode(struct vdec *base, const uint8_t *au, size_t len, struct vframe **out);

/* For inspect: 0, -EMSGSIZE, or -EBADMSG for no picture at all. */
int vdec_av_check_size(const struct vdec_av *d, uint32_t w, uint32_t h);

#endif
