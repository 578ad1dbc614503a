/* Two transports that talk to each other, for the tests of this folder: each on
 * a shard's thread, the test's thread waits for what they report. */
#ifndef TESTS_MCU_NET_PEER_H
#define TESTS_MCU_NET_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/base/mbox.h"
#include "mcu/net/ice.h"
#include "mcu/net/shard.h"

enum { WAIT_S = 30 };

/* What the threads tell the test; under the lock. */
struct peer {
	struct net_shard *shard;
	struct peer *other;
	struct ice_cfg cfg;
	struct transport_remote remote;
	struct transport *t; /* NET */
	bool answer_close;   /* close in the closed event */
	bool mute;	     /* pass no candidates on */
	char ufrag[ICE_UFRAG_BYTES], pwd[ICE_PWD_BYTES];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	unsigned candidates, mapped, rtp, rtcp, bad;
	bool gathered, connected, done;
	bool steady, lost; /* as looked at */
	uint16_t to_port;
	char profile[32], closed[16], last_candidate[512];
	struct transport_stats stats;
	int result;
	/* of the test's packets */
	struct out_pkt pkts[256];
	size_t n_pkts, sent;
};

static inline void peer_init(struct peer *p, struct net_shard *s, const struct dtls_identity *id)
{
	memset(p, 0, sizeof *p);
	p->shard = s;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	ice_credentials_new(p->ufrag, p->pwd);
	p->cfg = (struct ice_cfg){ .identity = id,
				   .local_ufrag = p->ufrag,
				   .local_pwd = p->pwd,
				   .publishes = true,
				   .loopback = true };
}

static inline void peer_pair(struct peer *a, struct peer *b)
{
	struct peer *p[2] = { a, b };

	a->other = b;
	b->other = a;
	a->cfg.controlling = true;
	for (int i = 0; i < 2; i++) {
		struct peer *o = p[1 - i];

		p[i]->remote = (struct transport_remote){
			.ufrag = o->ufrag,
			.pwd = o->pwd,
			.fingerprint = dtls_identity_fingerprint(o->cfg.identity),
			.setup = i == 0 ? TRANSPORT_ACTIVE : TRANSPORT_PASSIVE
		};
	}
}

static inline void peer_done(struct peer *p)
{
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
}

#define PEER_NOTE(p, statement)                                                                    \
	do {                                                                                       \
		pthread_mutex_lock(&(p)->lock);                                                    \
		statement;                                                                         \
		pthread_cond_broadcast(&(p)->changed);                                             \
		pthread_mutex_unlock(&(p)->lock);                                                  \
	} while (0)

/* Waits for a condition on p's fields; fails the test after WAIT_S. */
#define PEER_WAIT(p, condition)                                                                    \
	do {                                                                                       \
		struct timespec until_;                                                            \
		int late_ = 0;                                                                     \
		clock_gettime(CLOCK_REALTIME, &until_);                                            \
		until_.tv_sec += WAIT_S;                                                           \
		pthread_mutex_lock(&(p)->lock);                                                    \
		while (!(condition) && !late_)                                                     \
			late_ = pthread_cond_timedwait(&(p)->changed, &(p)->lock, &until_);        \
		pthread_mutex_unlock(&(p)->lock);                                                  \
		if (late_)                                                                         \
			fail_msg("waited %d s for %s (closed: %s)", WAIT_S, #condition,            \
				 (p)->closed);                                                     \
	} while (0)

/* A field as it is now. */
#define PEER_READ(p, field, out)                                                                   \
	do {                                                                                       \
		pthread_mutex_lock(&(p)->lock);                                                    \
		*(out) = (p)->field;                                                               \
		pthread_mutex_unlock(&(p)->lock);                                                  \
	} while (0)

static inline bool peer_is_closed(struct peer *p)
{
	bool closed;

	pthread_mutex_lock(&p->lock);
	closed = p->closed[0];
	pthread_mutex_unlock(&p->lock);
	return closed;
}

static inline void peer_post(struct peer *p, mbox_fn *fn, void *arg)
{
	while (mbox_post(net_shard_mbox(p->shard), fn, p, arg))
		sched_yield();
}

static inline void peer_take_candidate(void *obj, void *arg)
{
	struct peer *p = obj;
	char *text = arg;

	role_assert_net();
	if (p->t)
		transport_add_candidate(p->t, text);
	free(text);
}

