/* Comfort noise (RFC 3389): a payload type of its own between the packets of G.711 and
 * G.722. G.729 and Opus have their own ways (RFC 3551 section 4.5.6, RFC 7587). */
#include "signaling/neg_internal.h"

enum { NOISE_HZ = 8000 };

static bool find(const struct sdp_media *m, uint8_t *pt)
{
	for (size_t i = 0; i < m->n_formats; i++) {
		struct neg_pt p;
		if (neg_pt_read(&p, m, m->format[i]) && p.noise) {
			*pt = p.pt;
			return true;
		}
	}
	return false;
}

void neg_noise_choose(struct neg_media *out, const struct sdp_media *m,
		      const struct sdp_media *ours)
{
	enum codec c = out->codec.codec;

	if (c != CODEC_G722 && c != CODEC_PCMU && c != CODEC_PCMA)
		return;
	if (!find(m, &out->noise_pt_tx))
		return;
	out->noise_pt_rx = out->noise_pt_tx;
	out->has_noise = !ours || find(ours, &out->noise_pt_rx);
}

int neg_noise_write(struct sdp *s, struct sdp_media *m, uint8_t pt)
{
	int err = neg_add_pt(s, m, pt);

	return err ? err : sdp_add_attr(s, m, "rtpmap", "%u CN/%u", pt, NOISE_HZ);
}
