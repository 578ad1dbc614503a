#include "mcu/room/leg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mcu/net/rtp_ports.h"
#include "mcu/net/transport.h"
#include "mcu/room/room_priv.h"

/* So many ICE restarts in a row, and one more after each while. */
enum { RESTARTS = 5 };
#define RESTART_NS (3 * NS_PER_S)

static uint32_t next_leg_id = 1;

static void net_candidate(void *obj, char *candidate)
{
	struct leg *l = obj;

	role_assert_ctl();
	if (!l->gone)
		l->ev->candidate(l->obj, candidate);
	free(candidate);
}

static void net_connected(void *obj)
{
	struct leg *l = obj;

	role_assert_ctl();
	if (l->gone || l->connected)
		return;
	l->connected = true;
	log_info(&l->log, "media connected");
	room_encode_demand_of(l);
	l->ev->connected(l->obj);
}

static void net_lost(void *obj, char *reason)
{
	struct leg *l = obj;
	const struct leg_watcher *ev = l->ev;
	void *ev_obj = l->obj;
	const char *why = !strcmp(reason, TRANSPORT_CLOSED_FLOOD)   ? TRANSPORT_CLOSED_FLOOD :
			  !strcmp(reason, TRANSPORT_CLOSED_SILENCE) ? TRANSPORT_CLOSED_SILENCE :
								      "lost";

	role_assert_ctl();
	if (!l->gone) {
		log_info(&l->log, "media lost: %s", reason);
		leg_leave(l, "lost");
		ev->ended(ev_obj, why);
	}
	free(reason);
}

static void net_closed(void *obj)
{
	struct leg *l = obj;

	role_assert_ctl();
	l->net_closed = true;
	room_reap(l->room);
}

static void net_data_open(void *obj, bool open)
{
	struct leg *l = obj;

	role_assert_ctl();
	if (!l->gone && l->ev->data_open)
		l->ev->data_open(l->obj, open);
}

static void net_data(void *obj, struct buf *b)
{
	struct leg *l = obj;

	role_assert_ctl();
	if (!l->gone && l->ev->data)
		l->ev->data(l->obj, b->tag, b->data, b->len);
	buf_unref(&b);
}

/* Many may change within a turn of the loop, of whom each moves all. */
ON_THREAD(ROLE_CTL) static void demand_soon(struct leg *l)
{
	if (leg_may_be_seated(l))
		room_touch(l->room);
	else
		room_encode_demand_of(l);
}

static void net_digit(void *obj, char digit)
{
	struct leg *l = obj;

	role_assert_ctl();
	if (!l->gone && l->ev->digit)
		l->ev->digit(l->obj, digit, DIGIT_EVENT);
}

static void net_watching(void *obj, uint32_t encode_id)
{
	struct leg *l = obj;

	role_assert_ctl();
	if (l->gone || !l->watching || (!l->held && encode_id == l->watching))
		return;
	l->held = encode_id == l->watching ? 0 : encode_id;
	demand_soon(l);
}

static void net_carries(void *obj, unsigned rung)
{
	struct leg *l = obj;

	role_assert_ctl();
	if (l->gone || rung == l->carries)
		return;
	log_debug(&l->log, "its connection carries rung %u", rung);
	l->carries = rung;
	demand_soon(l);
}

static void net_content(void *obj, bool comes)
{
	struct leg *l = obj;

	role_assert_ctl();
	if (!l->gone)
		leg_content_comes(l, comes);
}

static void net_wants_picture(void *obj)
{
	struct leg *l = obj;

	role_assert_ctl();
	if (!l->gone && l->ev->wants_picture)
		l->ev->wants_picture(l->obj);
}

void leg_want_picture(struct leg *l)
{
	leg_net_want_picture(l->net);
}

static const struct leg_net_events net_events = {
	.wants_picture = net_wants_picture,
	.carries = net_carries,
	.watching = net_watching,
	.data_open = net_data_open,
	.data = net_data,
	.digit = net_digit,
	.content = net_content,
	.candidate = net_candidate,
	.connected = net_connected,
	.lost = net_lost,
	.closed = net_closed,
};

/* ICE credentials: RFC 8445 section 5.3 wants 24 and 128 bits of randomness. */
static int random_text(char *out, size_t chars)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t raw[64];

	if (getrandom(raw, chars, 0) != (ssize_t)chars)
		return -EIO;
	for (size_t i = 0; i < chars; i++)
		out[i] = set[raw[i] & 63];
	out[chars] = 0;
	return 0;
}

