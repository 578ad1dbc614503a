/* Client messages on any octets: strings are as the protocol promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/protocol.h"
#include "signaling/utf8.h"

static void check(int ok)
{
	if (!ok)
		abort();
}

static void check_pin(const char *pin)
{
	check(!pin || !*pin || protocol_pin_valid(pin));
}

static void check_room(const struct client_msg *m)
{
	switch (m->type) {
	case CLIENT_MSG_CHAT:
		check(utf8_valid(m->u.chat.text) && m->u.chat.text[0]);
		check(utf8_length(m->u.chat.text) <= PROTOCOL_MAX_CHAT);
		break;
	case CLIENT_MSG_LAYOUT:
		check(m->u.layout.n_pins <= LAYOUT_CHANGE_LEGS && m->u.layout.n_hand <= LAYOUT_CHANGE_LEGS);
		check(m->u.layout.n_regions <= LAYOUT_CHANGE_LEGS);
		for (size_t i = 0; i < m->u.layout.n_regions; i++)
			check(m->u.layout.region[i].z >= -100 && m->u.layout.region[i].z <= 100);
		break;
	case CLIENT_MSG_VIEW: check(utf8_length(m->u.view.view) <= 32); break;
	case CLIENT_MSG_VIEWS:
		check(utf8_length(m->u.views.view) <= 32);
		check(!m->u.views.rule || utf8_length(m->u.views.rule) <= 16);
		break;
	case CLIENT_MSG_MODERATE:
		check(m->u.moderate.action >= MODERATE_MUTE && m->u.moderate.action <= MODERATE_REMOVE);
		check(m->u.moderate.action != MODERATE_REMOVE || m->u.moderate.leg);
		break;
	case CLIENT_MSG_POLICY:
		check(m->u.policy.record <= RECORD_AUTO);
		check_pin(m->u.policy.guest_pin);
		check_pin(m->u.policy.host_pin);
		break;
	case CLIENT_MSG_RENAME:
		check(m->u.rename.leg && protocol_name_valid(m->u.rename.name));
		break;
	case CLIENT_MSG_DIAL:
		check(strlen(m->u.dial.to) <= 256);
		check(!m->u.dial.name || protocol_name_valid(m->u.dial.name));
		check(!m->u.dial.digits || strlen(m->u.dial.digits) <= 64);
		break;
	case CLIENT_MSG_HANGUP: check(m->u.hangup.call > 0); break;
	default: break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_msg m;
	struct errmsg why = { .code = "" };
	int err = client_msg_parse(&m, (const char *)data, size, &why);

	check(utf8_length(m.id) <= PROTOCOL_MAX_ID);
	if (err) {
		check(why.code[0] && why.text[0] && m.type == CLIENT_MSG_INVALID);
		free(msg_error(m.id, &why, false));
	} else if (m.type == CLIENT_MSG_JOIN) {
		check(protocol_room_name_valid(m.u.join.room) &&
		      protocol_name_valid(m.u.join.name));
		check(strlen(m.u.join.room) <= 4 * PROTOCOL_MAX_NAME);
	} else if (m.type == CLIENT_MSG_OFFER || m.type == CLIENT_MSG_ANSWER) {
		check(strlen(m.u.sdp.text) == m.u.sdp.len && strlen(m.u.sdp.content) <= 32);
	} else if (m.type == CLIENT_MSG_ICE) {
		check(strlen(m.u.ice.candidate) <= 512 && strlen(m.u.ice.mid) <= 32);
	}
	if (!err)
		check_room(&m);
	client_msg_clear(&m);
	return 0;
}
