#include "mcu/media/film.h"

#include <errno.h>
#include <stdlib.h>

#include "mcu/media/film_priv.h"

#define NS INT64_C(1000000000)
#define MS (NS / 1000)
/* Of both queues; behind one that is full nothing is read. */
enum {
	QUEUE_PACKETS = 4000, QUEUE_BYTES = 24 << 20, READY_BLOCKS = 12, TOO_LATE_MS = 200,
	READ_AHEAD = 16, UNSEEN_AHEAD_MS = 500, PASSED_PACKETS = 3000,
	CAMERA_PACKETS = 800, CAMERA_WAIT_MS = 3000,
};

/* --- queues ------------------------------------------------------------------------ */

static void append(struct film_queue *q, struct film_packet *p)
{
	p->next = NULL;
	*q->end = p;
	q->end = &p->next;
	q->n++;
	q->bytes += (size_t)p->pkt->size;
}

static int push(struct film_queue *q, AVPacket *pkt)
{
	struct film_packet *p = malloc(sizeof *p);

	if (!p) {
		av_packet_free(&pkt);
		return -ENOMEM;
	}
	p->pkt = pkt;
	append(q, p);
	return 0;
}

/* The first, to be owned by the caller. */
static struct film_packet *take(struct film_queue *q)
{
	struct film_packet *p = q->first;

	q->first = p->next;
	if (!q->first)
		q->end = &q->first;
	q->n--;
	q->bytes -= (size_t)p->pkt->size;
	return p;
}

static void pop(struct film_queue *q)
{
	struct film_packet *p = take(q);

	av_packet_free(&p->pkt);
	free(p);
}

void film_queue_clear(struct film_queue *q)
{
	while (q->first)
		pop(q);
}

static void drop_queues(struct film *f)
{
	film_queue_clear(&f->sound.queue);
	film_queue_clear(&f->picture.queue);
	film_queue_clear(&f->passed);
}

/* --- time -------------------------------------------------------------------------- */

bool film_time(struct film *f, const struct film_stream *s, int64_t ts, int64_t *ns)
{
	if (ts == AV_NOPTS_VALUE)
		return false;
	*ns = av_rescale_q(ts, f->fmt->streams[s->index]->time_base, (AVRational){ 1, (int)NS });
	if (!f->has_zero) {
		f->has_zero = true;
		f->zero_ns = *ns;
	}
	*ns -= f->zero_ns;
	*ns = *ns < 0 ? 0 : *ns > MEDIA_MAX_NS ? MEDIA_MAX_NS : *ns;
	return true;
}

static int64_t packet_time(struct film *f, const struct film_stream *s, const AVPacket *p)
{
	int64_t ns;

	return film_time(f, s, p->pts != AV_NOPTS_VALUE ? p->pts : p->dts, &ns) ? ns : -1;
}

/* --- reading ------------------------------------------------------------------------ */

static bool runs_dry(const struct film_stream *s)
{
	return s->index >= 0 && s->queue.n < READ_AHEAD;
}

/* A camera is always read: it would be lost if it had to wait. */
static bool may_read(const struct film *f)
{
	return !f->eof && (f->camera || runs_dry(&f->sound) || runs_dry(&f->picture)) &&
	       f->sound.queue.n + f->picture.queue.n < QUEUE_PACKETS &&
	       f->sound.queue.bytes + f->picture.queue.bytes < QUEUE_BYTES;
}

/* 1: one more; 0: that was the last; -EIO: the camera is gone. */
static int read_one(struct film *f)
{
	AVPacket *p = av_packet_alloc();
	struct film_stream *s;
	int err = p ? av_read_frame(f->fmt, p) : AVERROR(ENOMEM);

	if (err) {
		av_packet_free(&p);
		if (err == AVERROR(EAGAIN))
			return 1;
		f->eof = true;
		return f->camera ? -EIO : 0;
	}
	f->heard_ns = film_clock_ns();
	s = p->stream_index == f->sound.index ? &f->sound :
	    p->stream_index == f->picture.index ? &f->picture : NULL;
	if (!s) {
		av_packet_free(&p);
		return 1;
	}
	return push(&s->queue, p) ? -EIO : 1;
}

/* While a camera is paused nobody takes what it sends: the old of it goes. */
static void shed(struct film *f)
{
	if (!f->camera || (f->sound.queue.n + f->picture.queue.n < CAMERA_PACKETS &&
			   f->sound.queue.bytes + f->picture.queue.bytes < QUEUE_BYTES / 2))
		return;
	drop_queues(f);
	f->needs_key = true;
}

