#include "signaling/negotiate.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signaling/neg_internal.h"
#include "signaling/sdp_text.h"

const char *const neg_ext_uri[NEG_N_EXTS] = {
	[NEG_EXT_MID] = "urn:ietf:params:rtp-hdrext:sdes:mid",
	[NEG_EXT_AUDIO_LEVEL] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
	[NEG_EXT_ABS_SEND_TIME] = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
	[NEG_EXT_TWCC] =
		"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
	[NEG_EXT_VIDEO_ORIENTATION] = "urn:3gpp:video-orientation",
	[NEG_EXT_RID] = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
	[NEG_EXT_REPAIRED_RID] = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
};

static int bad(struct errmsg *why, const struct sdp_media *m, const char *what)
{
	return errmsg_set(why, -EINVAL, "bad_sdp",
			  "The session description is wrong in the m=%s section of line %u: %s.",
			  m->kind, m->line, what);
}

/* RFC 4796: "a=content:slides", or one of a list with commas. */
static bool is_slides(const struct sdp_media *m)
{
	const struct sdp_attr *a = sdp_attr_find(&m->attrs, "content");
	for (const char *p = a && a->value ? a->value : ""; *p;) {
		size_t n = strcspn(p, ", ");
		if (n == 6 && !strncasecmp(p, "slides", n))
			return true;
		p += n + strspn(p + n, ", ");
	}
	return false;
}

enum neg_role neg_role_of(const struct sdp_media *m)
{
	if (!strcmp(m->kind, "audio"))
		return NEG_ROLE_AUDIO;
	if (!strcmp(m->kind, "application"))
		return NEG_ROLE_APPLICATION;
	if (strcmp(m->kind, "video"))
		return NEG_ROLE_NONE;
	return is_slides(m) ? NEG_ROLE_CONTENT : NEG_ROLE_CAMERA;
}