static int make_ice(struct leg_ice *i)
{
	return random_text(i->ufrag, sizeof i->ufrag - 1) || random_text(i->pwd, sizeof i->pwd - 1)
		       ? -EIO
		       : 0;
}

static int make_identity(struct leg *l)
{
	uint32_t ssrc[4];

	if (make_ice(&l->ice) || random_text(l->cname, 16))
		return -EIO;
	if (getrandom(ssrc, sizeof ssrc, 0) != sizeof ssrc)
		return -EIO;
	/* different by their last bits, and none is 0 */
	l->audio_ssrc = (ssrc[0] & ~3u) | 1;
	l->video_ssrc = (ssrc[1] & ~3u) | 2;
	l->video_rtx_ssrc = (ssrc[2] & ~3u) | 3;
	l->content_ssrc = (ssrc[3] & ~3u) | 4;
	return 0;
}

static void tone_heard(void *obj, void *arg)
{
	struct leg *l = obj;

	role_assert_ctl();
	if (!l->gone && l->ev->digit)
		l->ev->digit(l->obj, (char)(uintptr_t)arg, DIGIT_TONE);
}

ON_THREAD(ROLE_CTL) static int make_media(struct leg *l, const struct engine *e)
{
	struct leg_net_cfg cfg = {
		.engine = e, .leg_id = l->id, .room_id = l->room->id,
		.room_channels = l->room->channels,
		.shard = (l->ports ? rtp_ports_shard(l->ports) : l->id) % (unsigned)e->n_shards,
		.ports = l->ports, .ev = &net_events, .obj = l,
	};
	struct beat beat = beat_of_room(l->room->id, e->cfg.fps);
	int err = audio_leg_new(&l->audio, e, l->room->channels);

	if (err)
		return err;
	for (int i = 0; i < LEG_SOURCES && !err; i++)
		err = video_leg_new(&l->source[i].video, e, &beat, l->source[i].id);
	if (err)
		return err;
	for (int i = 0; i < LEG_SOURCES; i++)
		video_leg_charge(l->source[i].video, l->room->work_in);
	cfg.audio = l->audio;
	cfg.video = l->source[LEG_CAMERA].video;
	cfg.content = l->source[LEG_CONTENT].video;
	err = leg_net_new(&l->net, &cfg);
	audio_leg_set_digit(l->audio, tone_heard, l);
	if (!err)
		audio_leg_set_lipsync(l->audio, leg_net_lipsync(l->net));
	return err;
}

void leg_discard(struct leg **at)
{
	struct leg *l = *at;

	leg_net_free(&l->net);
	for (int i = 0; i < LEG_SOURCES; i++)
		video_leg_discard(&l->source[i].video);
	audio_leg_free(&l->audio);
	rtp_ports_unref(&l->ports);
	free(l);
	*at = NULL;
}

int leg_new(struct leg **out, struct room *r, const char *name, struct rtp_ports *ports,
	    const struct leg_watcher *ev, void *obj)
{
	struct leg *l = calloc(1, sizeof *l);
	int err;

	if (!l)
		return -ENOMEM;
	l->room = r;
	l->id = next_leg_id++;
	l->ports = ports ? rtp_ports_ref(ports) : NULL;
	for (int i = 0; i < LEG_SOURCES; i++)
		l->source[i].id = source_id(l->id, i != LEG_CAMERA);
	l->sound.gain = r->engine->cfg.auto_gain;
	l->sound.noise = r->engine->cfg.noise_suppression;
	l->ev = ev;
	l->obj = obj;
	snprintf(l->name, sizeof l->name, "%s", name);
	snprintf(l->label, sizeof l->label, "%u", l->id);
	l->log = (struct log_ctx){ .room = r->name, .leg = l->label };
	err = make_identity(l);
	if (!err)
		err = make_media(l, r->engine);
	if (err)
		leg_discard(&l);
	else
		*out = l;
	return err;
}

int leg_set_local(struct leg *l, const struct local_source *s)
{
	int err = audio_leg_set_local(l->audio, &l->source_ops);

	if (err)
		return err;
	l->source_ops = *s;
	l->local = true;
	for (int i = 0; i < LEG_SOURCES; i++)
		video_leg_set_local(l->source[i].video, &l->source_ops);
	return 0;
}

static void video_closed(void *obj, void *arg)
{
	struct leg *l = obj;

	(void)arg;
	role_assert_ctl();
	l->videos_open--;
	room_reap(l->room);
}

