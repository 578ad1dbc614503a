/* One peer's media connection: ICE, DTLS and SRTP put together. */
#ifndef TESTS_LOAD_LINK_H
#define TESTS_LOAD_LINK_H

#include "tests/load/ice.h"
#include "tests/load/sec.h"

struct link;

struct link_events {
	void (*candidate)(void *obj, const char *sdp); /* NULL: no more; borrowed */
	void (*up)(void *obj);
	void (*down)(void *obj, const char *why);
	void (*rtp)(void *obj, uint8_t *p, size_t len, int64_t arrival_ns);
	void (*rtcp)(void *obj, uint8_t *p, size_t len, int64_t arrival_ns);
};

struct link_cfg {
	enum ice_kind ice;
	enum sec_kind sec;
	enum sec_profile only; /* SEC_NONE: offer both */
	bool controlling, stamps;
	unsigned drop_permille; /* RTP that gets lost before it is seen */
	const struct link_events *events;
	void *obj;
};

struct link_stats {
	enum sec_profile profile;
	uint64_t auth_fail, not_media; /* packets that did not open; of no known kind */
	uint64_t replayed;	       /* did not open because they came before (libsrtp2 only) */
	uint64_t dropped;	       /* on purpose */
};

struct link *link_new(const struct link_cfg *cfg);
void link_free(struct link **l);
/* Our credentials for the SDP; stay valid. */
const char *link_ufrag(const struct link *l);
const char *link_pwd(const struct link *l);
void link_start(struct link *l);
/* dtls_client: we are a=setup:active. */
void link_set_remote(struct link *l, const char *ufrag, const char *pwd, const char *fingerprint,
		     bool dtls_client);
void link_add_candidate(struct link *l, const char *sdp);
void link_sweep(struct link *l, int64_t now_ns);
/* p needs SEC_OVERHEAD octets behind len and is encrypted in place. */
bool link_send_rtp(struct link *l, uint8_t *p, size_t len);
bool link_send_rtcp(struct link *l, uint8_t *p, size_t len);
/* As it is, for those who send garbage. */
bool link_send_raw(struct link *l, const uint8_t *p, size_t len);
/* Says good-bye (DTLS close_notify). */
void link_close(struct link *l);
/* Goes silent without a word. */
void link_mute(struct link *l);
const struct link_stats *link_stats(const struct link *l);

#endif
