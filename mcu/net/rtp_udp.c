#include "mcu/net/rtp_udp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "mcu/base/clock.h"
#include "mcu/base/hot.h"
#include "mcu/base/metrics.h"
#include "mcu/net/rtp_udp_priv.h"
#include "mcu/net/silence_filter.h"
#include "mcu/net/udp_post.h"
#include "mcu/rtp/packet.h"

enum {
	STRANGERS_KBPS = 1000,
	DRAIN_MOST = 4096,
	FIRST_SILENCES = 4, /* of them before anything has come: a phone may ring so long */
	REST_DEAF_MS = 800, /* without one of the packets that pass, every 240 ms at least */
};

METRIC_GAUGE(g_udp, "mcu_net_udp_transports", "Transports over plain UDP that exist");

void udp_fail(struct udp_transport *t, const char *reason)
{
	if (udp_gone(t))
		return;
	t->dead = true;
	net_timer_stop(&t->timer);
	t->ev->closed(t->obj, reason);
}

/* --- a peer that stays where it is ------------------------------------------------- */

/* A connected socket knows its way, which is a tenth of what sending costs, and what others
 * send to it goes no further than the kernel. */
static void tie(struct udp_socket *k)
{
	k->path.connected = !connect(k->path.fd, (const struct sockaddr *)&k->path.to,
				     k->path.to_len);
}

void udp_untie(struct udp_socket *k)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int err;

	if (!k->path.connected)
		return;
	k->path.connected = false;
	(void)connect(k->path.fd, &nobody, sizeof nobody);
	/* what ICMP said of that peer would be told at the next read */
	(void)getsockopt(k->path.fd, SOL_SOCKET, SO_ERROR, &err, &(socklen_t){ sizeof err });
}

/* --- a peer that sends silence ------------------------------------------------------- */

/* Not of who is looked at packet by packet, nor with keys: all is noise then. */
void udp_rest(struct udp_socket *k, int64_t now_ns)
{
	const struct udp_line *l = k->line;

	if (k->rests || !k->silence.payload_len || !k->watch || l->said.srtp || l->t->base.tap ||
	    !latch_settled(&l->kept->latch, now_ns) ||
	    silence_filter_set(k->path.fd, &k->silence, &k->drops))
		return;
	k->rests = k->bridges = true;
	k->passed_ns = now_ns;
	k->dropped_octets = (uint16_t)(RTP_HEADER_BYTES + k->silence.payload_len);
	net_fd_end_steady(k->watch);
}

void udp_end_rest(struct udp_socket *k)
{
	if (k->rests)
		silence_filter_clear(k->path.fd);
	k->rests = false;
}

/* Who is not even heard of may be elsewhere. */
void udp_check_rest(struct udp_socket *k, int64_t now_ns)
{
	if (k->rests && now_ns - k->passed_ns > REST_DEAF_MS * NS_PER_MS)
		udp_end_rest(k);
	else if (!k->rests && k->watch && net_fd_is_steady(k->watch))
		udp_rest(k, now_ns);
}

/* Not with keys: what is authentic is taken from wherever it comes. */
void udp_tie_lines(struct udp_transport *t, int64_t now_ns)
{
	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		struct udp_line *l = &t->line[i];
		const struct latch *k = &l->kept->latch;

		if (!l->rtp.watch || !(net_fd_is_steady(l->rtp.watch) || l->rtp.rests))
			udp_untie(&l->rtp);
		else if (!l->rtp.path.connected && !l->said.srtp && l->rtp.path.to_len &&
			 latch_settled(k, now_ns))
			tie(&l->rtp);
	}
}

/* --- addresses --------------------------------------------------------------------- */

/* Whether it is another now. */
static bool aim(struct udp_socket *k, const struct latch_address *to) ON_THREAD(ROLE_NET)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in *a4 = (void *)&k->path.to;
	struct sockaddr_in6 *a6 = (void *)&k->path.to;

	if (!memcmp(&k->to, to, sizeof *to))
		return false;
	udp_untie(k);
	k->to = *to;
	memset(&k->path.to, 0, sizeof k->path.to);
	k->path.to_len = 0;
	if (!to->port)
		return true;
	if (memcmp(to->ip, mapped, sizeof mapped)) {
		a6->sin6_family = AF_INET6;
		a6->sin6_port = htons(to->port);
		memcpy(&a6->sin6_addr, to->ip, 16);
		k->path.to_len = sizeof *a6;
	} else {
		a4->sin_family = AF_INET;
		a4->sin_port = htons(to->port);
		memcpy(&a4->sin_addr, to->ip + 12, 4);
		k->path.to_len = sizeof *a4;
	}
	return true;
}

