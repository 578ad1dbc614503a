#include "mcu/net/latch.h"

#include <arpa/inet.h>
#include <string.h>

#include "mcu/base/clock.h"

enum rank { RANK_STRANGER = 1, RANK_HOST, RANK_DESCRIBED };

/* A run that pauses is over. */
#define RUN_PAUSE_NS NS_PER_S
/* So far ahead a stream may have gone while its source changed. */
enum { GOES_ON = 500 };

bool latch_address_read(struct latch_address *out, const char *ip, uint16_t port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(out, 0, sizeof *out);
	if (!port)
		return false;
	if (inet_pton(AF_INET, ip, out->ip + 12) == 1)
		memcpy(out->ip, mapped, sizeof mapped);
	else if (inet_pton(AF_INET6, ip, out->ip) != 1)
		return false;
	out->port = port;
	return true;
}

static bool is_set(const struct latch_address *a)
{
	return a->port != 0;
}

static bool same_host(const struct latch_address *a, const struct latch_address *b)
{
	return is_set(a) && !memcmp(a->ip, b->ip, sizeof a->ip);
}

bool latch_same_host(const struct latch_address *a, const struct latch_address *b)
{
	return is_set(b) && same_host(a, b);
}

enum latch_kind latch_address_kind(const struct latch_address *a)
{
	/* the first twelve octets of ::1, and of IPv4's beside `mapped` (RFC 4291 2.5.5.1) */
	static const uint8_t zero[12] = { 0 }, mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool low = !memcmp(a->ip, zero, sizeof zero);

	if (low && !memcmp(a->ip + 12, (const uint8_t[]){ 0, 0, 0, 1 }, 4))
		return LATCH_LOOPBACK;
	if (low || !memcmp(a->ip, mapped, sizeof mapped)) {
		if (!a->ip[12] || a->ip[12] >= 224)
			return LATCH_NOBODY;
		return a->ip[12] == 127 ? LATCH_LOOPBACK : LATCH_HOST;
	}
	return a->ip[0] == 0xff ? LATCH_NOBODY : LATCH_HOST;
}

bool latch_address_equal(const struct latch_address *a, const struct latch_address *b)
{
	return same_host(a, b) && a->port == b->port;
}

void latch_describe(struct latch *l, const struct latch_described *said, int64_t now_ns)
{
	bool first = !l->said_ns;
	bool same = latch_address_equal(&l->said.rtp, &said->rtp) && l->said.mux == said->mux &&
		    (said->mux || latch_address_equal(&l->said.rtcp, &said->rtcp));

	/* on hold, said the old way: what is known may be of use again */
	if (!first && !is_set(&said->rtp))
		return;
	l->said = *said;
	if (!first && same)
		return;
	if (l->learnt) {
		l->before = l->from;
		l->before_heard = l->in_row >= LATCH_RUN;
	}
	l->learnt = l->rtcp_learnt = false;
	l->in_row = 0;
	l->said_ns = now_ns ? now_ns : 1;
	memset(l->run, 0, sizeof l->run);
}

static enum rank rank_of(const struct latch *l, const struct latch_address *from, bool authentic)
{
	if (latch_address_equal(&l->said.rtp, from))
		return RANK_DESCRIBED;
	if (authentic || same_host(&l->said.rtp, from) || same_host(&l->said.signaling, from) ||
	    same_host(&l->before, from))
		return RANK_HOST;
	return RANK_STRANGER;
}

static bool quiet(int64_t heard_ns, int64_t now_ns, int64_t ms)
{
	return now_ns - heard_ns >= ms * NS_PER_MS;
}

/* The stream that is learnt, from another port. */
static bool goes_on(const struct latch *l, uint32_t ssrc, uint16_t seq)
{
	return ssrc == l->ssrc && (uint16_t)(seq - l->seq - 1) < GOES_ON;
}

/* Whether a run from there would count. */
static bool may_teach(const struct latch *l, const struct latch_address *from, enum rank rank,
		      uint32_t ssrc, uint16_t seq, int64_t now_ns)
{
	if (!l->learnt)
		return rank > RANK_STRANGER || !quiet(l->said_ns, now_ns, LATCH_WINDOW_MS);
	if (rank > l->rank && !quiet(l->learnt_ns, now_ns, LATCH_SETTLE_MS))
		return true;
	if (same_host(&l->from, from))
		return goes_on(l, ssrc, seq) || quiet(l->heard_ns, now_ns, LATCH_PORT_QUIET_MS);
	return rank > RANK_STRANGER && quiet(l->heard_ns, now_ns, LATCH_QUIET_MS);
}

/* The run of that source; a new one takes the place of the least promising. */
static struct latch_run *run_of(struct latch *l, const struct latch_address *from, enum rank rank)
{
	struct latch_run *to = &l->run[0];

