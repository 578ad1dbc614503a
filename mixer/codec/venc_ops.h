/* What a video encoder implements; for mixer/codec/venc*.c alone. */
#ifndef MCU_MIXER_CODEC_VENC_OPS_H
#define MCU_MIXER_CODEC_VENC_OPS_H

#include "mixer/codec/venc.h"

/* One access unit, borrowed until the next call. */
struct venc_au {
	const uint8_t *data;
	size_t len;
	bool key;
};

struct venc_ops {
	int (*open)(struct venc **out, const struct venc_cfg *cfg);
	void (*close)(struct venc *e);
	int (*encode)(struct venc *e, const struct vframe *f, bool key, struct venc_au *out);
	/* If fps pictures a second came; fps_now of them do. */
	int (*set_bitrate)(struct venc *e, int bitrate_bps);
};

/* First member of every encoder. */
struct venc {
	const struct venc_ops *ops;
	struct venc_stats stats;
	int w, h, fps, gop_frames;
	int fps_now, bitrate_bps, gop_s; /* fps: as it was opened for */
	int since_key;  /* pictures since the last key frame, itself included */
	bool sharp;	/* set by encode, where it knows */
	bool force_key; /* the last picture was lost: what follows needs a new start */
};

extern const struct venc_ops venc_h264_ops;
extern const struct venc_ops venc_vp8_ops;
extern const struct venc_ops venc_vp9_ops;
extern const struct venc_ops venc_av1_ops;
extern const struct venc_ops venc_h263_ops;

#endif
