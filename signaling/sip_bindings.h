/* Where users' telephones are: what REGISTER writes (RFC 3261, 10.3) and calls read. One
 * user may have several. A telephone that says who it is (+sip.instance, RFC 5626) takes
 * the place of its own older binding. Pure: the caller's wall clock, since bindings outlive
 * the process. One owner. */
#ifndef MCU_SIGNALING_SIP_BINDINGS_H
#define MCU_SIGNALING_SIP_BINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SIP_BINDINGS_PER_USER = 10,
	SIP_URI_MAX = 299,
	SIP_REGISTER_MIN_S = 60,
	SIP_REGISTER_MAX_S = 7200,
	SIP_REGISTER_S = 3600, /* where the telephone says nothing */
};

struct sip_binding {
	char uri[SIP_URI_MAX + 1]; /* its Contact: of the Request-URI of calls */
	char route[128]; /* "sip:address:port;transport=…": from where it spoke */
	char path[SIP_URI_MAX + 1]; /* RFC 3327: by way of this proxy; "": none */
	char call_id[129], instance[129], agent[97];
	uint32_t cseq;
	int64_t expires_ms; /* UTC */
};

struct sip_bindings;

/* After a change, all that the user has now. For keeping them; must not call back. */
typedef void sip_bindings_changed(void *obj, const char *user, const struct sip_binding *all,
				  size_t n);

struct sip_contact {
	const char *uri, *instance; /* instance NULL: unsaid */
	int64_t expires_s; /* -1: unsaid */
};

struct sip_register {
	const char *user, *route, *path, *call_id, *agent; /* path, agent NULL: none */
	uint32_t cseq;
	bool all; /* "Contact: *" */
	int64_t expires_s; /* of the header; -1: none */
	const struct sip_contact *contacts;
	size_t n;
};

/* 0 or -ENOMEM. max: bindings altogether. */
int sip_bindings_new(struct sip_bindings **out, size_t max, sip_bindings_changed *changed,
		     void *obj);
void sip_bindings_free(struct sip_bindings **b);

/* The status to answer with: 200; 400 (not a REGISTER as it should be); 423 (too brief: see
 * SIP_REGISTER_MIN_S); 500 (an older request than one that was served); 403 (too many
 * telephones); 503 (too many altogether). Unless it is 200 nothing has changed. */
int sip_bindings_register(struct sip_bindings *b, const struct sip_register *r, int64_t now_ms);
/* One that was kept from an earlier run. False: it is over, or one too many. */
bool sip_bindings_restore(struct sip_bindings *b, const char *user, const struct sip_binding *one,
			  int64_t now_ms);
/* Those of a user that hold now, the newest first; valid until the next call. */
size_t sip_bindings_of(struct sip_bindings *b, const char *user, const struct sip_binding **out,
		       int64_t now_ms);
void sip_bindings_forget_user(struct sip_bindings *b, const char *user);
/* Drops what is over; now and then. */
void sip_bindings_expire(struct sip_bindings *b, int64_t now_ms);
size_t sip_bindings_count(const struct sip_bindings *b);

#endif
