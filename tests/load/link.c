#include "tests/load/link.h"

#include <stdlib.h>

#include "tests/load/dtls.h"
#include "tests/load/sec.h"
#include "tests/load/util.h"

enum { UFRAG = 8, PWD = 24 };

struct link {
	struct link_cfg cfg;
	struct ice *ice;
	struct dtls *dtls;
	struct sec *sec;
	char ufrag[UFRAG + 1], pwd[PWD + 1], fingerprint[128];
	bool dtls_client, selected, up, down;
	struct link_stats stats;
};

static void on_dtls_send(void *obj, const uint8_t *p, size_t len)
{
	struct link *l = obj;

	ice_send(l->ice, p, len);
}

static void end_with(struct link *l, const char *why)
{
	if (l->down)
		return;
	l->down = true;
	l->cfg.events->down(l->cfg.obj, why);
}

static void dtls_feed(struct link *l, const uint8_t *p, size_t len)
{
	struct sec_master tx, rx;

	switch (dtls_step(l->dtls, p, len)) {
	case DTLS_UP:
		if (l->up)
			return;
		l->up = true;
		l->stats.profile = dtls_keys(l->dtls, &tx, &rx);
		l->sec = sec_new(l->cfg.sec, l->stats.profile, &tx, &rx);
		l->cfg.events->up(l->cfg.obj);
		return;
	case DTLS_FAILED: end_with(l, dtls_error(l->dtls)); return;
	case DTLS_CLOSED: end_with(l, "closed by the server"); return;
	case DTLS_HANDSHAKE: return;
	}
}

static void on_candidate(void *obj, const char *sdp)
{
	struct link *l = obj;

	l->cfg.events->candidate(l->cfg.obj, sdp);
}

static void on_selected(void *obj)
{
	struct link *l = obj;

	l->selected = true;
	if (l->dtls_client)
		dtls_feed(l, NULL, 0);
}

static void on_failed(void *obj, const char *why)
{
	end_with(obj, why);
}

static void on_media(struct link *l, uint8_t *p, size_t len, int64_t arrival_ns)
{
	bool rtcp = len > 1 && p[1] >= 192 && p[1] <= 223; /* RFC 5761 section 4 */
	size_t n;

	if (!l->sec)
		return;
	if (!rtcp && l->cfg.drop_permille && bot_random_below(1000) < l->cfg.drop_permille) {
		l->stats.dropped++;
		return;
	}
	n = rtcp ? sec_open_rtcp(l->sec, p, len) : sec_open_rtp(l->sec, p, len);
	if (!n && l->sec->replayed)
		l->stats.replayed++;
	else if (!n)
		l->stats.auth_fail++;
	else if (rtcp)
		l->cfg.events->rtcp(l->cfg.obj, p, n, arrival_ns);
	else
		l->cfg.events->rtp(l->cfg.obj, p, n, arrival_ns);
}

/* RFC 7983. */
static void on_packet(void *obj, uint8_t *p, size_t len, int64_t arrival_ns)
{
	struct link *l = obj;

	if (l->down)
		return;
	if (p[0] >= 20 && p[0] <= 63 && l->dtls)
		dtls_feed(l, p, len);
	else if (p[0] >= 128 && p[0] <= 191)
		on_media(l, p, len, arrival_ns);
	else
		l->stats.not_media++;
}

static const struct ice_events ICE_EVENTS = {
	.candidate = on_candidate,
	.selected = on_selected,
	.failed = on_failed,
	.packet = on_packet,
};

struct link *link_new(const struct link_cfg *cfg)
{
	struct link *l = bot_alloc(sizeof *l);

	l->cfg = *cfg;
	bot_random_text(l->ufrag, UFRAG);
	bot_random_text(l->pwd, PWD);
	l->ice = ice_new(&(struct ice_cfg){ .kind = cfg->ice,
					    .ufrag = l->ufrag,
					    .pwd = l->pwd,
					    .controlling = cfg->controlling,
					    .stamps = cfg->stamps,
					    .events = &ICE_EVENTS,
					    .obj = l });
	return l;
}

void link_free(struct link **l)
{
	if (!*l)
		return;
	dtls_free(&(*l)->dtls);
	sec_free(&(*l)->sec);
	ice_free(&(*l)->ice);
	free(*l);
	*l = NULL;
}

const char *link_ufrag(const struct link *l)
{
	return l->ufrag;
}

const char *link_pwd(const struct link *l)
{
	return l->pwd;
}

void link_start(struct link *l)
{
	ice_start(l->ice);
}

void link_set_remote(struct link *l, const char *ufrag, const char *pwd, const char *fingerprint,
		     bool dtls_client)
{
	if (l->dtls)
		return;
	l->dtls_client = dtls_client;
	l->dtls = dtls_new(dtls_client, l->cfg.only, on_dtls_send, l);
	dtls_expect(l->dtls, fingerprint);
	ice_set_remote(l->ice, ufrag, pwd);
}

void link_add_candidate(struct link *l, const char *sdp)
{
	ice_add_candidate(l->ice, sdp);
}

void link_sweep(struct link *l, int64_t now_ns)
{
	ice_sweep(l->ice, now_ns);
	if (l->selected && !l->up && !l->down)
		dtls_feed(l, NULL, 0);
}

bool link_send_rtp(struct link *l, uint8_t *p, size_t len)
{
	size_t n = l->sec && !l->down ? sec_protect_rtp(l->sec, p, len) : 0;

	return n && ice_send(l->ice, p, n);
}

bool link_send_rtcp(struct link *l, uint8_t *p, size_t len)
{
	size_t n = l->sec && !l->down ? sec_protect_rtcp(l->sec, p, len) : 0;

	return n && ice_send(l->ice, p, n);
}

bool link_send_raw(struct link *l, const uint8_t *p, size_t len)
{
	return !l->down && ice_send(l->ice, p, len);
}

void link_close(struct link *l)
{
	if (l->dtls)
		dtls_close(l->dtls);
	l->down = true;
}

void link_mute(struct link *l)
{
	ice_mute(l->ice);
}

const struct link_stats *link_stats(const struct link *l)
{
	return &l->stats;
}
