#include "mcu/room/sink.h"

void sink_list_add(struct sink_list *l, struct sink_link *s)
{
	s->started = false;
	s->next = l->first;
	l->first = s;
}

void sink_list_remove(struct sink_list *l, struct sink_link *s)
{
	struct sink_link **at = &l->first;

	while (*at && *at != s)
		at = &(*at)->next;
	if (*at)
		*at = s->next;
}

int sink_list_gop_s(const struct sink_list *l)
{
	int gop_s = 0;

	for (const struct sink_link *s = l->first; s; s = s->next)
		if (s->sink->gop_s && (!gop_s || s->sink->gop_s < gop_s))
			gop_s = s->sink->gop_s;
	return gop_s;
}

int sink_list_refresh_ms(const struct sink_list *l)
{
	int ms = 0;

	for (const struct sink_link *s = l->first; s; s = s->next)
		if (s->sink->refresh_ms && (!ms || s->sink->refresh_ms < ms))
			ms = s->sink->refresh_ms;
	return ms;
}

void sink_list_video(const struct sink_list *l, struct buf *au, int64_t pts_ns, bool key)
{
	for (struct sink_link *s = l->first; s; s = s->next) {
		s->started = s->started || key;
		if (s->started)
			s->sink->video(s->sink->obj, au, pts_ns, key);
	}
}

void sink_list_audio(const struct sink_list *l, struct buf *frame, int64_t pts_ns)
{
	for (const struct sink_link *s = l->first; s; s = s->next)
		s->sink->audio(s->sink->obj, frame, pts_ns);
}
