/* ICE as a sequence of generations: the one in use, the one of a restart that is
 * under way, and the one before the last restart. */
#include "mcu/net/ice_transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/net/candidate.h"

/* Without any pair that works libnice reports failure, but a check of the peer
 * or a late candidate may still help. */
#define ICE_GRACE_NS (8 * NS_PER_S)
/* The peer changes over when it has an answer to a check of its own; what it
 * sent before that is still on its way. */
#define LINGER_NS (5 * NS_PER_S)

METRIC_COUNTER(m_restarts, "mcu_net_ice_restarts_total", "ICE restarts begun");
METRIC_COUNTER(m_moved, "mcu_net_ice_moved_total", "ICE restarts that led to a new pair");

/* A peer that sends no pictures sends nothing that could not wait a little. */
void ice_side_set_reader(struct ice_transport *t)
{
	int on = 1, fd = t->direct ? t->path.fd : -1;

	t->patient = t->state == ICE_CONNECTED && !(t->publishes && t->hurried);
	t->stamped = fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	ice_agent_set_reader(t->now->agent, fd, t->patient, ice_read, t);
}

void ice_hurry(struct transport *base, bool hurry)
{
	struct ice_transport *t = ice_self(base);

	role_assert_net();
	if (ice_gone(t) || t->hurried == hurry)
		return;
	t->hurried = hurry;
	if (t->state == ICE_CONNECTED)
		ice_side_set_reader(t);
}

struct ice_side *ice_side_newest(struct ice_transport *t)
{
	return t->coming ? t->coming : t->now;
}

/* An agent may not go while it calls us. */
static void doom(struct ice_transport *t, struct ice_side **side) ON_THREAD(ROLE_NET)
{
	struct ice_side *d = *side;

	*side = NULL;
	if (!d)
		return;
	d->next = t->doomed;
	t->doomed = d;
	ice_agent_set_reader(d->agent, -1, false, ice_read, t);
	shard_work_post(t->shard, &t->work);
}

static void side_free(struct ice_side **side) ON_THREAD(ROLE_NET)
{
	if (*side)
		ice_agent_free(&(*side)->agent);
	free(*side);
	*side = NULL;
}

static void free_doomed(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	while (t->doomed) {
		struct ice_side *d = t->doomed;

		t->doomed = d->next;
		side_free(&d);
	}
}

void ice_side_free_all(struct ice_transport *t)
{
	free_doomed(t);
	side_free(&t->leaving);
	side_free(&t->coming);
	side_free(&t->now);
}

/* ---- events of an agent ---- */

static void on_candidate(void *obj, const char *candidate)
{
	struct ice_side *side = obj;
	struct ice_transport *t = side->t;

	if (!ice_gone(t) && side == ice_side_newest(t) && t->ev->candidate)
		t->ev->candidate(t->obj, candidate);
}

static void take_path(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	t->direct = ice_agent_path(t->now->agent, &t->path);
	ice_side_set_reader(t);
}

/* The restart has come to its end: media moves over. */
static void move(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	int64_t now = clock_now_ns(&clock_monotonic);

	doom(t, &t->leaving);
	ice_agent_set_reader(t->now->agent, -1, false, ice_read, t);
	t->leaving = t->now;
	t->now = t->coming;
	t->coming = NULL;
	t->heard_ns = now; /* the check that selected it was authentic */
	net_timer_stop(&t->silence);
	net_timer_start(&t->linger, now + LINGER_NS, 0);
	metric_add(&m_moved, 1);
}

static void on_selected(void *obj)
{
	struct ice_side *side = obj;
	struct ice_transport *t = side->t;

	role_assert_net();
	if (ice_gone(t) || (side != t->now && side != t->coming))
		return;
	if (side == t->coming)
		move(t);
	take_path(t);
	if (t->state != ICE_GATHERING)
		return;
	net_timer_stop(&t->timer);
	t->state = ICE_SELECTED;
	ice_start_dtls(t);
}

/* libnice gives up 10 s after the last answer to its checks, of which it sends one
 * in five seconds: four seconds without a network can be too much, and it does not
 * come back. RFC 7675 wants 30 s. So from then on whatever is authentic shows that
 * the peer is there, as long as we can send without libnice; and a restart has
 * time to come. */
