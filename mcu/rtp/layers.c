#include "mcu/rtp/layers.h"

enum { ALL_ABOVE_BASE = 0xfe };

/* Bits of layers 1 … tid. */
static uint8_t up_to(uint8_t tid)
{
	return (uint8_t)(((2u << (tid & 7)) - 1) & ALL_ABOVE_BASE);
}

void rtp_layers_key(struct rtp_layers *s, const struct rtp_layer *f)
{
	*s = (struct rtp_layers){ .known = f->known, .tl0 = f->tl0 };
}

bool rtp_layers_bridges(const struct rtp_layers *s, const struct rtp_layer *f)
{
	if (!s->known || !f->known)
		return false;
	return f->tl0 == (f->tid ? s->tl0 : (uint8_t)(s->tl0 + 1));
}

void rtp_layers_lose(struct rtp_layers *s, const struct rtp_layer *f)
{
	if (!f)
		s->lost = ALL_ABOVE_BASE;
	else if (!f->discardable)
		s->lost |= (uint8_t)(1u << (f->tid & 7));
}

bool rtp_layers_admit(struct rtp_layers *s, const struct rtp_layer *f)
{
	if (!f->known) {
		s->known = false;
		return !s->lost;
	}
	s->tl0 = f->tl0;
	if (!f->sync && s->lost & up_to(f->tid)) {
		rtp_layers_lose(s, f);
		return false;
	}
	if (!f->discardable)
		s->lost &= (uint8_t)~(1u << (f->tid & 7));
	if (f->switch_up)
		s->lost &= up_to(f->tid);
	return true;
}
