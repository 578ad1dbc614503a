#include "mcu/rtp/video_rx.h"

#include <errno.h>
#include <stdlib.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/depay.h"
#include "mcu/rtp/packet.h"
#include "mcu/rtp/seq.h"

enum {
	CLOSE_BEHIND = 1000,    /* older than what is held, but of the same run of numbers */
	CLOSE_AHEAD = 3000,     /* RFC 3550 A.1 MAX_DROPOUT */
	SEEK_WINDOW = 32,       /* packets kept while looking for a key frame */
	WALK_BACK = 4,          /* packets of parameter sets that may be missing before an IDR */
	NO_ROTATION = 0xff,
};

/* How long a straggler is waited for when nothing can be asked for again. */
static const int64_t REORDER_ONLY_NS = 40 * NS_PER_MS;

struct slot {
	struct buf *pkt; /* NULL: missing */
	const uint8_t *payload;
	size_t len; /* 0: padding only */
	uint32_t ts;
	int64_t arrival_ns;
	enum codec codec; /* CODEC_NONE: padding of a type that was not agreed on */
	struct rtp_payload_info info;
	bool marker;
	uint8_t quarter_turns; /* or NO_ROTATION */
};

/* Two modes. Seeking (need_key && !candidate): the newest packets are kept and
 * nothing is asked for again, until one starts a key frame. In order: access
 * units are completed from `next` on; every missing number between next and the
 * highest is in the nack list, and when that gives one up, the search begins. */
struct video_rx {
	struct video_rx_cfg cfg;
	struct video_rx_stats stats;
	struct nack nack;
	bool started, need_key, candidate;
	bool partial;  /* what stands at next may be the rest of an access unit */
	bool sets_seen; /* the decoder has parameter sets of this sequence and codec */
	bool pli_ever;
	uint32_t ssrc;
	unsigned rotation;
	enum codec codec; /* of the last key frame given out */
	struct rtp_layers layers;
	int64_t next;  /* everything before it is done with */
	int64_t scan;  /* [next, scan) is there and belongs to one access unit */
	int64_t high;  /* highest received */
	int64_t gone;  /* what is missing up to here was given up */
	int64_t key_at; /* of a candidate: the packet that made it one */
	int64_t floor; /* below it nothing is taken any more, even when seeking */
	int64_t pli_ns;
	/* a packet of another source or far off, in probation */
	struct buf *held;
	uint32_t held_ssrc;
	uint16_t held_seq;
	int64_t held_arrival_ns;
	/* the access unit in the making; kept while it has parameter sets only */
	struct buf *au;
	struct rtp_depay depay;
	struct slot slots[VIDEO_RX_WINDOW];
};

static bool formats_are_good(const struct video_rx_format *f, size_t n)
{
	if (n > VIDEO_RX_FORMATS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!codec_is_video(f[i].codec))
			return false;
	return true;
}

int video_rx_new(struct video_rx **out, const struct video_rx_cfg *cfg)
{
	struct video_rx *rx;

	if (!cfg->au_pool || !formats_are_good(cfg->format, cfg->n_formats))
		return -EINVAL;
	rx = calloc(1, sizeof(*rx));
	if (!rx)
		return -ENOMEM;
	rx->cfg = *cfg;
	nack_init(&rx->nack, cfg->nack ? 0 : REORDER_ONLY_NS);
	rx->need_key = true;
	*out = rx;
	return 0;
}

int video_rx_set_formats(struct video_rx *rx, const struct video_rx_format *f, size_t n)
{
	if (!formats_are_good(f, n))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		rx->cfg.format[i] = f[i];
	rx->cfg.n_formats = n;
	return 0;
}

static enum codec codec_of(const struct video_rx *rx, uint8_t pt)
{
	for (size_t i = 0; i < rx->cfg.n_formats; i++)
		if (rx->cfg.format[i].pt == pt)
			return rx->cfg.format[i].codec;
	return CODEC_NONE;
}

static struct slot *slot_of(const struct video_rx *rx, int64_t seq)
{
	return (struct slot *)&rx->slots[(uint64_t)seq % VIDEO_RX_WINDOW];
}