enum neg_dir neg_remote_dir(const struct sdp *s, const struct sdp_media *m)
{
	static const char *const names[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
	for (int i = 0; i < 4; i++)
		if (sdp_attr_find(&m->attrs, names[i]))
			return (enum neg_dir)i;
	for (int i = 0; i < 4; i++)
		if (sdp_attr_find(&s->attrs, names[i]))
			return (enum neg_dir)i;
	return NEG_SENDRECV;
}

const char *neg_dir_name(enum neg_dir dir)
{
	static const char *const names[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
	return names[(unsigned)dir & 3];
}

const char *neg_role_name(enum neg_role role)
{
	static const char *const names[] = { "none", "audio", "camera", "content", "application" };
	return (unsigned)role < NEG_N_ROLES ? names[role] : "none";
}

/* --- streams ---------------------------------------------------------------- */

/* Whether the ssrc is the second or a later one of a FID or FEC group (RFC 5576,
 * 5956): a repair stream, not media. */
static bool ssrc_repairs(const struct sdp_media *m, const char *ssrc)
{
	for (size_t i = 0; i < m->attrs.n; i++) {
		const char *v = m->attrs.v[i].value;
		char word[16];
		if (!v || strcmp(m->attrs.v[i].name, "ssrc-group"))
			continue;
		if (!sdp_copy_word(&v, word, sizeof(word)) ||
		    (strcmp(word, "FID") && strncmp(word, "FEC", 3)))
			continue;
		if (!sdp_copy_word(&v, word, sizeof(word)))
			continue;
		while (sdp_copy_word(&v, word, sizeof(word)))
			if (!strcmp(word, ssrc))
				return true;
	}
	return false;
}

static void add_ssrc(struct neg_media *out, uint32_t ssrc)
{
	for (size_t i = 0; i < out->n_remote_ssrcs; i++)
		if (out->remote_ssrc[i] == ssrc)
			return;
	if (out->n_remote_ssrcs < NEG_MAX_SSRCS)
		out->remote_ssrc[out->n_remote_ssrcs++] = ssrc;
}

static void read_ssrcs(struct neg_media *out, const struct sdp_media *m)
{
	for (size_t i = 0; i < m->attrs.n; i++) {
		const char *v = m->attrs.v[i].value;
		char word[16];
		uint64_t ssrc;
		if (!v || strcmp(m->attrs.v[i].name, "ssrc"))
			continue;
		if (!sdp_copy_word(&v, word, sizeof(word)) || !sdp_u64(word, UINT32_MAX, &ssrc))
			continue;
		v += strspn(v, " ");
		if (!strncmp(v, "cname:", 6) && !out->remote_cname[0])
			snprintf(out->remote_cname, sizeof(out->remote_cname), "%s", v + 6);
		if ((out->n_remote_ssrcs < NEG_MAX_SSRCS) && !ssrc_repairs(m, word))
			add_ssrc(out, (uint32_t)ssrc);
	}
}

/* The second of a=ssrc-group:FID whose first is ssrc; 0: none. */
static uint32_t rtx_ssrc_of(const struct sdp_media *m, uint32_t ssrc)
{
	for (size_t i = 0; i < m->attrs.n; i++) {
		const char *v = m->attrs.v[i].value;
		char word[16];
		uint64_t first, second;
		if (v && !strcmp(m->attrs.v[i].name, "ssrc-group") &&
		    sdp_copy_word(&v, word, sizeof(word)) && !strcmp(word, "FID") &&
		    sdp_copy_word(&v, word, sizeof(word)) && sdp_u64(word, UINT32_MAX, &first) &&
		    first == ssrc && sdp_copy_word(&v, word, sizeof(word)) &&
		    sdp_u64(word, UINT32_MAX, &second))
			return (uint32_t)second;
	}
	return 0;
}

static void read_streams(struct neg_media *out, const struct sdp_media *m)
{
	uint32_t first = neg_simulcast_ssrc(m);

	read_ssrcs(out, m);
	if (first) { /* all that is taken of several layers */
		out->remote_ssrc[0] = first;
		out->n_remote_ssrcs = 1;
	}
	if (out->n_remote_ssrcs)
		out->remote_rtx_ssrc = rtx_ssrc_of(m, out->remote_ssrc[0]);
}

static uint32_t bandwidth_bps(const struct sdp_bandwidth *b)
{
	if (b->tias_bps)
		return b->tias_bps;
	return b->as_kbps > UINT32_MAX / 1000 ? UINT32_MAX : b->as_kbps * 1000;
}

int neg_remote_media(struct neg_media *out, const struct sdp *s, const struct sdp_media *m,
		     struct errmsg *why)
{
	const struct sdp_attr *mid = sdp_attr_find(&m->attrs, "mid");
	snprintf(out->kind, sizeof(out->kind), "%s", m->kind);
	snprintf(out->proto, sizeof(out->proto), "%s", m->proto);
	snprintf(out->format, sizeof(out->format), "%s", m->format[0]);
	if (mid && mid->value) {
		if (!mid->value[0] || strlen(mid->value) >= sizeof(out->mid) ||
		    strchr(mid->value, ' '))
			return bad(why, m, "a=mid must be a token of at most 32 characters");
		snprintf(out->mid, sizeof(out->mid), "%s", mid->value);
	}
	size_t n = strlen(m->proto);
	out->avpf = n > 0 && m->proto[n - 1] == 'F';
	out->rtcp_rsize = sdp_has(s, m, "rtcp-rsize");
	out->max_bps = bandwidth_bps(&m->bandwidth);
	if (!out->max_bps)
		out->max_bps = bandwidth_bps(&s->bandwidth);
	read_streams(out, m);
	return 0;
}

/* --- feedback and header extensions ---------------------------------------- */

static uint32_t fb_of(const char *v)
{
	static const struct {
		const char *text;
		uint32_t bit;
	} known[] = {
		{ "nack", NEG_FB_NACK },	 { "nack pli", NEG_FB_PLI },
		{ "ccm fir", NEG_FB_FIR },	 { "goog-remb", NEG_FB_REMB },
		{ "transport-cc", NEG_FB_TWCC }, { "ccm tmmbr", NEG_FB_TMMBR },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i].text);
		/* "ccm tmmbr smaxpr=120" has parameters */
		if (!strncmp(v, known[i].text, n) &&
		    (!v[n] || (known[i].bit == NEG_FB_TMMBR && v[n] == ' ')))
			return known[i].bit;
	}
	return 0;
}

