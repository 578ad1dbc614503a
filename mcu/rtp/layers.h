/* Temporal layers of VP8 (RFC 7741 TID, TL0PICIDX, Y, N) and VP9 in non-flexible
 * mode (RFC 9628 TID, TL0PICIDX, U): which frames may be shown after others were
 * lost. Pure; a plain struct.
 *
 * A frame refers to none of a higher layer; on each layer it refers to the newest
 * frame at most, which is how layered encoders of these formats work and what
 * browsers take for granted. So a frame is good when the newest frame of every
 * layer up to its own was given out. */
#ifndef MCU_RTP_LAYERS_H
#define MCU_RTP_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

/* What a frame's first packet says of it. */
struct rtp_layer {
	bool known;       /* tid and tl0 were there */
	uint8_t tid;      /* 0 … 7 */
	uint8_t tl0;      /* counts the frames of layer 0; wraps */
	bool sync;        /* refers to layer 0 only */
	bool switch_up;   /* later frames of higher layers refer to none before it of those */
	bool discardable; /* no frame refers to it */
};

struct rtp_layers {
	bool known;   /* all frames since the key frame said where they belong */
	uint8_t tl0;  /* of the last frame */
	uint8_t lost; /* bit per layer: its newest frame is missing */
};

/* A key frame was given out. */
void rtp_layers_key(struct rtp_layers *s, const struct rtp_layer *f);
/* Whether the frames lost between the last one and f, however many, were all of
 * higher layers than 0. */
bool rtp_layers_bridges(const struct rtp_layers *s, const struct rtp_layer *f);
/* Frames were lost: this one, or (NULL) any of layers above 0. */
void rtp_layers_lose(struct rtp_layers *s, const struct rtp_layer *f);
/* The next frame, not a key frame: whether it may be given out. */
bool rtp_layers_admit(struct rtp_layers *s, const struct rtp_layer *f);

#endif