static inline void peer_on_candidate(void *obj, const char *candidate)
{
	struct peer *p = obj;

	PEER_NOTE(p, {
		if (candidate) {
			p->candidates++;
			p->mapped += strstr(candidate, " typ srflx ") != NULL;
			snprintf(p->last_candidate, sizeof p->last_candidate, "%s", candidate);
		} else {
			p->gathered = true;
		}
	});
	if (p->other && !p->mute)
		peer_post(p->other, peer_take_candidate, candidate ? strdup(candidate) : NULL);
}

static inline void peer_on_connected(void *obj, const char *profile)
{
	struct peer *p = obj;

	PEER_NOTE(p, {
		p->connected = true;
		snprintf(p->profile, sizeof p->profile, "%s", profile);
	});
}

/* The test's payloads: octet k is seq + k. */
static inline void peer_on_rtp(void *obj, struct buf *b, int64_t arrival_ns)
{
	struct peer *p = obj;
	bool good = b->len > 12 && b->time_ns == arrival_ns;

	for (size_t k = 12; good && k < b->len; k++)
		good = b->data[k] == (uint8_t)(b->data[3] + k);
	buf_unref(&b);
	PEER_NOTE(p, {
		p->rtp++;
		p->bad += !good;
	});
}

static inline void peer_on_rtcp(void *obj, const uint8_t *data, size_t len, int64_t arrival_ns)
{
	struct peer *p = obj;
	bool good = len == 8 && data[1] == 201 && arrival_ns > 0;

	PEER_NOTE(p, {
		p->rtcp++;
		p->bad += !good;
	});
}

static inline void peer_on_closed(void *obj, const char *reason)
{
	struct peer *p = obj;

	role_assert_net();
	if (p->answer_close)
		transport_close(&p->t);
	PEER_NOTE(p, snprintf(p->closed, sizeof p->closed, "%s", reason));
}

static const struct transport_events peer_events = {
	.candidate = peer_on_candidate,
	.connected = peer_on_connected,
	.rtp = peer_on_rtp,
	.rtcp = peer_on_rtcp,
	.closed = peer_on_closed,
};

static inline void peer_do_open(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	p->result = transport_ice_new(&p->t, p->shard, &p->cfg, &peer_events, p);
}

static inline void peer_do_remote(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	p->result = p->t ? transport_set_remote(p->t, &p->remote) : -1;
}

/* New credentials for a pair; each then restarts with peer_do_restart. */
static inline void peer_renew(struct peer *a, struct peer *b)
{
	ice_credentials_new(a->ufrag, a->pwd);
	ice_credentials_new(b->ufrag, b->pwd);
}

static inline void peer_do_restart(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	p->result = p->t ? transport_ice_restart(p->t, &p->cfg) : 0;
	if (!p->result && p->t)
		p->result = transport_set_remote(p->t, &p->remote);
}

static inline void peer_do_close(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	transport_close(&p->t);
}

static inline void peer_do_send(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	p->sent = transport_send_rtp(p->t, p->pkts, p->n_pkts);
}

static inline void peer_do_rtcp(void *obj, void *arg)
{
	static const uint8_t rr[8] = { 0x80, 201, 0, 1, 1, 2, 3, 4 };
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	p->result = transport_send_rtcp(p->t, rr, sizeof rr);
}

static inline void peer_do_stats(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	transport_get_stats(p->t, &p->stats);
}

static inline void peer_mark(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	PEER_NOTE(p, p->done = true);
}

/* Runs fn on the peer's thread and waits for it (and all posted before). */
static inline void peer_call(struct peer *p, mbox_fn *fn)
{
	peer_post(p, fn, NULL);
	peer_post(p, peer_mark, NULL);
	PEER_WAIT(p, p->done);
	p->done = false;
}

/* n packets with payloads of len octets (the last: last_len), from seq on. */
static inline void peer_packets(struct peer *p, uint16_t seq, size_t n, uint16_t len,
				uint16_t last_len)
{
	static uint8_t hdr[256][12], payload[256][1500];

	assert_true(n <= 256);
	for (size_t i = 0; i < n; i++, seq++) {
		uint8_t h[12] = { 0x80, 96, (uint8_t)(seq >> 8), (uint8_t)seq, 0, 0, 0, 9, 0, 0,
				  0,	42 };

		memcpy(hdr[i], h, sizeof h);
		for (int k = 0; k < 1500; k++)
			payload[i][k] = (uint8_t)((uint8_t)seq + k + 12);
		p->pkts[i] = (struct out_pkt){ .hdr = hdr[i],
					       .hdr_len = 12,
					       .payload = payload[i],
					       .payload_len = i + 1 < n ? len : last_len };
	}
	p->n_pkts = n;
}

static inline size_t open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

#endif