uint32_t neg_remote_fb(const struct sdp_media *m, uint8_t pt)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < m->attrs.n; i++) {
		const char *v = m->attrs.v[i].value;
		char word[8];
		uint64_t n;
		if (!v || strcmp(m->attrs.v[i].name, "rtcp-fb"))
			continue;
		if (!sdp_copy_word(&v, word, sizeof(word)))
			continue;
		if (strcmp(word, "*") && (!sdp_u64(word, 127, &n) || n != pt))
			continue;
		bits |= fb_of(v + strspn(v, " "));
	}
	return bits;
}

/* "a=rtcp-fb:* trr-int 5000"; RFC 4585 4.2. */
static uint32_t trr_int_ms(const struct sdp_media *m)
{
	for (size_t i = 0; i < m->attrs.n; i++) {
		const char *v = m->attrs.v[i].value;
		char word[12];
		uint64_t ms;
		if (v && !strcmp(m->attrs.v[i].name, "rtcp-fb") &&
		    sdp_copy_word(&v, word, sizeof(word)) &&
		    sdp_copy_word(&v, word, sizeof(word)) && !strcmp(word, "trr-int") &&
		    sdp_copy_word(&v, word, sizeof(word)) && sdp_u64(word, 3600000, &ms))
			return (uint32_t)ms;
	}
	return 0;
}

/* "<id>[/direction] <uri> …"; RFC 8285. Ids of the one-byte form only: 1…14. */
static void read_ext(struct neg_media *out, const char *v, uint32_t wanted)
{
	char word[24], uri[128];
	uint64_t id;
	if (!sdp_copy_word(&v, word, sizeof(word)) || !sdp_copy_word(&v, uri, sizeof(uri)))
		return;
	char *slash = strchr(word, '/');
	if (slash) {
		*slash++ = 0;
		if (!strcmp(slash, "inactive"))
			return;
	}
	if (!sdp_u64(word, 14, &id) || !id)
		return;
	for (unsigned i = 0; i < NEG_N_EXTS; i++)
		if (wanted & 1u << i && !out->ext_id[i] && !strcmp(uri, neg_ext_uri[i]))
			out->ext_id[i] = (uint8_t)id;
}

void neg_remote_features(struct neg_media *out, const struct sdp *s, const struct sdp_media *m,
			 const struct neg_media_policy *mp)
{
	uint32_t wanted = mp->exts;
	if (strlen(out->mid) > 16) /* what the extension can carry in our packets */
		wanted &= ~(1u << NEG_EXT_MID);
	if (!out->rid[0])
		wanted &= ~(1u << NEG_EXT_RID | 1u << NEG_EXT_REPAIRED_RID);
	out->fb = neg_remote_fb(m, out->codec.pt_tx) & mp->fb;
	out->trr_int_ms = trr_int_ms(m);
	for (size_t i = 0; i < m->attrs.n; i++)
		if (m->attrs.v[i].value && !strcmp(m->attrs.v[i].name, "extmap"))
			read_ext(out, m->attrs.v[i].value, wanted);
	for (size_t i = 0; i < s->attrs.n; i++)
		if (s->attrs.v[i].value && !strcmp(s->attrs.v[i].name, "extmap"))
			read_ext(out, s->attrs.v[i].value, wanted);
	/* transport-wide feedback needs both its halves */
	if (!(out->fb & NEG_FB_TWCC) || !out->ext_id[NEG_EXT_TWCC]) {
		out->fb &= ~(uint32_t)NEG_FB_TWCC;
		out->ext_id[NEG_EXT_TWCC] = 0;
	}
}

/* --- transport -------------------------------------------------------------- */

/* RFC 8839 5.4: ice-char only, 4…256 and 22…256 of them. */
static bool ice_text(const char *v, size_t min, char *out, size_t cap)
{
	size_t n = strlen(v);
	if (n < min || n >= cap)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)v[i]) && v[i] != '+' && v[i] != '/')
			return false;
	memcpy(out, v, n + 1);
	return true;
}

