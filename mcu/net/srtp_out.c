#include "mcu/net/srtp_out.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/hot.h"
#include "mcu/base/metrics.h"
#include "mcu/net/srtp_cipher.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECK_REUSE 1
#else
#define CHECK_REUSE 0
#endif

enum { RTP_HDR = 12, REUSE_SLOTS = 4096 };

METRIC_COUNTER(m_refused, "mcu_srtp_protect_refused_total",
	       "Packets that were not encrypted: no room, no stream, or an index used twice");

struct stream {
	uint32_t ssrc;
	uint64_t newest; /* index: ROC << 16 | sequence number */
	uint64_t first;
};

/* Under a sanitizer: what was protected under the latest indices. */
struct reuse {
	uint32_t ssrc;
	uint64_t index, hash;
};

struct srtp_out {
	struct srtp_cipher *rtp, *rtcp;
	size_t n_streams;
	struct stream stream[SRTP_OUT_STREAMS];
	uint32_t rtcp_index;
	struct reuse *reuse;
};

int srtp_out_new(struct srtp_out **out, const struct srtp_keys *keys)
{
	struct srtp_out *s = hot_calloc(sizeof *s);
	int err;

	if (!s)
		return -ENOMEM;
	err = srtp_cipher_new(&s->rtp, keys, SRTP_USE_RTP);
	if (!err)
		err = srtp_cipher_new(&s->rtcp, keys, SRTP_USE_RTCP);
	if (!err && CHECK_REUSE) {
		s->reuse = calloc(REUSE_SLOTS, sizeof *s->reuse);
		err = s->reuse ? 0 : -ENOMEM;
	}
	if (err)
		srtp_out_free(&s);
	else
		*out = s;
	return err;
}

void srtp_out_free(struct srtp_out **s)
{
	if (!*s)
		return;
	srtp_cipher_free(&(*s)->rtp);
	srtp_cipher_free(&(*s)->rtcp);
	free((*s)->reuse);
	hot_free(*s, sizeof **s);
	*s = NULL;
}

size_t srtp_out_rtp_overhead(const struct srtp_out *s)
{
	return srtp_cipher_tag_bytes(s->rtp);
}

size_t srtp_out_rtcp_overhead(const struct srtp_out *s)
{
	return srtp_cipher_tag_bytes(s->rtcp) + SRTP_RTCP_INDEX;
}

static struct stream *find_stream(struct srtp_out *s, uint32_t ssrc, uint16_t seq)
{
	struct stream *st;

	for (size_t i = 0; i < s->n_streams; i++)
		if (s->stream[i].ssrc == ssrc)
			return &s->stream[i];
	if (s->n_streams == SRTP_OUT_STREAMS)
		return NULL;
	st = &s->stream[s->n_streams++];
	*st = (struct stream){ .ssrc = ssrc, .newest = seq, .first = seq };
	return st;
}

/* RFC 3711 section 3.3.1 seen from the sender, who knows what it sent: the index
 * nearest to the newest. */
static int index_of(struct stream *st, uint16_t seq, uint64_t *index)
{
	int16_t diff = (int16_t)(uint16_t)(seq - (uint16_t)st->newest);

	if (diff < 0 && st->newest - st->first < (uint64_t)-diff)
		return -EINVAL;
	*index = st->newest + (uint64_t)(int64_t)diff;
	if (diff > 0)
		st->newest = *index;
	return 0;
}

static uint64_t fnv1a(uint64_t h, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

static bool reused(struct srtp_out *s, uint32_t ssrc, uint64_t index, const uint8_t *hdr,
		   size_t hdr_len, const uint8_t *payload, size_t n)
{
	struct reuse *r = &s->reuse[(index ^ ssrc) % REUSE_SLOTS];
	uint64_t hash = fnv1a(fnv1a(0xcbf29ce484222325ULL, hdr, hdr_len), payload, n) | 1;

	if (r->hash && r->ssrc == ssrc && r->index == index && r->hash != hash)
		return true;
	*r = (struct reuse){ .ssrc = ssrc, .index = index, .hash = hash };
	return false;
}

static int refuse(int err)
{
	metric_add(&m_refused, 1);
	return err;
}

int srtp_out_rtp(struct srtp_out *s, uint8_t *out, size_t cap, const uint8_t *hdr, size_t hdr_len,
		 const uint8_t *payload, size_t payload_len)
{
	struct stream *st;
	uint32_t ssrc;
	uint64_t index;
	uint16_t seq;
	int err;

	if (hdr_len < RTP_HDR)
		return refuse(-EINVAL);
	if (hdr_len + payload_len + srtp_out_rtp_overhead(s) > cap)
		return refuse(-EMSGSIZE);
	ssrc = srtp_get32(hdr + 8);
	seq = (uint16_t)(hdr[2] << 8 | hdr[3]);
	st = find_stream(s, ssrc, seq);
	if (!st)
		return refuse(-ENOSPC);
	err = index_of(st, seq, &index);
	if (err)
		return refuse(err);
	if (CHECK_REUSE && reused(s, ssrc, index, hdr, hdr_len, payload, payload_len))
		return refuse(-EEXIST);
	return srtp_cipher_protect_rtp(s->rtp, out, hdr, hdr_len, payload, payload_len, ssrc,
				       index);
}

void srtp_out_prefetch(const struct srtp_out *s, unsigned step)
{
	if (step) {
		srtp_cipher_prefetch(s->rtp);
		return;
	}
	__builtin_prefetch(s);
	__builtin_prefetch((const char *)s + 64);
}

int srtp_out_rtcp(struct srtp_out *s, uint8_t *out, size_t cap, const uint8_t *p, size_t len)
{
	if (len < SRTP_RTCP_HDR)
		return refuse(-EINVAL);
	if (len + srtp_out_rtcp_overhead(s) > cap)
		return refuse(-EMSGSIZE);
	if (s->rtcp_index == ~SRTP_RTCP_E_BIT)
		return refuse(-EOVERFLOW);
	s->rtcp_index++;
	return srtp_cipher_protect_rtcp(s->rtcp, out, p, len, srtp_get32(p + 4), s->rtcp_index);
}