/* A host that was heard on one line is there, also for the others. */
static void look_at(struct udp_transport *t, struct udp_socket *k)
{
	const struct latch *own = &k->line->kept->latch;

	k->elsewhere = own->said.signaling.port && !latch_same_host(&own->said.signaling, &k->to);
	k->heard = rtp_ports_proven(t->ports) && latch_same_host(&own->said.signaling, &k->to);
	for (int i = RTP_LINE_AUDIO; i < RTP_LINES && !k->heard; i++)
		k->heard = t->line[i].said.used && latch_heard(&t->line[i].kept->latch, &k->to);
}

void udp_line_aim(struct udp_line *l)
{
	const struct latch *k = &l->kept->latch;
	struct latch_address rtp = latch_to(k), rtcp = latch_rtcp_to(k);
	bool sure = latch_heard(k, &rtp), other = aim(&l->rtp, &rtp);

	if (other)
		unheard_begin(&l->unheard);
	other = aim(&l->rtcp, &rtcp) || other;
	if (!other && sure == l->sure)
		return;
	l->sure = sure;
	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		look_at(l->t, &l->t->line[i].rtp);
		look_at(l->t, &l->t->line[i].rtcp);
	}
}

/* Of this machine, as far as it can be bound here. */
static bool is_ours(const struct latch_address *a) ON_THREAD(ROLE_NET)
{
	struct udp_socket k = { .to = { .port = 0 } };
	struct latch_address any = *a;
	bool own;
	int fd;

	any.port = 1; /* of aim(); what is bound is any */
	aim(&k, &any);
	fd = socket(k.path.to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (k.path.to.ss_family == AF_INET)
		((struct sockaddr_in *)(void *)&k.path.to)->sin_port = 0;
	else
		((struct sockaddr_in6 *)(void *)&k.path.to)->sin6_port = 0;
	own = !bind(fd, (const struct sockaddr *)&k.path.to, k.path.to_len);
	close(fd);
	return own;
}

/* A description may not have us send to all, nor to this machine's other programs, unless
 * it comes from this machine: then there is nobody to send to until something is heard. */
static void refuse_address(struct latch_address *a, bool from_here) ON_THREAD(ROLE_NET)
{
	enum latch_kind kind = latch_address_kind(a);

	if (a->port && (kind == LATCH_NOBODY ||
			(!from_here && (kind == LATCH_LOOPBACK || is_ours(a)))))
		memset(a, 0, sizeof *a);
}

static void describe(struct udp_line *l, const char *signaling, int64_t now_ns) ON_THREAD(ROLE_NET)
{
	struct latch_described d = { .mux = l->said.mux };
	struct latch_address local = { .port = 0 };
	bool from_here;

	latch_address_read(&d.rtp, l->said.address, l->said.port);
	latch_address_read(&d.rtcp, l->said.rtcp_address, l->said.rtcp_port);
	if (signaling && *signaling)
		latch_address_read(&d.signaling, signaling, 1);
	/* of a call out it is unknown, but the way there is not */
	if (!d.signaling.port)
		latch_address_read(&local, rtp_ports_address(l->t->ports), 1);
	from_here = d.signaling.port ? is_ours(&d.signaling) :
				       latch_address_kind(&local) == LATCH_LOOPBACK;
	refuse_address(&d.rtp, from_here);
	refuse_address(&d.rtcp, from_here);
	latch_describe(&l->kept->latch, &d, now_ns);
	udp_line_aim(l);
}

/* --- keys -------------------------------------------------------------------------- */

static bool same_keys(const struct srtp_keys *a, const struct srtp_keys *b)
{
	return a->profile == b->profile && !memcmp(a->key, b->key, sizeof a->key) &&
	       !memcmp(a->salt, b->salt, sizeof a->salt);
}

/* Of the suite; one that was in force before goes on where it was, for its keys are
 * the same (rtp_ports.h). */
static int set_out(struct udp_line *l)
{
	int err;

	l->out = NULL;
	for (int i = 0; i < RTP_SUITES; i++) {
		if (!l->made[i]) {
			err = srtp_out_new(&l->made[i], &l->said.ours);
			if (err)
				return err;
			l->made_for[i] = l->said.ours.profile;
		}
		if (l->made_for[i] == l->said.ours.profile) {
			l->out = l->made[i];
			return 0;
		}
	}
	return -EINVAL;
}

/* What came with the same keys, in an earlier leg perhaps, is not taken again. */
static int set_in(struct udp_line *l)
{
	struct rtp_kept *k = l->kept;
	struct srtp_in *in;
	int err;

	if (k->in && same_keys(&k->keys, &l->said.peer))
		return 0;
	err = srtp_in_new(&in, &l->said.peer, true);
	if (err)
		return err;
	srtp_in_free(&k->in);
	k->in = in;
	k->keys = l->said.peer;
	return 0;
}

/* --- agreements -------------------------------------------------------------------- */

/* What has waited since an earlier leg, or none, was there is too old to be of use. */
static void drain(int fd)
{
	uint8_t none;

	for (int i = 0; i < DRAIN_MOST && recv(fd, &none, 1, MSG_DONTWAIT) >= 0; i++)
		;
}

static int watch(struct udp_socket *k) ON_THREAD(ROLE_NET)
{
	int err;

	if (k->watch)
		return 0;
	drain(k->path.fd);
	err = net_fd_add(&k->watch, k->line->t->shard, k->path.fd, EPOLLIN, udp_readable, k);
	if (err)
		return err;
	net_fd_set_prefetch(k->watch, udp_prefetch_rx);
	if (!k->rtcp)
		net_fd_may_be_steady(k->watch);
	return net_fd_set_patient(k->watch, k->rtcp || !k->line->t->hurried);
}

static void close_socket(struct udp_socket *k) ON_THREAD(ROLE_NET)
{
	udp_post_send(shard_post(k->line->t->shard)); /* what goes by it */
	udp_end_rest(k);
	k->silence.payload_len = 0;
	udp_untie(k);
	if (k->watch)
		net_fd_remove(&k->watch);
}

static int set_line(struct udp_line *l, const struct rtp_udp_cfg *cfg, int64_t now_ns)
	ON_THREAD(ROLE_NET)
{
	int err = 0;

	l->said = cfg->line[l->id];
	l->ssrc = cfg->ssrc[l->id];
	l->rtx_ssrc = cfg->rtx_ssrc[l->id];
	l->out = NULL;
	if (!l->said.used) {
		close_socket(&l->rtp);
		close_socket(&l->rtcp);
		return 0;
	}
	l->rtp.path.fd = rtp_ports_fd(cfg->ports, l->id, false);
	l->rtcp.path.fd = rtp_ports_fd(cfg->ports, l->id, true);
	describe(l, cfg->signaling, now_ns);
	if (l->said.srtp)
		err = set_out(l);
	if (!err && l->said.srtp)
		err = set_in(l);
	if (!err)
		err = watch(&l->rtp);
	if (!err)
		err = watch(&l->rtcp);
	return err;
}

static void set_bit(uint8_t *bits, enum rtp_line line, bool on)
{
	*bits = (uint8_t)((*bits & ~(1u << line)) | (unsigned)on << line);
}

int transport_udp_set(struct transport *base, const struct rtp_udp_cfg *cfg)
{
	struct udp_transport *t = udp_self(base);
	int64_t now = clock_now_ns(&clock_monotonic);
	bool expects = false;
	int err = 0;

	role_assert_net();
	if (udp_gone(t))
		return 0;
	t->rx.max_kbps = cfg->max_rx_kbps;
	t->strangers.max_kbps = STRANGERS_KBPS;
	t->silence_ns = cfg->silence_s * NS_PER_S;
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES && !err; i++) {
		err = set_line(&t->line[i], cfg, now);
		set_bit(&t->in_use, i, cfg->line[i].used);
		set_bit(&t->keyed, i, t->line[i].out);
		expects = expects || (cfg->line[i].used && cfg->line[i].rx);
	}
	if (expects && !t->expects)
		t->since_ns = now;
	t->expects = expects;
	return err;
}

