#include "mcu/rtp/rx_stats.h"

#include "mcu/base/clock.h"
#include "mcu/rtp/seq.h"

/* RFC 3550 A.1 */
enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100, MIN_SEQUENTIAL = 2 };

/* No sequence number: none awaited. */
enum { NO_SEQ = 0x10000 };

/* A time stamp jump of more than this is no network jitter: the sender was
 * silent, paused or restarted. */
enum { JITTER_CLAMP_S = 5 };

void rx_stats_init(struct rx_stats *s, uint32_t ssrc, uint32_t clock_hz)
{
	*s = (struct rx_stats){ .ssrc = ssrc, .clock_hz = clock_hz, .bad_seq = NO_SEQ };
}

void rx_stats_set_clock(struct rx_stats *s, uint32_t clock_hz)
{
	if (clock_hz == s->clock_hz)
		return;
	s->jitter_q4 = (uint32_t)((uint64_t)s->jitter_q4 * clock_hz / s->clock_hz);
	s->clock_hz = clock_hz;
	s->have_transit = false;
}

static void start_sequence(struct rx_stats *s, uint16_t seq)
{
	s->base_seq = s->ext_seq = 65536 + (int64_t)seq;
	s->bad_seq = NO_SEQ;
	s->received = 0;
	s->expected_prior = s->received_prior = 0;
	s->have_transit = false;
}

/* RFC 3550 A.8, with the difference of transits computed from differences, so
 * that neither clock's origin matters. */
static void update_jitter(struct rx_stats *s, uint32_t ts, int64_t arrival_ns)
{
	if (s->have_transit) {
		int64_t passed = arrival_ns - s->last_arrival_ns, max = JITTER_CLAMP_S;
		int64_t d;

		if (passed < 0 || passed > max * NS_PER_S)
			passed = max * NS_PER_S;
		d = passed * s->clock_hz / NS_PER_S - ts_diff(ts, s->last_ts);
		if (d < 0)
			d = -d;
		if (d < max * s->clock_hz)
			s->jitter_q4 += (uint32_t)d - ((s->jitter_q4 + 8) >> 4);
	}
	s->have_transit = true;
	s->last_ts = ts;
	s->last_arrival_ns = arrival_ns;
}

static enum rx_verdict first_packets(struct rx_stats *s, uint16_t seq)
{
	if (s->started && seq == (uint16_t)(s->ext_seq + 1)) {
		s->ext_seq++;
		if (--s->probation == 0) {
			start_sequence(s, seq);
			return RX_OK;
		}
		return RX_PROBATION;
	}
	s->started = true;
	s->probation = MIN_SEQUENTIAL - 1;
	s->ext_seq = 65536 + (int64_t)seq;
	return RX_PROBATION;
}

static enum rx_verdict judge_seq(struct rx_stats *s, uint16_t seq)
{
	int16_t d = seq_diff(seq, (uint16_t)s->ext_seq);

	if (d >= 0 && d < MAX_DROPOUT) {
		s->ext_seq += d;
		s->bad_seq = NO_SEQ;
		return RX_OK;
	}
	if (d < 0 && d > -MAX_MISORDER)
		return RX_OK;
	if (seq == s->bad_seq) {
		start_sequence(s, seq);
		s->restarts++;
		return RX_RESTART;
	}
	s->bad_seq = (uint16_t)(seq + 1);
	return RX_JUMP;
}

enum rx_verdict rx_stats_timeless(struct rx_stats *s, uint16_t seq, size_t payload_len)
{
	enum rx_verdict v;

	if (!s->started || s->probation)
		v = first_packets(s, seq);
	else
		v = judge_seq(s, seq);
	if (v == RX_JUMP || v == RX_PROBATION)
		return v;
	s->received++;
	s->octets += payload_len;
	return v;
}

enum rx_verdict rx_stats_packet(struct rx_stats *s, uint16_t seq, uint32_t ts, size_t payload_len,
				int64_t arrival_ns)
{
	enum rx_verdict v = rx_stats_timeless(s, seq, payload_len);

	if (v != RX_JUMP && v != RX_PROBATION)
		update_jitter(s, ts, arrival_ns);
	return v;
}

void rx_stats_unseen(struct rx_stats *s, uint32_t n, size_t payload_len)
{
	if (!s->started || s->probation)
		return;
	s->received += n;
	s->octets += n * payload_len;
}

void rx_stats_sr(struct rx_stats *s, uint64_t ntp, int64_t arrival_ns)
{
	s->lsr = rtcp_ntp_mid(ntp);
	s->lsr_arrival_ns = arrival_ns;
}

static uint64_t expected(const struct rx_stats *s)
{
	return (uint64_t)(s->ext_seq - s->base_seq + 1);
}

int64_t rx_stats_lost(const struct rx_stats *s)
{
	if (!s->started || s->probation)
		return 0;
	return (int64_t)expected(s) - (int64_t)s->received;
}

int64_t rx_stats_jitter_ns(const struct rx_stats *s)
{
	return (int64_t)(s->jitter_q4 >> 4) * NS_PER_S / s->clock_hz;
}

/* RFC 3550 A.3 */
static uint8_t fraction_lost(struct rx_stats *s)
{
	uint64_t exp = expected(s);
	int64_t interval = (int64_t)(exp - s->expected_prior);
	int64_t lost = interval - (int64_t)(s->received - s->received_prior);

	s->expected_prior = exp;
	s->received_prior = s->received;
	if (interval <= 0 || lost <= 0)
		return 0;
	lost = lost * 256 / interval;
	return (uint8_t)(lost > 255 ? 255 : lost);
}

bool rx_stats_block(struct rx_stats *s, int64_t now_ns, struct rtcp_block *out)
{
	int64_t lost, since;

	if (!s->started || s->probation)
		return false;
	lost = rx_stats_lost(s);
	if (lost > 0x7fffff)
		lost = 0x7fffff;
	if (lost < -0x800000)
		lost = -0x800000;
	*out = (struct rtcp_block){
		.ssrc = s->ssrc,
		.fraction_lost = fraction_lost(s),
		.lost = (int32_t)lost,
		/* the first roll-over count is 0, ext_seq's is 1 */
		.highest_seq = (uint32_t)(s->ext_seq - 65536),
		.jitter = s->jitter_q4 >> 4,
		.lsr = s->lsr,
	};
	since = now_ns - s->lsr_arrival_ns;
	if (s->lsr && since > 0)
		out->dlsr = (uint32_t)(uint64_t)clock_scale(since, 65536, NS_PER_S);
	return true;
}