	for (int i = 0; i < LATCH_CANDIDATES; i++) {
		struct latch_run *r = &l->run[i];

		if (r->n && latch_address_equal(&r->from, from))
			return r;
		if (!r->n)
			to = to->n ? r : to;
		else if (to->n && (r->rank < to->rank ||
				   (r->rank == to->rank && r->last_ns < to->last_ns)))
			to = r;
	}
	if (to->n && to->rank > rank)
		return NULL;
	*to = (struct latch_run){ .from = *from, .rank = (uint8_t)rank };
	return to;
}

/* How many in a row by now. */
static unsigned run_on(struct latch_run *r, uint32_t ssrc, uint16_t seq, int64_t now_ns)
{
	uint16_t step = (uint16_t)(seq - r->seq);

	if (!r->n || r->ssrc != ssrc || now_ns - r->last_ns > RUN_PAUSE_NS || step > 1)
		r->n = 1;
	else if (step)
		r->n = (uint8_t)(r->n + (r->n < UINT8_MAX));
	r->ssrc = ssrc;
	r->seq = seq;
	r->last_ns = now_ns;
	return r->n;
}

static void hear(struct latch *l, uint32_t ssrc, uint16_t seq, bool authentic, int64_t now_ns)
{
	uint16_t step = (uint16_t)(seq - l->seq);

	if (authentic)
		l->in_row = LATCH_RUN;
	else if (l->in_row < LATCH_RUN && (ssrc != l->ssrc || step > 1))
		l->in_row = 1;
	else if (l->in_row < LATCH_RUN)
		l->in_row = (uint8_t)(l->in_row + step);
	l->ssrc = ssrc;
	l->seq = seq;
	l->heard_ns = now_ns;
}

static void learn(struct latch *l, const struct latch_address *from, enum rank rank, int64_t now_ns)
{
	if (!l->learnt || !same_host(&l->from, from))
		l->rtcp_learnt = false;
	l->learnt = true;
	l->rank = (uint8_t)rank;
	l->from = *from;
	l->learnt_ns = now_ns;
	memset(l->run, 0, sizeof l->run);
}

bool latch_rtp(struct latch *l, const struct latch_address *from, uint32_t ssrc, uint16_t seq,
	       bool authentic, int64_t now_ns)
{
	enum rank rank;
	unsigned need, run;
	struct latch_run *r;

	if (l->learnt && latch_address_equal(&l->from, from)) {
		hear(l, ssrc, seq, authentic, now_ns);
		return true;
	}
	rank = rank_of(l, from, authentic);
	if (!may_teach(l, from, rank, ssrc, seq, now_ns))
		return false;
	r = run_of(l, from, rank);
	if (!r)
		return false;
	need = rank == RANK_STRANGER ? LATCH_STRANGER_RUN : LATCH_RUN;
	run = run_on(r, ssrc, seq, now_ns);
	if (run < need && (l->learnt || rank != RANK_DESCRIBED))
		return false;
	learn(l, from, rank, now_ns);
	l->in_row = (uint8_t)(run < LATCH_RUN ? run : LATCH_RUN);
	l->ssrc = ssrc;
	l->seq = seq;
	hear(l, ssrc, seq, authentic, now_ns);
	return true;
}

/* Where RTCP may come from: the host of the RTP. */
static bool is_of_peer(const struct latch *l, const struct latch_address *from, bool authentic)
{
	if (l->learnt)
		return same_host(&l->from, from);
	return authentic || same_host(&l->said.rtcp, from) || rank_of(l, from, false) > RANK_STRANGER;
}

bool latch_rtcp(struct latch *l, const struct latch_address *from, bool authentic, int64_t now_ns)
{
	if (l->said.mux)
		return latch_address_equal(l->learnt ? &l->from : &l->said.rtp, from);
	if (!l->rtcp_learnt || !latch_address_equal(&l->rtcp_from, from)) {
		if (!is_of_peer(l, from, authentic) ||
		    (l->rtcp_learnt && !quiet(l->rtcp_heard_ns, now_ns, LATCH_RTCP_QUIET_MS)))
			return false;
		l->rtcp_learnt = true;
		l->rtcp_from = *from;
	}
	l->rtcp_heard_ns = now_ns;
	return true;
}

bool latch_heard(const struct latch *l, const struct latch_address *host)
{
	return (l->learnt && l->in_row >= LATCH_RUN && latch_same_host(&l->from, host)) ||
	       (l->before_heard && latch_same_host(&l->before, host));
}

bool latch_settled(const struct latch *l, int64_t now_ns)
{
	return l->learnt && l->in_row >= LATCH_RUN &&
	       quiet(l->learnt_ns, now_ns, LATCH_SETTLE_MS);
}

struct latch_address latch_to(const struct latch *l)
{
	return l->learnt ? l->from : l->said.rtp;
}

struct latch_address latch_rtcp_to(const struct latch *l)
{
	struct latch_address to = l->from;

	if (l->said.mux)
		return latch_to(l);
	if (l->rtcp_learnt)
		return l->rtcp_from;
	if (!l->learnt || same_host(&l->said.rtp, &l->from))
		return l->said.rtcp;
	to.port++; /* a guess, until the peer's own come */
	return to;
}
