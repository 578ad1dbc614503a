/* What happens in a room while it is recorded: for the recording's chapters. */
#include <stdio.h>

#include "mcu/conference_priv.h"
#include "mcu/room/source_id.h"

/* In a large room somebody comes or goes all the time. */
void hall_happened(struct hall *h, enum recording_event_kind kind, const struct leg_handle *p)
{
	bool crowd = h->people->len > CHIME_PEOPLE_MOST;

	if (h->recording && kind == RECORDING_EVENT_JOINED)
		recording_takes(h->recording, p->leg, p->name);
	if (h->recording && !(crowd && (kind == RECORDING_EVENT_JOINED ||
					kind == RECORDING_EVENT_LEFT)))
		recording_happened(h->recording, kind, leg_id(p->leg), p->name);
}

void hall_speaks(struct hall *h, uint32_t leg)
{
	const struct leg_handle *p = h->recording && leg ? hall_leg(h, leg) : NULL;

	if (p)
		hall_happened(h, RECORDING_EVENT_SPEAKS, p);
}

void hall_shares(struct hall *h)
{
	uint32_t leg = source_leg(room_content(h->room));
	const struct leg_handle *p = hall_leg(h, leg);

	if (leg == h->shares)
		return;
	if (h->shares && h->recording) /* it may be gone by now */
		recording_happened(h->recording, RECORDING_EVENT_SHARED, h->shares, h->shares_name);
	h->shares = leg;
	snprintf(h->shares_name, sizeof h->shares_name, "%s", p ? p->name : "");
	if (p)
		hall_happened(h, RECORDING_EVENT_SHARES, p);
}

void hall_stands(struct hall *h)
{
	const struct leg_handle *p = hall_leg(h, h->shares);

	for (size_t i = 0; i < h->people->len; i++)
		hall_happened(h, RECORDING_EVENT_JOINED, g_ptr_array_index(h->people, i));
	hall_speaks(h, room_speaker(h->room));
	if (p)
		hall_happened(h, RECORDING_EVENT_SHARES, p);
}