/* Lets go of everything before seq. */
static void release_before(struct video_rx *rx, int64_t seq)
{
	int64_t end = seq < rx->next + VIDEO_RX_WINDOW ? seq : rx->next + VIDEO_RX_WINDOW;

	for (int64_t s = rx->next; s < end; s++)
		buf_unref(&slot_of(rx, s)->pkt);
	if (seq > rx->next)
		rx->next = seq;
	rx->scan = rx->next;
	nack_forget_before(&rx->nack, rx->next);
}

void video_rx_free(struct video_rx **rx)
{
	if (!*rx)
		return;
	for (size_t i = 0; i < VIDEO_RX_WINDOW; i++)
		buf_unref(&(*rx)->slots[i].pkt);
	buf_unref(&(*rx)->held);
	buf_unref(&(*rx)->au);
	free(*rx);
	*rx = NULL;
}

static bool is_seeking(const struct video_rx *rx)
{
	return rx->need_key && !rx->candidate;
}

static bool is_same_unit(const struct slot *a, const struct slot *b)
{
	return a->ts == b->ts && a->codec == b->codec;
}

/* Whether the packet before seq is there and ended an access unit. */
static bool boundary_before(const struct video_rx *rx, int64_t seq)
{
	const struct slot *before = slot_of(rx, seq - 1);

	if (seq - 1 < rx->next || !before->pkt)
		return false;
	return before->marker ||
	       (slot_of(rx, seq)->pkt && !is_same_unit(before, slot_of(rx, seq)));
}

/* From here on in order, as there may be a key frame at key_at; every hole up to
 * the highest is asked for again. */
static void begin_in_order(struct video_rx *rx, int64_t from, int64_t key_at)
{
	rx->candidate = true;
	rx->key_at = key_at;
	release_before(rx, from);
	rx->floor = from;
	rx->gone = from - 1;
	nack_reset(&rx->nack, from - 1);
	for (int64_t s = from; s <= rx->high; s++)
		if (slot_of(rx, s)->pkt)
			nack_received(&rx->nack, s, slot_of(rx, s)->arrival_ns);
}

/* Seeking: takes the packet at seq as the start of a key frame when it may be
 * one. In H.264, an IDR slice whose parameter sets were lost is worth a try when they may
 * still come, or when the decoder has some and the slice surely comes first. */
static bool try_candidate(struct video_rx *rx, int64_t seq)
{
	const struct slot *s = slot_of(rx, seq);
	int64_t from = seq;
	bool hole = false;

	if (s->info.start == RTP_START_KEY || rx->cfg.sps_out_of_band) {
		rx->partial = false;
		begin_in_order(rx, seq, seq);
		return true;
	}
	while (from - 1 >= rx->next && seq - from < WALK_BACK) {
		const struct slot *before = slot_of(rx, from - 1);

		if (before->pkt && (before->marker || !is_same_unit(before, s)))
			break;
		hole |= !before->pkt;
		from--;
	}
	rx->partial = !boundary_before(rx, from);
	if (!hole && (rx->partial || !rx->sets_seen))
		return false;
	begin_in_order(rx, from, seq);
	return true;
}

/* A reference is gone for good: drop everything before `from` and what depends
 * on it, that is, look for a key frame. */
static void lose(struct video_rx *rx, int64_t from)
{
	rx->need_key = true;
	rx->candidate = false;
	buf_unref(&rx->au);
	release_before(rx, from);
	rx->floor = rx->next;
	for (int64_t s = rx->next; s <= rx->high; s++)
		if (slot_of(rx, s)->pkt && slot_of(rx, s)->info.start != RTP_START_NO &&
		    try_candidate(rx, s))
			return;
	release_before(rx, rx->high + 1 - SEEK_WINDOW);
}

/* The hole at scan will not be filled. True when the next frame behind it shows
 * that nothing to come refers to what is missing: then it goes on there. */
static bool step_over(struct video_rx *rx)
{
	const struct slot *hurt = slot_of(rx, rx->next), *before, *s = NULL;
	int64_t seq = rx->scan + 1;
	bool alone;

	if (rx->need_key)
		return false;
	for (; seq <= rx->high; seq++) {
		s = slot_of(rx, seq);
		if (s->pkt && s->len && s->info.first)
			break;
	}
	if (seq > rx->high || s->codec != rx->codec)
		return false;
	/* from its first packet to its last, the hole is inside one frame */
	before = slot_of(rx, seq - 1);
	alone = hurt->pkt && hurt->info.first && before->pkt && before->len &&
		is_same_unit(hurt, before);
	if (alone && hurt->info.start == RTP_START_NO &&
	    (hurt->info.layer.discardable || (hurt->info.layer.known && hurt->info.layer.tid)))
		rtp_layers_lose(&rx->layers, &hurt->info.layer);
	else if (rtp_layers_bridges(&rx->layers, &s->info.layer))
		rtp_layers_lose(&rx->layers, NULL);
	else
		return false;
	release_before(rx, seq);
	rx->floor = rx->next;
	rx->stats.stepped_over++;
	return true;
}

