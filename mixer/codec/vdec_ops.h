/* What a video decoder implements; for mixer/codec/vdec*.c alone. */
#ifndef MCU_MIXER_CODEC_VDEC_OPS_H
#define MCU_MIXER_CODEC_VDEC_OPS_H

#include "mixer/codec/vdec.h"

struct vdec_ops {
	int (*open)(struct vdec **out, const struct vdec_limits *limits, struct vframe_pool *pool);
	void (*close)(struct vdec *d);
	int (*decode)(struct vdec *d, const uint8_t *au, size_t len, struct vframe **out);
};

/* First member of every decoder. */
struct vdec {
	const struct vdec_ops *ops;
	struct vdec_stats stats;
};

extern const struct vdec_ops vdec_h264_ops;
extern const struct vdec_ops vdec_vp8_ops;
extern const struct vdec_ops vdec_vp9_ops;
extern const struct vdec_ops vdec_av1_ops;
extern const struct vdec_ops vdec_h263_ops;

#endif
