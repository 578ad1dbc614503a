#include "mcu/net/srtp_in.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/hot.h"
#include "mcu/net/srtp_cipher.h"

enum { RTP_HDR = 12, WORD_BITS = 64 };

/* An SSRC that has not been heard for long: up to there everything counts as seen. */
struct retired {
	uint32_t ssrc;
	uint64_t newest;
};

struct retired_list {
	size_t n;
	struct retired of[SRTP_IN_RETIRED];
};

/* Replay of SRTCP, RFC 3711 section 3.3.2: bit k of seen is newest - k. */
struct replay {
	uint32_t ssrc;
	uint32_t newest;
	uint64_t seen, used; /* used: which packet of the session was its last */
};

/* An RTP stream: ROC << 16 | sequence number of the newest packet, and which of
 * the SRTP_IN_RTP_WINDOW up to it have come: bit index % window. */
struct stream {
	uint32_t ssrc;
	uint64_t newest, used;
	uint64_t seen[SRTP_IN_RTP_WINDOW / WORD_BITS];
};

struct srtp_in {
	struct srtp_cipher *rtp; /* NULL: the peer only receives */
	struct srtp_cipher *rtcp;
	size_t n_streams, n_replays;
	struct replay replay[SRTP_IN_STREAMS];
	struct stream *stream; /* SRTP_IN_STREAMS of them; with rtp */
	uint64_t used;	       /* packets that were authentic */
	struct retired_list *old_streams, *old_replays; /* NULL: none yet */
};

static struct retired *find_retired(struct retired_list *l, uint32_t ssrc)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (l->of[i].ssrc == ssrc)
			return &l->of[i];
	return NULL;
}

/* Whether there is room for one more; allocates once in a session. */
static bool may_retire(struct retired_list **l)
{
	if (!*l)
		*l = calloc(1, sizeof **l);
	return *l && (*l)->n < SRTP_IN_RETIRED;
}

/* ssrc, which went up to newest, in place of one that comes back; NULL: of none. Whoever
 * comes back finds all places taken: they were when it was retired. */
static void retire(struct retired_list *l, struct retired *back, uint32_t ssrc, uint64_t newest)
{
	struct retired *r = back ? back : &l->of[l->n++];

	*r = (struct retired){ .ssrc = ssrc, .newest = newest };
}

static int accept_rtp(struct srtp_in *s, const struct srtp_keys *keys)
{
	struct srtp_cipher *rtp = NULL;
	int err = srtp_cipher_new(&rtp, keys, SRTP_USE_RTP);

	if (err)
		return err;
	s->stream = hot_calloc(SRTP_IN_STREAMS * sizeof *s->stream);
	if (!s->stream) {
		srtp_cipher_free(&rtp);
		return -ENOMEM;
	}
	s->rtp = rtp;
	return 0;
}

int srtp_in_publish(struct srtp_in *s, const struct srtp_keys *keys)
{
	return s->rtp ? 0 : accept_rtp(s, keys);
}

int srtp_in_new(struct srtp_in **out, const struct srtp_keys *keys, bool publishes)
{
	struct srtp_in *s;
	int err;

	if (!srtp_profile_name(keys->profile))
		return -EINVAL;
	s = hot_calloc(sizeof *s);
	if (!s)
		return -ENOMEM;
	err = srtp_cipher_new(&s->rtcp, keys, SRTP_USE_RTCP);
	if (!err && publishes)
		err = accept_rtp(s, keys);
	if (err)
		srtp_in_free(&s);
	else
		*out = s;
	return err;
}

void srtp_in_free(struct srtp_in **s)
{
	if (!*s)
		return;
	srtp_cipher_free(&(*s)->rtp);
	srtp_cipher_free(&(*s)->rtcp);
	hot_free((*s)->stream, SRTP_IN_STREAMS * sizeof *(*s)->stream);
	free((*s)->old_streams);
	free((*s)->old_replays);
	hot_free(*s, sizeof **s);
	*s = NULL;
}

static struct stream *find_stream(struct srtp_in *s, uint32_t ssrc)
{
	for (size_t i = 0; i < s->n_streams; i++)
		if (s->stream[i].ssrc == ssrc)
			return &s->stream[i];
	return NULL;
}

/* RFC 3711 section 3.3.1 and appendix A: the roll-over that brings seq next to the
 * newest; before the first there is none. */
static uint64_t guess_index(uint64_t newest, uint16_t seq)
{
	uint64_t roc = newest >> 16;
	uint16_t s = (uint16_t)newest;

	if (s < 0x8000) {
		if (seq - s > 0x8000 && roc > 0)
			roc--;
	} else if (s - 0x8000 > seq) {
		roc++;
	}
	return roc << 16 | seq;
}

static uint64_t *word_of(struct stream *t, uint64_t index, uint64_t *bit)
{
	*bit = UINT64_C(1) << index % WORD_BITS;
	return &t->seen[index % SRTP_IN_RTP_WINDOW / WORD_BITS];
}

static bool seen(struct stream *t, uint64_t index)
{
	uint64_t bit, *word = word_of(t, index, &bit);

	if (index > t->newest)
		return false;
	return t->newest - index >= SRTP_IN_RTP_WINDOW || (*word & bit);
}

static void enter(struct stream *t, uint64_t index)
{
	uint64_t bit, *word;

	if (index > t->newest && index - t->newest >= SRTP_IN_RTP_WINDOW)
		memset(t->seen, 0, sizeof t->seen);
	else
		for (uint64_t i = t->newest + 1; i < index; i++) {
			word = word_of(t, i, &bit);
			*word &= ~bit;
		}
	word = word_of(t, index, &bit);
	*word |= bit;
	if (index > t->newest)
		t->newest = index;
}

