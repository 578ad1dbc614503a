/* What a leg's pictures are: its camera, and content that it shares. One leg of a
 * room presents, with one of the two. */
#include "mcu/room/room_priv.h"

#include <errno.h>

bool leg_sends(const struct leg *l, int i)
{
	return i == LEG_CAMERA ? l->media.video.rx : l->media.content.rx && l->presents[i];
}

bool leg_presents(const struct leg *l, int i)
{
	return l->presents[i];
}

bool leg_seated(const struct leg *l, int i)
{
	/* What is played in the place of content is there alone. */
	if (i == LEG_CAMERA && l->local && l->media.content.rx)
		return !l->presents[LEG_CONTENT];
	return i == LEG_CAMERA ? l->media.audio.rx || l->media.video.rx : leg_sends(l, i);
}

bool leg_may_be_seated(const struct leg *l)
{
	return l->media.audio.rx || l->media.video.rx || l->media.content.rx;
}

bool leg_muted(const struct leg *l, int i)
{
	return i == LEG_CAMERA && l->video_muted;
}

/* Returns whether it did present. */
static bool stop(struct leg *l)
{
	bool did = false;

	for (int i = 0; i < LEG_SOURCES; i++) {
		did = did || l->presents[i];
		l->presents[i] = false;
	}
	return did;
}

ON_THREAD(ROLE_CTL) static void changed(struct leg *l)
{
	room_touch(l->room);
	l->room->ev->changed(l->room->obj, l->room, l);
}

/* There is one besides it at most. A call-back may make legs leave, so that it is
 * the last that is done. */
ON_THREAD(ROLE_CTL) static void outdo(struct leg *by)
{
	for (struct leg *l = by->room->legs; l; l = l->next) {
		if (l == by || !stop(l))
			continue;
		if (l->ev->outdone)
			l->ev->outdone(l->obj, by->id);
		return;
	}
}

ON_THREAD(ROLE_CTL) static void start(struct leg *l, int i)
{
	if (l->presents[i] || l->content_held)
		return;
	stop(l);
	l->presents[i] = true;
	changed(l);
	outdo(l);
}

/* Who has agreed on nothing yet begins with what it will send. */
ON_THREAD(ROLE_CTL) static int begin(struct leg *l)
{
	if (l->configured && !l->media.content.rx && !l->media.video.rx)
		return -ENOENT;
	l->will_present = !l->configured && !l->content_held;
	if (l->configured)
		start(l, l->media.content.rx ? LEG_CONTENT : LEG_CAMERA);
	return 0;
}

int leg_present(struct leg *l, bool on)
{
	if (on)
		return begin(l);
	l->will_present = false;
	if (stop(l))
		changed(l);
	return 0;
}

void leg_hold_content(struct leg *l, bool held)
{
	l->content_held = held;
	leg_record_look(l);
	if (held)
		leg_present(l, false);
}

void leg_content_agreed(struct leg *l, bool sent)
{
	bool will = l->will_present;

	l->will_present = false;
	if (l->media.content.rx && !sent && (!l->media.content.tx || will))
		start(l, LEG_CONTENT);
	else if (!l->media.content.rx && l->presents[LEG_CONTENT])
		leg_present(l, false);
	else if (will && l->media.video.rx)
		start(l, LEG_CAMERA);
}

void leg_content_comes(struct leg *l, bool comes)
{
	if (!l->media.content.rx || !l->media.content.tx)
		return;
	if (comes)
		start(l, LEG_CONTENT);
	else if (l->presents[LEG_CONTENT])
		leg_present(l, false);
}