/* Nothing of it is there, and nothing more can come before the other one moves. */
static bool is_dry(const struct film *f, const struct film_stream *s)
{
	return s->index < 0 || (!s->queue.first && (f->eof ? s->drained : !may_read(f)));
}

/* --- pictures ----------------------------------------------------------------------- */

static void put_picture(struct film *f, const AVFrame *frame, int64_t ns)
{
	(void)media_out_picture(f->out, frame, ns, f->rotation);
}

/* After a seek the one that is on at that moment may have begun before it. */
static void take_picture(struct film *f)
{
	int64_t ns;

	if (!film_time(f, &f->picture, f->frame->best_effort_timestamp, &ns))
		ns = media_out_picture_ns(f->out);
	media_out_decoded(f->out);
	if (f->cover && ns < f->picture.from_ns)
		ns = f->picture.from_ns;
	if (ns < f->picture.from_ns) {
		av_frame_unref(f->before);
		av_frame_move_ref(f->before, f->frame);
		f->before_ns = f->picture.from_ns;
		return;
	}
	if (f->before->buf[0] && ns > f->picture.from_ns && media_out_takes_picture(f->out))
		put_picture(f, f->before, f->before_ns);
	av_frame_unref(f->before);
	if (media_out_takes_picture(f->out))
		put_picture(f, f->frame, ns);
	av_frame_unref(f->frame);
}

/* Over with the next packet, which is kept as long as what follows builds on it. What is
 * from before the key frame of the present position is not. */
static void pass(struct film *f)
{
	struct film_packet *p = take(&f->picture.queue), *from = NULL;
	bool key = p->pkt->flags & AV_PKT_FLAG_KEY;
	int64_t now = media_out_position(f->out);

	if (key || f->passed.first) {
		append(&f->passed, p);
	} else {
		av_packet_free(&p->pkt);
		free(p);
	}
	for (p = f->passed.first; p; p = p->next)
		if (p->pkt->flags & AV_PKT_FLAG_KEY && packet_time(f, &f->picture, p->pkt) <= now)
			from = p;
	while (from && f->passed.first != from)
		pop(&f->passed);
	if (f->passed.n > PASSED_PACKETS || f->passed.bytes > QUEUE_BYTES)
		film_queue_clear(&f->passed);
}

/* Room for two: see take_picture. */
static bool decode_picture(struct film *f)
{
	struct film_stream *s = &f->picture;
	struct film_packet *p = s->queue.first;
	int64_t late = media_out_position(f->out) - media_out_picture_ns(f->out);

	if (!media_out_takes_picture(f->out))
		return false;
	if (avcodec_receive_frame(s->dec, f->frame) == 0) {
		take_picture(f);
		return true;
	}
	if (!p && (!f->eof || s->drained))
		return false;
	s->dec->skip_frame = late > TOO_LATE_MS * MS && media_out_pictures(f->out) ? AVDISCARD_NONREF :
									       AVDISCARD_DEFAULT;
	if (!p) {
		s->drained = true;
		avcodec_send_packet(s->dec, NULL);
		return true;
	}
	if (p->pkt->flags & AV_PKT_FLAG_KEY)
		f->needs_key = false;
	if (!f->needs_key)
		(void)avcodec_send_packet(s->dec, p->pkt);
	pass(f);
	return true;
}

/* What nobody sees goes by in its time. */
static bool pass_picture(struct film *f)
{
	struct film_packet *p = f->picture.queue.first;
	int64_t ns;

	if (!p)
		return false;
	ns = packet_time(f, &f->picture, p->pkt);
	if (ns > media_out_position(f->out) + UNSEEN_AHEAD_MS * MS)
		return false;
	media_out_passed(f->out, ns);
	pass(f);
	return true;
}

/* What was passed comes once more; false: it was too much to be kept. */
static bool go_back(struct film *f)
{
	struct film_queue *q = &f->picture.queue;

	if (!f->passed.first)
		return false;
	while (q->first)
		append(&f->passed, take(q));
	while (f->passed.first)
		append(q, take(&f->passed));
	f->needs_key = false;
	return true;
}

/* The last one before the end, when nothing came after it. */
static bool last_picture(struct film *f)
{
	if (!f->before->buf[0] || !media_out_takes_picture(f->out))
		return false;
	put_picture(f, f->before, f->before_ns);
	av_frame_unref(f->before);
	return true;
}

/* --- sound -------------------------------------------------------------------------- */

