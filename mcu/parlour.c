/* A parlour: where a call is alone with the announcements, before it is in a room or
 * between two. It is a room like others, but in no list and in no registry, and it
 * makes no pictures. */
#include "mcu/conference_priv.h"

#include <errno.h>

/* What it sees of a camera is not taken either: nobody would look at it. */
void parlour_media(struct leg_media *m)
{
	m->video.rx = m->video.tx = false;
	m->content.rx = m->content.tx = false;
	m->data = false;
}

ON_THREAD(ROLE_CTL) static int admit(struct leg_handle *p, struct errmsg *why)
{
	struct conference *c = p->conf;
	guint most = PARLOURS_MAX + (p->who.called ? PARLOURS_KEPT : 0);

	if (c->parlours->len >= most)
		return errmsg_set(why, -EUSERS, "server_full", "%u calls are being answered, and no more "
				  "can be. Try again in a minute.", c->parlours->len);
	return load_admit_join(p, why);
}

int parlour_join(struct leg_handle *p, struct errmsg *why)
{
	struct conference *c = p->conf;
	struct hall *h;
	int err = admit(p, why);

	if (err)
		return err;
	err = hall_new(&h, c, "", NULL);
	if (err)
		return errmsg_set(why, err, "internal", "The call cannot be answered: %s.", err_str(err));
	h->parlour = true;
	g_ptr_array_add(c->parlours, h);
	load_watch_start(c->load);
	err = room_join_ports(h->room, p->name, p->ports, &participant_watcher, p, &p->leg);
	if (err) {
		hall_linger(h);
		return errmsg_set(why, err, "internal", "The call cannot be answered: %s.", err_str(err));
	}
	p->hall = h;
	p->joined_ms = clock_wall_ns() / NS_PER_MS;
	g_ptr_array_add(h->people, p);
	join_welcome(p);
	return 0;
}