/* Where an SSRC that is not among them is entered, which went up to back before; NULL:
 * it is new. */
static struct stream *new_stream(struct srtp_in *s, uint32_t ssrc, uint64_t index,
				 struct retired *back)
{
	struct stream *t = s->stream, was;
	bool full = s->n_streams == SRTP_IN_STREAMS;

	if (full) {
		for (size_t i = 1; i < s->n_streams; i++)
			if (s->stream[i].used < t->used)
				t = &s->stream[i];
	} else {
		t = &s->stream[s->n_streams++];
	}
	was = *t;
	*t = (struct stream){ .ssrc = ssrc, .newest = index };
	if (back) {
		t->newest = back->newest;
		memset(t->seen, 0xff, sizeof t->seen);
	}
	if (full)
		retire(s->old_streams, back, was.ssrc, was.newest);
	return t;
}

/* What stays in the clear; 0: not RTP, or nothing is behind it. */
static size_t header_len(const uint8_t *p, size_t len)
{
	size_t n = RTP_HDR + 4u * (p[0] & 15);

	if (p[0] >> 6 != 2 || n > len)
		return 0;
	if (p[0] & 0x10) {
		if (len - n < 4)
			return 0;
		n += 4 + 4 * ((size_t)p[n + 2] << 8 | p[n + 3]);
	}
	return n <= len ? n : 0;
}

/* An SSRC is entered once a packet of it has been authenticated: their number is
 * bounded, and a stranger must not use it up. */
int srtp_in_rtp(struct srtp_in *s, uint8_t *p, size_t *len)
{
	struct retired *back = NULL;
	struct stream *t;
	uint64_t index;
	uint32_t ssrc;
	size_t head;
	int n;

	if (!s->rtp)
		return -ENOTSUP;
	if (*len < RTP_HDR || *len > INT_MAX)
		return -EBADMSG;
	head = header_len(p, *len);
	if (!head || *len - head < srtp_cipher_tag_bytes(s->rtp))
		return -EBADMSG;
	ssrc = srtp_get32(p + 8);
	t = find_stream(s, ssrc);
	if (!t)
		back = find_retired(s->old_streams, ssrc);
	if (!t && !back && s->n_streams == SRTP_IN_STREAMS && !may_retire(&s->old_streams))
		return -ENOSPC;
	index = (uint64_t)p[2] << 8 | p[3];
	if (t || back)
		index = guess_index(t ? t->newest : back->newest, (uint16_t)index);
	if ((t && seen(t, index)) || (back && index <= back->newest))
		return -EALREADY;
	n = srtp_cipher_open_rtp(s->rtp, p, *len, head, ssrc, index);
	if (n < 0)
		return n;
	if (!t)
		t = new_stream(s, ssrc, index, back);
	enter(t, index);
	t->used = ++s->used;
	*len = (size_t)n;
	return 0;
}

static struct replay *find_replay(struct srtp_in *s, uint32_t ssrc)
{
	for (size_t i = 0; i < s->n_replays; i++)
		if (s->replay[i].ssrc == ssrc)
			return &s->replay[i];
	return NULL;
}

static bool replayed(const struct replay *r, uint32_t index)
{
	uint32_t behind = r->newest - index;

	if (index > r->newest)
		return false;
	return behind >= SRTP_IN_RTCP_WINDOW || (r->seen >> behind & 1);
}

static void replay_enter(struct replay *r, uint32_t index)
{
	uint32_t by;

	if (index <= r->newest) {
		r->seen |= 1ULL << (r->newest - index);
		return;
	}
	by = index - r->newest;
	r->seen = by < 64 ? r->seen << by | 1 : 1;
	r->newest = index;
}

/* As new_stream. */
static struct replay *new_replay(struct srtp_in *s, uint32_t ssrc, uint32_t index,
				 struct retired *back)
{
	struct replay *r = s->replay, was;
	bool full = s->n_replays == SRTP_IN_STREAMS;

	if (full) {
		for (size_t i = 1; i < s->n_replays; i++)
			if (s->replay[i].used < r->used)
				r = &s->replay[i];
	} else {
		r = &s->replay[s->n_replays++];
	}
	was = *r;
	*r = (struct replay){ .ssrc = ssrc, .newest = index };
	if (back) {
		r->newest = (uint32_t)back->newest;
		r->seen = UINT64_MAX;
	}
	if (full)
		retire(s->old_replays, back, was.ssrc, was.newest);
	return r;
}

/* Replay is checked before the work of authentication, and entered after it. */
int srtp_in_rtcp(struct srtp_in *s, uint8_t *p, size_t *len)
{
	size_t over = SRTP_RTCP_INDEX + srtp_cipher_tag_bytes(s->rtcp);
	struct retired *back = NULL;
	uint32_t ssrc, index;
	struct replay *r;
	int n;

	if (*len < SRTP_RTCP_HDR + over || *len > INT_MAX)
		return -EBADMSG;
	ssrc = srtp_get32(p + 4);
	r = find_replay(s, ssrc);
	if (!r)
		back = find_retired(s->old_replays, ssrc);
	if (!r && !back && s->n_replays == SRTP_IN_STREAMS && !may_retire(&s->old_replays))
		return -ENOSPC;
	index = srtp_cipher_rtcp_word(s->rtcp, p, *len) & ~SRTP_RTCP_E_BIT;
	if ((r && replayed(r, index)) || (back && index <= back->newest))
		return -EALREADY;
	n = srtp_cipher_open_rtcp(s->rtcp, p, *len, ssrc);
	if (n < 0)
		return n;
	if (!r)
		r = new_replay(s, ssrc, index, back);
	replay_enter(r, index);
	r->used = ++s->used;
	*len = (size_t)n;
	return 0;
}