bool leg_try_free(struct leg *l)
{
	if (!l->net_closed || !room_acked(l->room, l->gone_seq))
		return false;
	if (!l->video_closing) {
		l->video_closing = true;
		l->videos_open = LEG_SOURCES;
		for (int i = 0; i < LEG_SOURCES; i++)
			video_leg_close(l->source[i].video, video_closed, l);
	}
	if (l->videos_open)
		return false;
	leg_net_free(&l->net);
	for (int i = 0; i < LEG_SOURCES; i++)
		video_leg_free(&l->source[i].video);
	audio_leg_free(&l->audio);
	rtp_ports_unref(&l->ports);
	if (l->local)
		l->source_ops.ops->released(l->source_ops.obj);
	free(l);
	return true;
}

void leg_leave(struct leg *l, const char *reason)
{
	struct room *r = l->room;
	struct leg **at = &r->legs;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (!l->next)
		r->legs_end = at;
	r->n_legs--;
	l->gone = true;
	l->connected = false;
	l->next = r->leaving;
	r->leaving = l;
	l->gone_seq = room_next_seq(r);
	log_info(&l->log, "%s left: %s", l->name, reason);
	leg_untap(l);
	leg_unrecord(l);
	leg_net_close(l->net);
	for (int i = 0; i < LEG_SOURCES; i++)
		video_leg_set_wanted(l->source[i].video, false);
	room_view_left(r, l->id);
	room_encode_demand_of(l);
	l->picture = NULL;
	r->ev->left(r->obj, r, l->id, reason);
	if (!r->n_legs && !r->closing)
		r->ev->emptied(r->obj, r);
}

/* A leg that sends nothing is a viewer and has no tile. */
bool leg_shown(const struct leg *l)
{
	return l->connected && leg_may_be_seated(l);
}

/* A DTLS association has one peer, and new credentials of the peer need new ones
 * of ours (RFC 8839 section 4.4.1.1.1). */
static bool same_peer(const struct leg *l, const struct leg_media *m)
{
	if (l->media.udp || m->udp)
		return l->media.udp == m->udp; /* its packets are another matter */
	if (!l->media.remote_ufrag[0])
		return true; /* none was known */
	return !strcasecmp(l->media.remote_fingerprint, m->remote_fingerprint) &&
	       (l->restarting || (!strcmp(l->media.remote_ufrag, m->remote_ufrag) &&
				  !strcmp(l->media.remote_pwd, m->remote_pwd)));
}

/* Each takes sockets, and perhaps places at a relay. */
int leg_restart_ice(struct leg *l)
{
	int64_t now = clock_now_ns(l->room->engine->clock), from = l->restarts_ns;
	int err = make_ice(&l->new_ice);

	if (from < now)
		from = now;
	if (from + RESTART_NS - now > RESTARTS * RESTART_NS)
		err = -EBUSY;
	if (err)
		return err;
	l->restarts_ns = from + RESTART_NS;
	l->restarting = true;
	return 0;
}

void leg_keep_ice(struct leg *l)
{
	l->restarting = false;
}

/* Who sends no sound needs none; what has been used once stays, for the audio worker
 * may be in it. */
ON_THREAD(ROLE_CTL) static int make_voice(struct leg *l, struct route_sound *s, bool sends)
{
	if (sends && (s->gain || s->noise) && !s->voice)
		s->voice = audio_leg_voice(l->audio);
	return sends && (s->gain || s->noise) && !s->voice ? -ENOMEM : 0;
}

/* A telephone that can send no events may send tones. */
ON_THREAD(ROLE_CTL) static int listen_for_digits(struct leg *l, const struct leg_media *m)
{
	l->tones = NULL;
	if (!m->udp || !m->audio.rx || m->audio.rx_dtmf_pt)
		return 0;
	l->tones = audio_leg_tones(l->audio);
	return l->tones ? 0 : -ENOMEM;
}

int leg_set_media(struct leg *l, const struct leg_media *m)
{
	struct leg_media media = *m;
	bool sent = l->media.content.rx && !l->media.content.tx;
	bool seated = leg_may_be_seated(l) || l->media.content.tx;
	int err;

	if (l->configured && !same_peer(l, m))
		return -EPROTO;
	media.local = l->restarting ? l->new_ice : l->ice;
	err = m->audio.rx ? audio_leg_receive(l->audio) : 0;
	if (!err)
		err = make_voice(l, &l->sound, m->audio.rx);
	if (!err)
		err = listen_for_digits(l, m);
	if (!err)
		err = leg_net_configure(l->net, &media);
	if (err)
		return err;
	l->ice = media.local;
	l->restarting = false;
	l->media = media;
	l->configured = true;
	leg_content_agreed(l, sent);
	if (seated) /* before: now it may be a viewer */
		room_encode_demand(l->room);
	else
		room_encode_demand_of(l);
	l->room->ev->changed(l->room->obj, l->room, l);
	return 0;
}