/* --- life -------------------------------------------------------------------------- */

void udp_check_silence(struct udp_transport *t, int64_t now)
{
	int64_t last = t->heard_ns > t->since_ns ? t->heard_ns : t->since_ns;
	int64_t most = t->silence_ns * (t->heard_ns ? 1 : FIRST_SILENCES);

	if (t->expects && t->silence_ns && now - last > most)
		udp_fail(t, TRANSPORT_CLOSED_SILENCE);
}

static void on_timer(void *obj, int64_t due_ns)
{
	struct udp_transport *t = obj;
	int64_t now = clock_now_ns(&clock_monotonic);

	(void)due_ns;
	role_assert_net();
	udp_check_silence(t, now);
	if (udp_gone(t))
		return;
	udp_check_rest(&t->line[RTP_LINE_AUDIO].rtp, now);
	udp_tie_lines(t, now);
}

static void destroy(struct udp_transport *t) ON_THREAD(ROLE_NET)
{
	timers_remove(&t->timer);
	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++)
		for (int k = 0; k < RTP_SUITES; k++)
			srtp_out_free(&t->line[i].made[k]);
	OPENSSL_cleanse(t->line, sizeof t->line);
	hot_free(t, sizeof *t);
	metric_add(&g_udp, -1);
}

static const char *profile_of(const struct udp_transport *t)
{
	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++)
		if (t->line[i].said.used && t->line[i].said.srtp)
			return srtp_profile_name(t->line[i].said.ours.profile);
	return "RTP/AVP";
}

