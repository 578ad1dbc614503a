/* G.722 at 64 kbit/s: 16 kHz sound in two sub-bands of ADPCM, one octet per two
 * samples. Plain structs, nothing is allocated; own code because libavcodec's
 * allocates per packet. Bit-exact with ITU-T G.722. One thread at a time. */
#ifndef MIXER_CODEC_G722_H
#define MIXER_CODEC_G722_H

#include <stddef.h>
#include <stdint.h>

enum { G722_QMF = 24 };

/* Predictor and scale factor of one sub-band; names as in the Recommendation. */
struct g722_band {
	int s, sp, sz;
	int r[3], a[3], p[3]; /* [0] is the newest while a sample is worked on */
	int d[7], b[7];
	int nb, det;
};

struct g722 {
	struct g722_band low, high;
	int x[G722_QMF];
};

void g722_init(struct g722 *g);
/* n samples of pcm, n even, to n / 2 octets. */
void g722_encode(struct g722 *g, const int16_t *pcm, size_t n, uint8_t *out);
/* n octets to 2 n samples. */
void g722_decode(struct g722 *g, const uint8_t *in, size_t n, int16_t *pcm);

#endif