static int read_ice(struct neg_transport *t, const struct sdp *s, const struct sdp_media *m,
		    struct errmsg *why)
{
	const char *ufrag = sdp_value(s, m, "ice-ufrag"), *pwd = sdp_value(s, m, "ice-pwd");
	if (!ufrag && !pwd)
		return 0;
	if (!ufrag || !pwd || !ice_text(ufrag, 4, t->ice_ufrag, sizeof(t->ice_ufrag)) ||
	    !ice_text(pwd, 22, t->ice_pwd, sizeof(t->ice_pwd)))
		return bad(why, m,
			   "a=ice-ufrag needs 4 to 256 and a=ice-pwd 22 to 256 characters "
			   "of A-Z a-z 0-9 + /");
	const char *options = sdp_value(s, m, "ice-options");
	t->ice = true;
	t->ice_trickle = options && strstr(options, "trickle");
	t->ice_lite = sdp_attr_find(&s->attrs, "ice-lite") != NULL;
	return 0;
}

static bool fingerprint_parse(const char *v, char *hash, size_t hash_cap, char *hex, size_t hex_cap)
{
	static const struct {
		const char *name;
		size_t octets;
	} known[] = { { "sha-1", 20 },
		      { "sha-224", 28 },
		      { "sha-256", 32 },
		      { "sha-384", 48 },
		      { "sha-512", 64 } };
	if (!sdp_copy_word(&v, hash, hash_cap) || !sdp_copy_word(&v, hex, hex_cap))
		return false;
	size_t octets = 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcasecmp(hash, known[i].name)) {
			octets = known[i].octets;
			snprintf(hash, hash_cap, "%s", known[i].name);
		}
	if (!octets || strlen(hex) != octets * 3 - 1)
		return false;
	for (size_t i = 0; hex[i]; i++) {
		if (i % 3 == 2 ? hex[i] != ':' : !isxdigit((unsigned char)hex[i]))
			return false;
		hex[i] = (char)toupper((unsigned char)hex[i]);
	}
	return true;
}

/* Several may be given; SHA-256 is the one preferred. False: one is malformed and
 * none is usable. */
static bool read_fingerprints(struct neg_transport *t, const struct sdp_attrs *a)
{
	bool any = false;
	for (size_t i = 0; i < a->n; i++) {
		char hash[sizeof(t->fingerprint_hash)], hex[sizeof(t->fingerprint)];
		if (strcmp(a->v[i].name, "fingerprint"))
			continue;
		any = true;
		if (!a->v[i].value ||
		    !fingerprint_parse(a->v[i].value, hash, sizeof(hash), hex, sizeof(hex)))
			continue;
		if (t->fingerprint[0] && strcmp(hash, "sha-256"))
			continue;
		snprintf(t->fingerprint_hash, sizeof(t->fingerprint_hash), "%s", hash);
		snprintf(t->fingerprint, sizeof(t->fingerprint), "%s", hex);
	}
	return !any || t->fingerprint[0];
}

static int read_setup(enum neg_setup *out, const struct sdp *s, const struct sdp_media *m,
		      struct errmsg *why)
{
	static const struct {
		const char *name;
		enum neg_setup setup;
	} known[] = { { "actpass", NEG_SETUP_ACTPASS },
		      { "active", NEG_SETUP_ACTIVE },
		      { "passive", NEG_SETUP_PASSIVE } };
	const char *v = sdp_value(s, m, "setup");
	*out = NEG_SETUP_NONE;
	if (!v)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(v, known[i].name))
			*out = known[i].setup;
	return *out ? 0 : bad(why, m, "a=setup must be actpass, active or passive");
}

static void read_cryptos(struct neg_transport *t, const struct sdp_media *m)
{
	for (size_t i = 0; i < m->attrs.n && t->n_cryptos < NEG_MAX_CRYPTOS; i++) {
		const char *v = m->attrs.v[i].value;
		if (v && !strcmp(m->attrs.v[i].name, "crypto") &&
		    neg_sdes_read(&t->crypto[t->n_cryptos], v))
			t->n_cryptos++;
	}
}