static bool decode_sound(struct film *f)
{
	struct film_stream *s = &f->sound;
	struct film_packet *p = s->queue.first;
	int64_t ns;

	if (!media_out_takes_sound(f->out))
		return false;
	if (avcodec_receive_frame(s->dec, f->frame) == 0) {
		if (!film_time(f, s, f->frame->best_effort_timestamp, &ns))
			ns = media_out_sound_ns(f->out);
		if (ns + 20 * MS >= s->from_ns)
			(void)media_out_sound(f->out, f->frame, ns);
		av_frame_unref(f->frame);
		return true;
	}
	if (!p && (!f->eof || s->drained))
		return false;
	if (p)
		(void)avcodec_send_packet(s->dec, p->pkt);
	else
		avcodec_send_packet(s->dec, NULL);
	s->drained = !p;
	if (p)
		pop(&s->queue);
	return true;
}

/* --- the whole ----------------------------------------------------------------------- */

static void restart(struct film_stream *s, int64_t from_ns)
{
	s->drained = false;
	s->from_ns = from_ns;
	if (s->dec)
		avcodec_flush_buffers(s->dec);
}

static int jump(struct film *f, int64_t pos_ns)
{
	int64_t ts = av_rescale(pos_ns + f->zero_ns, AV_TIME_BASE, NS);

	if (f->camera || f->still)
		return f->camera ? -EIO : 0;
	if (avformat_seek_file(f->fmt, -1, INT64_MIN, ts, ts, 0) < 0 &&
	    avformat_seek_file(f->fmt, -1, INT64_MIN, ts, INT64_MAX, 0) < 0)
		return -EIO;
	f->eof = false;
	f->needs_key = false;
	return 0;
}

int film_seek(struct film *f, int64_t pos_ns)
{
	int err = jump(f, pos_ns);

	f->begun_ns = film_clock_ns();
	if (err || f->still)
		return err;
	drop_queues(f);
	av_frame_unref(f->before);
	restart(&f->sound, pos_ns);
	restart(&f->picture, pos_ns);
	return 0;
}

void film_want_pictures(struct film *f, bool wanted)
{
	int64_t sound_ns = media_out_sound_ns(f->out), now = media_out_position(f->out);

	if (f->wanted == wanted || f->still || f->cover)
		return;
	f->wanted = wanted;
	if (!wanted || f->picture.index < 0)
		return;
	av_frame_unref(f->before);
	/* From the key frame before; the sound goes on where it is. */
	if (go_back(f)) {
		restart(&f->picture, now);
		return;
	}
	f->needs_key = true;
	if (jump(f, now))
		return;
	drop_queues(f);
	restart(&f->picture, now);
	if (f->sound.index >= 0)
		restart(&f->sound, sound_ns);
}

static bool ended(const struct film *f)
{
	bool sound = f->sound.index < 0 || (f->sound.drained && !f->sound.queue.n);
	bool picture = f->picture.index < 0 || !f->wanted || f->picture.drained;

	return f->eof && sound && picture && !f->picture.queue.n;
}

enum film_step film_step(struct film *f)
{
	bool moved = false;
	int got = 1;

	if (f->sound.index >= 0)
		moved = decode_sound(f);
	if (f->picture.index >= 0)
		moved |= f->wanted ? decode_picture(f) : pass_picture(f);
	media_out_no_sound(f->out, f->sound.index >= 0 && is_dry(f, &f->sound));
	shed(f);
	if (may_read(f)) {
		got = read_one(f);
		moved = true;
	}
	if (got < 0)
		return FILM_BROKEN;
	if (moved)
		return FILM_BUSY;
	if (!ended(f))
		return FILM_WAITS;
	if (last_picture(f))
		return FILM_BUSY;
	return media_out_drain(f->out) ? FILM_END : FILM_WAITS;
}

bool film_ready(const struct film *f)
{
	unsigned blocks = media_out_blocks(f->out), pictures = media_out_pictures(f->out);
	bool sound = blocks >= READY_BLOCKS || is_dry(f, &f->sound);
	bool picture = !f->wanted || pictures > 0 || is_dry(f, &f->picture);

	/* there are some that say they have sound, and send none */
	if (f->camera && film_clock_ns() - f->begun_ns > CAMERA_WAIT_MS * MS)
		return blocks || pictures || !f->wanted;
	return sound && picture;
}

int64_t film_end_ns(const struct film *f)
{
	int64_t sound = media_out_sound_ns(f->out), picture = media_out_picture_ns(f->out);
	AVRational rate = f->picture.index >= 0 ? f->fmt->streams[f->picture.index]->avg_frame_rate :
						  (AVRational){ 0 };

	if (picture && rate.num > 0 && rate.den > 0)
		picture += av_rescale(NS, rate.den, rate.num);
	return sound > picture ? sound : picture;
}