void leg_set_local_media(struct leg *l, const struct leg_local_media *m)
{
	bool sent = l->media.content.rx;

	l->media.audio.rx = m->audio;
	l->media.video.rx = m->video && !m->content;
	l->media.content.rx = m->video && m->content;
	l->configured = l->connected = true;
	leg_content_agreed(l, sent);
	room_encode_demand(l->room);
	room_touch(l->room);
	l->room->ev->changed(l->room->obj, l->room, l);
}

int leg_add_candidate(struct leg *l, const char *candidate)
{
	return leg_net_add_candidate(l->net, candidate);
}

void leg_mute(struct leg *l, int audio, int video)
{
	if (audio >= 0)
		l->audio_muted = audio;
	if (video >= 0)
		l->video_muted = video;
	leg_record_look(l);
	room_touch(l->room);
	l->room->ev->changed(l->room->obj, l->room, l);
}

int leg_set_volume(struct leg *l, float db)
{
	if (!(db >= LEG_VOLUME_MIN_DB && db <= LEG_VOLUME_MAX_DB))
		return -EINVAL;
	if (l->sound.volume_db == db)
		return 0;
	l->sound.volume_db = db;
	room_touch(l->room);
	l->room->ev->changed(l->room->obj, l->room, l);
	return 0;
}

int leg_set_sound(struct leg *l, int gain, int noise)
{
	struct route_sound s = l->sound;
	int err;

	if (gain >= 0)
		s.gain = gain;
	if (noise >= 0)
		s.noise = noise;
	if (s.gain == l->sound.gain && s.noise == l->sound.noise)
		return 0;
	err = make_voice(l, &s, l->media.audio.rx);
	if (err)
		return err;
	l->sound = s;
	room_touch(l->room);
	l->room->ev->changed(l->room->obj, l->room, l);
	return 0;
}

void leg_set_name(struct leg *l, const char *name)
{
	memset(l->name, 0, sizeof l->name);
	snprintf(l->name, sizeof l->name, "%s", name);
	room_touch(l->room);
}

void leg_set_host(struct leg *l, bool host)
{
	if (l->host == host)
		return;
	l->host = host;
	room_touch(l->room);
}

void leg_send_data(struct leg *l, struct buf *b)
{
	leg_net_send_data(l->net, b);
}

uint32_t leg_id(const struct leg *l)
{
	return l->id;
}

struct room *leg_room(const struct leg *l)
{
	return l->room;
}

void leg_get_info(const struct leg *l, struct leg_info *i)
{
	unsigned rung;

	*i = (struct leg_info){
		.id = l->id, .name = l->name,
		.audio_muted = l->audio_muted, .video_muted = l->video_muted,
		.sends_audio = l->media.audio.rx, .sends_video = l->media.video.rx,
		.connected = l->connected, .tile = l->source[LEG_CAMERA].tile,
		.tile_z = l->source[LEG_CAMERA].z,
		.switching = l->held,
		.view = l->picture && l->picture->of ? l->picture->of->name : VIEW_MAIN,
		.shown_w = l->source[LEG_CAMERA].w, .shown_h = l->source[LEG_CAMERA].h,
		.sends_content = l->media.content.rx,
		.content_w = l->source[LEG_CONTENT].w, .content_h = l->source[LEG_CONTENT].h,
		.presents = l->presents[LEG_CAMERA] || l->presents[LEG_CONTENT],
		.content_held = l->content_held,
		.volume_db = l->sound.volume_db, .auto_gain = l->sound.gain,
		.noise_suppression = l->sound.noise,
	};
	if (l->watching && room_encode_rung(l->room, l->held ? l->held : l->watching, &rung))
		i->view_height = (unsigned)ladder_rung(&l->room->engine->cfg, rung).height;
}

void leg_get_local(const struct leg *l, struct leg_local *out)
{
	const struct leg_ice *ice = l->restarting ? &l->new_ice : &l->ice;

	*out = (struct leg_local){
		.ufrag = ice->ufrag, .pwd = ice->pwd, .cname = l->cname,
		.audio_ssrc = l->audio_ssrc, .video_ssrc = l->video_ssrc,
		.video_rtx_ssrc = l->video_rtx_ssrc, .content_ssrc = l->content_ssrc,
		.ports = l->ports,
	};
}

void leg_get_stats(const struct leg *l, struct leg_net_stats *s)
{
	leg_net_get_stats(l->net, s);
}

void leg_limit_uplink(struct leg *l, uint32_t kbps)
{
	leg_net_limit_uplink(l->net, kbps);
}