static void open_lines(struct udp_transport *t) ON_THREAD(ROLE_NET)
{
	bool any = false;

	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		struct udp_line *l = &t->line[i];

		any = any || l->opens;
		l->missed = l->missed && !l->opens;
		l->opens = false;
	}
	if (any && t->ev->opened)
		t->ev->opened(t->obj);
}

static void on_work(void *obj)
{
	struct udp_transport *t = obj;

	role_assert_net();
	if (t->closing) {
		destroy(t);
		return;
	}
	if (t->dead)
		return;
	if (t->told) {
		open_lines(t);
		return;
	}
	t->told = true;
	/* with reads, so that it wakes nobody */
	net_timer_start(&t->timer,
			shard_patient_ns(t->shard, clock_now_ns(&clock_monotonic) + NS_PER_S),
			NS_PER_S);
	if (t->ev->connected)
		t->ev->connected(t->obj, profile_of(t));
}

/* There are none of these: the description says it all. */
static int udp_set_remote(struct transport *t, const struct transport_remote *r)
{
	(void)t;
	(void)r;
	return -ENOTSUP;
}

static int udp_add_candidate(struct transport *t, const char *candidate)
{
	(void)t;
	(void)candidate;
	return 0;
}

static void udp_hurry(struct transport *base, bool hurry)
{
	struct udp_transport *t = udp_self(base);

	role_assert_net();
	t->hurried = hurry;
	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++)
		if (t->line[i].rtp.watch)
			(void)net_fd_set_patient(t->line[i].rtp.watch, !hurry);
}

/* Of the sound: pictures hurry. */
static void udp_relax(struct transport *base, const struct transport_silence *s)
{
	struct udp_socket *k = &udp_self(base)->line[RTP_LINE_AUDIO].rtp;

	role_assert_net();
	k->usual = 0; /* of another number of reads */
	udp_end_rest(k);
	k->silence = s ? *s : (struct transport_silence){ 0 };
	if (k->watch)
		net_fd_relax(k->watch, s);
	udp_rest(k, clock_now_ns(&clock_monotonic));
}

static void udp_stats(const struct transport *base, struct transport_stats *out)
{
	role_assert_net();
	*out = ((const struct udp_transport *)base)->stats;
}

/* The sockets are another's from now on. */
static void udp_close(struct transport *base)
{
	struct udp_transport *t = udp_self(base);

	role_assert_net();
	t->closing = true;
	net_timer_stop(&t->timer);
	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		close_socket(&t->line[i].rtp);
		close_socket(&t->line[i].rtcp);
	}
	shard_work_post(t->shard, &t->work);
}

static const struct transport_ops udp_ops = {
	.set_remote = udp_set_remote,
	.add_candidate = udp_add_candidate,
	.send_rtp = udp_send_rtp,
	.send_rtcp = udp_send_rtcp,
	.prefetch = udp_prefetch,
	.hurry = udp_hurry,
	.relax = udp_relax,
	.stats = udp_stats,
	.close = udp_close,
};

int transport_udp_new(struct transport **out, struct net_shard *s, const struct rtp_udp_cfg *cfg,
		      const struct transport_events *ev, void *obj)
{
	struct udp_transport *t = hot_calloc(sizeof *t);
	int err;

	role_assert_net();
	assert(ev->closed && cfg->ports);
	if (!t)
		return -ENOMEM;
	t->base.ops = &udp_ops;
	t->shard = s;
	t->ev = ev;
	t->obj = obj;
	t->ports = cfg->ports;
	t->work = (struct shard_work){ .fn = on_work, .obj = t };
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		struct udp_line *l = &t->line[i];

		l->t = t;
		l->id = i;
		l->kept = rtp_ports_kept(cfg->ports, i);
		l->rtp.line = l->rtcp.line = l;
		l->rtcp.rtcp = true;
	}
	err = timers_add(shard_timers(s), &t->timer, on_timer, t);
	if (err) {
		hot_free(t, sizeof *t);
		return err;
	}
	metric_add(&g_udp, 1);
	err = transport_udp_set(&t->base, cfg);
	if (err) {
		udp_close(&t->base);
		return err;
	}
	shard_work_post(s, &t->work);
	*out = &t->base;
	return 0;
}
