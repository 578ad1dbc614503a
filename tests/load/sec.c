#include "tests/load/sec.h"

struct sec *sec_new(enum sec_kind kind, enum sec_profile profile, const struct sec_master *tx,
		    const struct sec_master *rx)
{
	return kind == SEC_EVP ? sec_evp_new(profile, tx, rx) : sec_lib_new(profile, tx, rx);
}

void sec_free(struct sec **s)
{
	if (*s)
		(*s)->ops->free(*s);
	*s = NULL;
}

size_t sec_protect_rtp(struct sec *s, uint8_t *p, size_t len)
{
	return s->ops->protect_rtp(s, p, len);
}

size_t sec_protect_rtcp(struct sec *s, uint8_t *p, size_t len)
{
	return s->ops->protect_rtcp(s, p, len);
}

size_t sec_open_rtp(struct sec *s, uint8_t *p, size_t len)
{
	return s->ops->open_rtp(s, p, len);
}

size_t sec_open_rtcp(struct sec *s, uint8_t *p, size_t len)
{
	return s->ops->open_rtcp(s, p, len);
}