static void await_silence(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	int64_t end_ns = (t->direct ? t->heard_ns : t->lost_ns) + t->consent_ns;

	if (ice_gone(t))
		return;
	if (end_ns <= clock_now_ns(&clock_monotonic))
		ice_fail(t, TRANSPORT_CLOSED_CONSENT);
	else
		net_timer_start(&t->silence, end_ns, 0);
}

void ice_side_on_silence(void *obj, int64_t due_ns)
{
	(void)due_ns;
	role_assert_net();
	await_silence(obj);
}

void ice_side_on_linger(void *obj, int64_t due_ns)
{
	struct ice_transport *t = obj;

	(void)due_ns;
	role_assert_net();
	doom(t, &t->leaving);
}

static void on_failed(void *obj)
{
	struct ice_side *side = obj;
	struct ice_transport *t = side->t;

	role_assert_net();
	if (ice_gone(t) || side != t->now)
		return;
	if (t->state == ICE_CONNECTED) {
		t->lost_ns = t->heard_ns;
		await_silence(t);
	} else if (t->state == ICE_SELECTED && !t->coming) {
		ice_fail(t, TRANSPORT_CLOSED_CONSENT);
	} else if (t->state == ICE_GATHERING && !net_timer_running(&t->timer)) {
		net_timer_start(&t->timer, net_shard_now_ns(t->shard) + ICE_GRACE_NS, 0);
	}
}

static void on_input(void *obj, const uint8_t *p, size_t len)
{
	struct ice_side *side = obj;

	ice_input(side->t, p, len);
}

static const struct ice_agent_events agent_events = {
	.candidate = on_candidate,
	.selected = on_selected,
	.failed = on_failed,
	.input = on_input,
};

/* ---- calls ---- */

int ice_side_new(struct ice_side **out, struct ice_transport *t, const struct ice_cfg *cfg)
{
	struct ice_side *side = calloc(1, sizeof *side);
	int err;

	if (!side)
		return -ENOMEM;
	side->t = t;
	err = ice_agent_new(&side->agent, t->shard, cfg, &agent_events, side);
	if (err)
		free(side);
	else
		*out = side;
	return err;
}

int ice_side_set_remote(struct ice_transport *t, const char *ufrag, const char *pwd)
{
	struct ice_side *side = ice_side_newest(t);
	int err;

	if (side->have_remote)
		return strcmp(side->ufrag, ufrag) || strcmp(side->pwd, pwd) ? -EALREADY : 0;
	snprintf(side->ufrag, sizeof side->ufrag, "%s", ufrag);
	snprintf(side->pwd, sizeof side->pwd, "%s", pwd);
	err = ice_agent_set_remote(side->agent, ufrag, pwd);
	side->have_remote = !err;
	return err;
}

static bool is_for(const struct ice_side *side, const char *ufrag, size_t len)
{
	return side && side->have_remote && strlen(side->ufrag) == len &&
	       !memcmp(side->ufrag, ufrag, len);
}

int ice_side_add_candidate(struct ice_transport *t, const char *candidate)
{
	size_t len = 0;
	const char *ufrag = candidate ? candidate_ufrag(candidate, &len) : NULL;

	if (ufrag && t->coming && is_for(t->now, ufrag, len))
		return ice_agent_add_candidate(t->now->agent, candidate);
	if (ufrag && is_for(t->leaving, ufrag, len))
		return 0;
	return ice_agent_add_candidate(ice_side_newest(t)->agent, candidate);
}

static int gather(struct ice_side *side) ON_THREAD(ROLE_NET)
{
	if (!side || side->gathering)
		return 0;
	side->gathering = true;
	return ice_agent_gather(side->agent);
}

void ice_side_work(struct ice_transport *t)
{
	free_doomed(t);
	if (ice_gone(t))
		return;
	if (gather(t->now))
		ice_fail(t, TRANSPORT_CLOSED_ICE);
	else if (gather(t->coming))
		doom(t, &t->coming);
}

int transport_ice_restart(struct transport *base, const struct ice_cfg *cfg)
{
	struct ice_transport *t = ice_self(base);
	struct ice_side *side;
	int err;

	role_assert_net();
	if (ice_gone(t))
		return 0;
	err = ice_side_new(&side, t, cfg);
	if (err)
		return err;
	metric_add(&m_restarts, 1);
	if (t->state == ICE_NEW || t->state == ICE_GATHERING) {
		net_timer_stop(&t->timer);
		doom(t, &t->now);
		t->now = side;
	} else {
		doom(t, &t->coming);
		t->coming = side;
	}
	shard_work_post(t->shard, &t->work);
	return 0;
}