static void start_sequence(struct video_rx *rx, uint32_t ssrc, uint16_t seq)
{
	if (rx->started) {
		lose(rx, rx->high + 1);
		rx->stats.restarts++;
	}
	rx->started = true;
	rx->ssrc = ssrc;
	rx->sets_seen = false;
	rx->rotation = 0;
	rx->next = rx->scan = rx->high = 65536 + (int64_t)seq;
	rx->floor = rx->next - SEEK_WINDOW;
	rx->gone = rx->floor - 1;
	nack_reset(&rx->nack, rx->next - 1);
}

static void store(struct video_rx *rx, int64_t seq, struct buf *pkt, const struct rtp_packet *p,
		  int64_t arrival_ns)
{
	struct slot *s = slot_of(rx, seq);
	enum codec codec = codec_of(rx, p->pt);
	unsigned degrees;

	*s = (struct slot){
		.pkt = pkt,
		.payload = p->payload,
		.len = p->payload_len,
		.ts = p->ts,
		.arrival_ns = arrival_ns,
		.codec = codec,
		.info = { .start = RTP_START_NO },
		.marker = p->marker,
		.quarter_turns = NO_ROTATION,
	};
	if (codec != CODEC_NONE)
		rtp_depay_ops(codec)->describe(p->payload, p->payload_len, &s->info);
	if (rtp_ext_orientation(p, rx->cfg.ext_orientation, &degrees))
		s->quarter_turns = (uint8_t)(degrees / 90);
}

/* A packet of the present sequence. */
static void insert(struct video_rx *rx, int64_t seq, struct buf *pkt, const struct rtp_packet *p,
		   int64_t arrival_ns)
{
	bool within = true;

	if (is_seeking(rx) && seq < rx->next && seq >= rx->floor && seq > rx->high - SEEK_WINDOW)
		rx->next = rx->scan = seq;
	if (seq < rx->next || (seq <= rx->high && slot_of(rx, seq)->pkt)) {
		if (seq < rx->next)
			rx->stats.late++;
		else
			rx->stats.duplicate++;
		buf_unref(&pkt);
		return;
	}
	if (seq > rx->high) {
		within = nack_received(&rx->nack, seq, arrival_ns) &&
			 seq < rx->next + VIDEO_RX_WINDOW;
		if (!within && !is_seeking(rx))
			rx->stats.holes++;
		rx->high = seq;
	} else {
		nack_received(&rx->nack, seq, arrival_ns);
	}
	if (!within)
		lose(rx, seq);
	store(rx, seq, pkt, p, arrival_ns);
	if (!is_seeking(rx))
		return;
	if (slot_of(rx, seq)->info.start == RTP_START_NO || !try_candidate(rx, seq))
		release_before(rx, rx->high + 1 - SEEK_WINDOW);
}

/* Parses; false for what is malformed or has no agreed format (padding may). */
static bool read_packet(struct video_rx *rx, const struct buf *pkt, struct rtp_packet *p)
{
	if (rtp_parse(p, pkt->data, pkt->len)) {
		rx->stats.malformed++;
		return false;
	}
	if (p->payload_len && codec_of(rx, p->pt) == CODEC_NONE) {
		rx->stats.dropped++;
		return false;
	}
	return true;
}

/* Another source, or numbers far off. */
static bool is_foreign(const struct video_rx *rx, const struct rtp_packet *p)
{
	int16_t d = seq_diff(p->seq, (uint16_t)rx->high);

	return p->ssrc != rx->ssrc || d <= -CLOSE_BEHIND || d >= CLOSE_AHEAD;
}

/* RFC 3550 A.1: only two packets in sequence are a restart. The first of them
 * is held, as it often starts the key frame. False: pkt was taken. */