/* "<port>[ IN IP4 <address>]"; RFC 3605. */
static void read_rtcp(struct neg_transport *t, const char *v)
{
	char word[8], address[sizeof(t->rtcp_address)];
	uint64_t port;
	if (!sdp_copy_word(&v, word, sizeof(word)) || !sdp_u64(word, 65535, &port) || !port)
		return;
	t->rtcp_port = (uint16_t)port;
	if (sdp_copy_word(&v, word, sizeof(word)) && !strcmp(word, "IN") &&
	    sdp_copy_word(&v, word, sizeof(word)) && !strncmp(word, "IP", 2) &&
	    sdp_copy_word(&v, address, sizeof(address)))
		snprintf(t->rtcp_address, sizeof(t->rtcp_address), "%s", address);
}

static void read_address(struct neg_transport *t, const struct sdp *s, const struct sdp_media *m)
{
	const struct sdp_conn *c = m->conn.address ? &m->conn : &s->conn;
	if (c->address && strlen(c->address) < sizeof(t->address))
		snprintf(t->address, sizeof(t->address), "%s", c->address);
	snprintf(t->rtcp_address, sizeof(t->rtcp_address), "%s", t->address);
	t->port = m->port;
	t->rtcp_mux = sdp_has(s, m, "rtcp-mux") || sdp_has(s, m, "rtcp-mux-only");
	t->rtcp_port =
		t->rtcp_mux || m->port == 0 || m->port == 65535 ? m->port : (uint16_t)(m->port + 1);
	const struct sdp_attr *a = sdp_attr_find(&m->attrs, "rtcp");
	if (!t->rtcp_mux && a && a->value)
		read_rtcp(t, a->value);
}

static enum neg_security security_of(const struct sdp_media *m, const struct neg_transport *t)
{
	if (!strncmp(m->proto, "UDP/TLS/", 8) || t->fingerprint[0])
		return NEG_DTLS; /* a fingerprint under AVP or SAVP: RFC 8643 and older browsers */
	return strstr(m->proto, "SAVP") ? NEG_SDES : NEG_PLAIN;
}

int neg_remote_transport(struct neg_transport *t, enum neg_setup *peer_setup, const struct sdp *s,
			 const struct sdp_media *m, struct errmsg *why)
{
	int err = read_ice(t, s, m, why);
	if (!err)
		err = read_setup(peer_setup, s, m, why);
	if (err)
		return err;
	bool ok = read_fingerprints(t, &m->attrs);
	if (ok && !t->fingerprint[0])
		ok = read_fingerprints(t, &s->attrs);
	if (!ok)
		return bad(why, m,
			   "a=fingerprint must be sha-256 and 32 octets in hexadecimal with "
			   "colons");
	read_cryptos(t, m);
	read_address(t, s, m);
	t->security = security_of(m, t);
	if (t->security == NEG_DTLS && !t->fingerprint[0])
		return bad(why, m, "a=fingerprint is missing");
	if (t->security == NEG_SDES && !t->n_cryptos)
		return bad(why, m, "a=crypto is missing");
	return 0;
}

/* "candidate:<foundation> <component> <transport> …": UDP of RTP only. */
static bool candidate_usable(const char *v)
{
	char word[40];
	uint64_t component;
	return sdp_copy_word(&v, word, sizeof(word)) && sdp_copy_word(&v, word, sizeof(word)) &&
	       sdp_u64(word, 256, &component) && component == 1 &&
	       sdp_copy_word(&v, word, sizeof(word)) && !strcasecmp(word, "udp");
}

int neg_remote_candidates(struct neg_plan *plan, const struct sdp *s, const struct sdp_media *m,
			  uint8_t index)
{
	if (sdp_has(s, m, "end-of-candidates"))
		plan->end_of_candidates = true;
	for (size_t i = 0; i < m->attrs.n; i++) {
		const char *v = m->attrs.v[i].value;
		if (!v || strcmp(m->attrs.v[i].name, "candidate") || !candidate_usable(v))
			continue;
		if (plan->n_candidates == NEG_MAX_CANDIDATES ||
		    strlen(v) + 11 > sizeof(plan->candidates->text))
			continue;
		if (!plan->candidates)
			plan->candidates = calloc(NEG_MAX_CANDIDATES, sizeof(*plan->candidates));
		if (!plan->candidates)
			return -ENOMEM;
		struct neg_candidate *c = &plan->candidates[plan->n_candidates++];
		c->media_index = index;
		snprintf(c->text, sizeof(c->text), "candidate:%s", v);
	}
	return 0;
}
