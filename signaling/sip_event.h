/* What sofia-sip's nua says, and to whom: a handle's magic is NULL (nobody's yet, or no
 * longer) or a struct sip_owner, which is the first member of whatever the handle
 * belongs to: a call, a registration at a trunk. The stack hands each event on:
 *
 *     if (nh && hmagic) ((struct sip_owner *)hmagic)->event(hmagic, &ev);
 *
 * Pointers are borrowed for the call. CTL. */
#ifndef MCU_SIGNALING_SIP_EVENT_H
#define MCU_SIGNALING_SIP_EVENT_H

#include <sofia-sip/nua.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/su_tag.h>

struct sip_event {
	nua_event_t type;
	int status;
	const char *phrase; /* "" when nua has none */
	nua_handle_t *nh;
	const sip_t *sip; /* NULL: nothing came over the wire */
	tagi_t *tags;
};

struct sip_owner {
	/* May destroy the handle and free its owner. */
	void (*event)(struct sip_owner *o, const struct sip_event *ev);
};

#endif
