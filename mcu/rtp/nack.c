#include "mcu/rtp/nack.h"

#include <string.h>

#include "mcu/base/clock.h"

static const int64_t RTT_DEFAULT_NS = 50 * NS_PER_MS;
static const int64_t REORDER_WAIT_NS = 10 * NS_PER_MS;
static const int64_t RETRY_MIN_NS = 20 * NS_PER_MS;
static const int64_t AGE_MIN_NS = 80 * NS_PER_MS, AGE_MAX_NS = 200 * NS_PER_MS;

void nack_init(struct nack *k, int64_t max_age_ns)
{
	memset(k, 0, sizeof(*k));
	k->rtt_ns = RTT_DEFAULT_NS;
	k->max_age_ns = max_age_ns;
}

void nack_set_rtt(struct nack *k, int64_t rtt_ns)
{
	k->rtt_ns = rtt_ns < 0 ? 0 : rtt_ns;
}

int64_t nack_max_age_ns(const struct nack *k)
{
	int64_t age = 40 * NS_PER_MS;

	if (k->max_age_ns)
		return k->max_age_ns;
	if (k->rtt_ns > AGE_MAX_NS)
		return AGE_MAX_NS;
	age += 3 * k->rtt_ns; /* the first request and a second one */
	return age < AGE_MIN_NS ? AGE_MIN_NS : age > AGE_MAX_NS ? AGE_MAX_NS : age;
}

void nack_reset(struct nack *k, int64_t seq)
{
	k->started = true;
	k->high = seq;
	k->n = 0;
}

/* The first entry that is not before seq. */
static size_t place_of(const struct nack *k, int64_t seq)
{
	size_t lo = 0, hi = k->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (k->e[mid].seq < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void remove_entries(struct nack *k, size_t at, size_t n)
{
	memmove(&k->e[at], &k->e[at + n], (k->n - at - n) * sizeof(k->e[0]));
	k->n -= n;
}

bool nack_received(struct nack *k, int64_t seq, int64_t now_ns)
{
	if (!k->started) {
		nack_reset(k, seq);
		return true;
	}
	if (seq <= k->high) {
		size_t at = place_of(k, seq);

		if (at < k->n && k->e[at].seq == seq) {
			k->repaired += k->e[at].tries > 0;
			remove_entries(k, at, 1);
		}
		return true;
	}
	if (seq - k->high - 1 > (int64_t)(NACK_MAX - k->n)) {
		k->lost += k->n + (uint64_t)(seq - k->high - 1);
		nack_reset(k, seq);
		return false;
	}
	for (int64_t missing = k->high + 1; missing < seq; missing++)
		k->e[k->n++] = (struct nack_entry){ .seq = missing,
						    .since_ns = now_ns,
						    .due_ns = now_ns + REORDER_WAIT_NS };
	k->high = seq;
	return true;
}

void nack_forget_before(struct nack *k, int64_t seq)
{
	remove_entries(k, 0, place_of(k, seq));
}

static bool is_due(const struct nack *k, const struct nack_entry *e, int64_t now_ns)
{
	if (e->tries == NACK_TRIES)
		return false;
	return now_ns >= e->due_ns || (!e->tries && k->high - e->seq >= NACK_REORDER);
}

size_t nack_due(struct nack *k, int64_t now_ns, uint16_t *out, size_t max)
{
	int64_t wait = k->rtt_ns + k->rtt_ns / 4;
	size_t n = 0;

	if (wait < RETRY_MIN_NS)
		wait = RETRY_MIN_NS;
	for (size_t i = 0; i < k->n && n < max; i++) {
		struct nack_entry *e = &k->e[i];

		if (!is_due(k, e, now_ns))
			continue;
		e->tries++;
		e->due_ns = now_ns + wait;
		out[n++] = (uint16_t)e->seq;
	}
	k->asked += n;
	return n;
}

bool nack_gave_up(struct nack *k, int64_t now_ns, int64_t *seq)
{
	int64_t age = nack_max_age_ns(k);
	size_t kept = 0;
	bool any = false;

	for (size_t i = 0; i < k->n; i++) {
		const struct nack_entry *e = &k->e[i];

		if (now_ns - e->since_ns >= age ||
		    (e->tries == NACK_TRIES && now_ns >= e->due_ns)) {
			*seq = e->seq;
			any = true;
			k->lost++;
		} else {
			k->e[kept++] = *e;
		}
	}
	k->n = kept;
	return any;
}