static bool confirm_restart(struct video_rx *rx, struct buf *pkt, const struct rtp_packet *p,
			    int64_t arrival_ns)
{
	struct rtp_packet first;
	struct buf *held = rx->held;

	if (!held || rx->held_ssrc != p->ssrc || p->seq != (uint16_t)(rx->held_seq + 1)) {
		rx->stats.dropped += held != NULL;
		buf_unref(&rx->held);
		rx->held = pkt;
		rx->held_ssrc = p->ssrc;
		rx->held_seq = p->seq;
		rx->held_arrival_ns = arrival_ns;
		return false;
	}
	rx->held = NULL;
	start_sequence(rx, p->ssrc, rx->held_seq);
	if (read_packet(rx, held, &first))
		insert(rx, rx->high, held, &first, rx->held_arrival_ns);
	else
		buf_unref(&held);
	return true;
}

void video_rx_put(struct video_rx *rx, struct buf *pkt, int64_t arrival_ns)
{
	struct rtp_packet p;

	rx->stats.packets++;
	if (!read_packet(rx, pkt, &p)) {
		buf_unref(&pkt);
		return;
	}
	if (!rx->started)
		start_sequence(rx, p.ssrc, p.seq);
	else if (is_foreign(rx, &p) && !confirm_restart(rx, pkt, &p, arrival_ns))
		return;
	insert(rx, seq_unwrap(rx->high, p.seq), pkt, &p, arrival_ns);
}

/* The end of the access unit at next when all of it is there, else 0. */
static int64_t find_end(struct video_rx *rx)
{
	for (; rx->scan <= rx->high; rx->scan++) {
		const struct slot *s = slot_of(rx, rx->scan);

		if (!s->pkt)
			return 0;
		if (rx->scan > rx->next && s->len &&
		    !is_same_unit(s, slot_of(rx, rx->scan - 1)))
			return rx->scan;
		if (s->marker && s->len) {
			rx->scan++;
			return rx->scan;
		}
		/* probes between frames carry any time stamp and type: they follow their
		 * neighbours'; in front of a frame they are a unit of their own */
		if (!s->len && rx->scan == rx->next) {
			rx->scan++;
			return rx->scan;
		}
		if (!s->len) {
			slot_of(rx, rx->scan)->ts = slot_of(rx, rx->scan - 1)->ts;
			slot_of(rx, rx->scan)->codec = slot_of(rx, rx->scan - 1)->codec;
		}
	}
	return 0;
}

/* Deals with holes at the front that were given up. */
static void settle(struct video_rx *rx)
{
	while (!is_seeking(rx) && rx->next <= rx->gone && !find_end(rx) && rx->scan <= rx->gone)
		if (!step_over(rx))
			lose(rx, rx->gone + 1);
}

/* Appends [next, end) to rx->au. 0, -ENOBUFS, -EBADMSG or -EMSGSIZE. */
static int assemble(struct video_rx *rx, int64_t end, struct video_au *out,
		    struct rtp_unit_info *info)
{
	const struct slot *head = slot_of(rx, rx->next);
	int err = 0;

	if (rx->au && rx->depay.ops != rtp_depay_ops(head->codec))
		buf_unref(&rx->au);
	if (!rx->au) {
		rx->au = buf_get(rx->cfg.au_pool);
		if (!rx->au)
			return -ENOBUFS;
		rtp_depay_begin(&rx->depay, head->codec, rx->au);
		rx->au->time_ns = 0;
	}
	*out = (struct video_au){ .rtp_ts = head->ts, .ssrc = rx->ssrc, .codec = head->codec };
	for (int64_t s = rx->next; s < end && !err; s++) {
		const struct slot *slot = slot_of(rx, s);

		if (slot->arrival_ns > rx->au->time_ns)
			rx->au->time_ns = slot->arrival_ns;
		if (slot->quarter_turns != NO_ROTATION)
			rx->rotation = slot->quarter_turns * 90u;
		else if (slot->info.start == RTP_START_KEY)
			rx->rotation = 0; /* a key frame without it: upright again */
		if (slot->len)
			err = rx->depay.ops->put(&rx->depay, slot->payload, slot->len);
	}
	return err ? err : rx->depay.ops->end(&rx->depay, info);
}

