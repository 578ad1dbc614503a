#include "mcu/room/sink.h"

#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"

METRIC_COUNTER(m_work, "mcu_sink_cpu_ns_total",
	       "Processor time (nanoseconds) of encoding threads for recordings and broadcasts: "
	       "their AAC, and handing packets over.");

int64_t sink_work_begin(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void sink_work_end(int64_t began_ns)
{
	metric_add(&m_work, sink_work_begin() - began_ns);
}

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
	int64_t began_ns = l->first ? sink_work_begin() : 0;

	for (struct sink_link *s = l->first; s; s = s->next) {
		s->started = s->started || key;
		if (s->started)
			s->sink->video(s->sink->obj, au, pts_ns, key);
	}
	if (l->first)
		sink_work_end(began_ns);
}

void sink_list_audio(const struct sink_list *l, struct buf *frame, int64_t pts_ns)
{
	for (const struct sink_link *s = l->first; s; s = s->next)
		s->sink->audio(s->sink->obj, frame, pts_ns);
}