static void count_failure(struct video_rx *rx, int err)
{
	if (err == -ENOBUFS)
		rx->stats.no_buffer++;
	else if (err == -EMSGSIZE)
		rx->stats.too_big++;
	else
		rx->stats.malformed++;
}

/* The whole unit in rx->au goes out, or is dropped because a key frame is
 * waited for or what it refers to is lost. True: *out is filled. */
static bool give_out(struct video_rx *rx, const struct rtp_layer *layer, struct video_au *out)
{
	if (out->key) {
		rx->codec = out->codec;
		rx->sets_seen = true;
		rx->need_key = rx->candidate = false;
		rx->stats.keys++;
		rtp_layers_key(&rx->layers, layer);
	} else if (rx->need_key || !rtp_layers_admit(&rx->layers, layer)) {
		rx->stats.frames_dropped++;
		buf_unref(&rx->au);
		if (rx->need_key && rx->next > rx->key_at) /* it was none */
			lose(rx, rx->next);
		return false;
	}
	rx->stats.frames++;
	out->rotation = rx->rotation;
	out->buf = rx->au;
	rx->au = NULL;
	return true;
}

/* Takes the complete unit [next, end). True: *out is filled. */
static bool take_unit(struct video_rx *rx, int64_t end, struct video_au *out)
{
	struct rtp_layer layer = slot_of(rx, rx->next)->info.layer;
	bool partial = rx->partial, same, have_sets;
	struct rtp_unit_info info;
	int err = assemble(rx, end, out, &info);

	if (err) {
		count_failure(rx, err);
		lose(rx, end);
		return false;
	}
	same = out->codec == rx->codec;
	if (!same && !rx->need_key) {
		/* another codec begins: with a key frame, or not yet */
		rx->need_key = rx->candidate = true;
		rx->key_at = rx->next;
	}
	release_before(rx, end);
	rx->floor = end;
	rx->partial = false;
	if (!info.picture) /* parameter sets alone go with the frame behind them */
		return false;
	have_sets = info.sets || rx->cfg.sps_out_of_band || (rx->sets_seen && same && !partial);
	out->key = info.random_access && have_sets;
	return give_out(rx, &layer, out);
}

bool video_rx_pop(struct video_rx *rx, struct video_au *out)
{
	while (rx->started && !is_seeking(rx)) {
		int64_t end;

		settle(rx);
		end = is_seeking(rx) ? 0 : find_end(rx);
		if (!end)
			return false;
		if (end == rx->next + 1 && !slot_of(rx, rx->next)->len) {
			release_before(rx, end);
			rx->floor = end;
			continue;
		}
		if (take_unit(rx, end, out))
			return true;
	}
	return false;
}

bool video_rx_tick(struct video_rx *rx, int64_t now_ns, struct video_rx_wants *wants)
{
	int64_t lost;

	wants->ssrc = rx->ssrc;
	wants->pli = false;
	wants->n_nack = 0;
	if (!rx->started)
		return false;
	if (nack_gave_up(&rx->nack, now_ns, &lost) && !is_seeking(rx)) {
		rx->stats.holes++;
		rx->gone = lost > rx->gone ? lost : rx->gone;
		settle(rx);
	}
	if (is_seeking(rx) &&
	    (!rx->pli_ever || now_ns - rx->pli_ns >= VIDEO_RX_PLI_MS * NS_PER_MS)) {
		rx->pli_ever = wants->pli = true;
		rx->pli_ns = now_ns;
		rx->stats.plis++;
	}
	if (rx->cfg.nack && !is_seeking(rx))
		wants->n_nack = nack_due(&rx->nack, now_ns, wants->nack, NACK_BURST);
	return wants->pli || wants->n_nack;
}

void video_rx_set_rtt(struct video_rx *rx, int64_t rtt_ns)
{
	nack_set_rtt(&rx->nack, rtt_ns);
}

void video_rx_need_key(struct video_rx *rx)
{
	if (rx->started && !rx->need_key)
		lose(rx, rx->next);
	rx->need_key = true;
}

bool video_rx_waits_for_key(const struct video_rx *rx)
{
	return rx->need_key;
}

const struct video_rx_stats *video_rx_stats(const struct video_rx *rx)
{
	struct video_rx *w = (struct video_rx *)rx;

	w->stats.nacks = rx->nack.asked;
	w->stats.repaired = rx->nack.repaired;
	return &rx->stats;
}
