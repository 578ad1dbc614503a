#include "storage/player.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>

#include "mcu/base/clock.h"

enum { IO_BYTES = 64 << 10 };

struct player {
	int fd;
	uint64_t size, at;
	AVIOContext *io;
	AVFormatContext *file;
	AVBSFContext *annexb; /* NULL: no pictures */
	AVPacket *pkt;
	int stream[PLAYER_TRACKS]; /* -1: none */
	struct player_info info;
	int64_t from_ns;
	int scale;
	int entry; /* of the pictures' index: the next key frame; -1: none */
	bool over;
};

/* Those of libav that are errno are; the others say that the file is not whole. */
static int mapped(int err)
{
	if (err >= 0)
		return 0;
	return err == AVERROR(ENOMEM) || err == AVERROR(EIO) || err == AVERROR(EACCES) ? err : -EBADMSG;
}

/* --- the file ------------------------------------------------------------------------------ */

static int read_file(void *obj, uint8_t *to, int len)
{
	struct player *p = obj;
	ssize_t n;

	do
		n = pread(p->fd, to, (size_t)len, (off_t)p->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return AVERROR(errno);
	p->at += (uint64_t)n;
	return n ? (int)n : AVERROR_EOF;
}

static int64_t seek_file(void *obj, int64_t off, int whence)
{
	struct player *p = obj;

	if (whence & AVSEEK_SIZE)
		return (int64_t)p->size;
	switch (whence & ~AVSEEK_FORCE) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		off += (int64_t)p->at;
		break;
	case SEEK_END:
		off += (int64_t)p->size;
		break;
	default:
		return AVERROR(EINVAL);
	}
	if (off < 0)
		return AVERROR(EINVAL);
	p->at = (uint64_t)off;
	return off;
}

static int open_file(struct player *p, const char *path)
{
	struct stat st;
	uint8_t *buffer;

	p->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (p->fd < 0 || fstat(p->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	p->size = (uint64_t)st.st_size;
	buffer = av_malloc(IO_BYTES);
	p->file = avformat_alloc_context();
	p->pkt = av_packet_alloc();
	p->io = buffer ? avio_alloc_context(buffer, IO_BYTES, 0, p, read_file, NULL, seek_file) : NULL;
	if (!p->io)
		av_free(buffer);
	if (!p->file || !p->pkt || !p->io)
		return -ENOMEM;
	p->file->pb = p->io;
	/* other files are not opened, whatever the container says */
	p->file->flags |= AVFMT_FLAG_CUSTOM_IO;
	return mapped(avformat_open_input(&p->file, "", NULL, NULL));
}

/* --- tracks --------------------------------------------------------------------------------- */

static int start_annexb(struct player *p, const AVStream *s)
{
	struct player_track *t = &p->info.track[PLAYER_VIDEO];
	const AVBitStreamFilter *f = av_bsf_get_by_name("h264_mp4toannexb");
	int err = f ? av_bsf_alloc(f, &p->annexb) : AVERROR(ENOMEM);

	if (err < 0)
		return mapped(err);
	err = avcodec_parameters_copy(p->annexb->par_in, s->codecpar);
	p->annexb->time_base_in = s->time_base;
	if (err >= 0)
		err = av_bsf_init(p->annexb);
	if (err < 0)
		return mapped(err);
	t->config_len = (size_t)p->annexb->par_out->extradata_size;
	if (t->config_len > sizeof t->config)
		return -EBADMSG;
	memcpy(t->config, p->annexb->par_out->extradata, t->config_len);
	return 0;
}

static int take_video(struct player *p, int i)
{
	const AVStream *s = p->file->streams[i];

	p->stream[PLAYER_VIDEO] = i;
	p->info.track[PLAYER_VIDEO] = (struct player_track){ .there = true, .codec = CODEC_H264,
							     .clock_hz = 90000, .channels = 1 };
	return start_annexb(p, s);
}

static int take_audio(struct player *p, int i, enum codec codec)
{
	const AVCodecParameters *c = p->file->streams[i]->codecpar;
	struct player_track *t = &p->info.track[PLAYER_AUDIO];

	if (c->extradata_size > PLAYER_CONFIG_MAX || c->sample_rate <= 0)
		return -EBADMSG;
	p->stream[PLAYER_AUDIO] = i;
	*t = (struct player_track){ .there = true, .codec = codec,
				    .clock_hz = codec == CODEC_OPUS ? 48000 : (unsigned)c->sample_rate,
				    .channels = (unsigned)c->ch_layout.nb_channels };
	if (c->extradata_size)
		memcpy(t->config, c->extradata, (size_t)c->extradata_size);
	t->config_len = (size_t)c->extradata_size;
	return 0;
}

/* The first of each kind; the rest is left in the file. */
static int take_tracks(struct player *p)
{
	int err = 0;

	for (unsigned i = 0; i < p->file->nb_streams && !err; i++) {
		AVStream *s = p->file->streams[i];
		enum AVCodecID id = s->codecpar->codec_id;

		if (id == AV_CODEC_ID_H264 && p->stream[PLAYER_VIDEO] < 0)
			err = take_video(p, (int)i);
		else if (id == AV_CODEC_ID_AAC && p->stream[PLAYER_AUDIO] < 0)
			err = take_audio(p, (int)i, CODEC_AAC);
		else if (id == AV_CODEC_ID_OPUS && p->stream[PLAYER_AUDIO] < 0)
			err = take_audio(p, (int)i, CODEC_OPUS);
		else
			s->discard = AVDISCARD_ALL;
	}
	if (p->file->duration > 0)
		p->info.duration_ns = p->file->duration * (NS_PER_S / AV_TIME_BASE);
	if (!err && p->stream[PLAYER_VIDEO] < 0 && p->stream[PLAYER_AUDIO] < 0)
		err = -EBADMSG;
	return err;
}

int player_open(struct player **out, const char *path)
{
	struct player *p = calloc(1, sizeof *p);
	int err;

	role_assert_sto();
	if (!p)
		return -ENOMEM;
	p->fd = -1;
	p->stream[PLAYER_AUDIO] = p->stream[PLAYER_VIDEO] = -1;
	err = open_file(p, path);
	if (!err)
		err = take_tracks(p);
	if (!err)
		err = player_seek(p, 0, 1);
	if (err)
		player_close(&p);
	*out = p;
	return err;
}

void player_close(struct player **pp)
{
	struct player *p = *pp;

	if (!p)
		return;
	avformat_close_input(&p->file);
	if (p->io)
		av_freep(&p->io->buffer);
	avio_context_free(&p->io);
	av_bsf_free(&p->annexb);
	av_packet_free(&p->pkt);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
	*pp = NULL;
}

const struct player_info *player_get_info(const struct player *p)
{
	return &p->info;
}

/* --- places ---------------------------------------------------------------------------------- */

static int64_t ns_of(const AVStream *s, int64_t ts)
{
	return av_rescale_q(ts, s->time_base, (AVRational){ 1, NS_PER_S });
}

static int64_t ts_of(const AVStream *s, int64_t ns)
{
	return av_rescale_q(ns, (AVRational){ 1, NS_PER_S }, s->time_base);
}

/* The key frame at or before the place, in the index; -1: none is before it. */
static int entry_before(AVStream *s, int64_t ts)
{
	int n = avformat_index_get_entries_count(s), best = -1;

	for (int i = 0; i < n; i++) {
		const AVIndexEntry *e = avformat_index_get_entry(s, i);

		if (e->timestamp > ts)
			break;
		if (e->flags & AVINDEX_KEYFRAME)
			best = i;
	}
	return best;
}

static int entry_next(AVStream *s, int i, int step)
{
	int n = avformat_index_get_entries_count(s);

	for (i += step; i >= 0 && i < n; i += step)
		if (avformat_index_get_entry(s, i)->flags & AVINDEX_KEYFRAME)
			return i;
	return -1;
}

static int first_entry(AVStream *s)
{
	return entry_next(s, -1, 1);
}

int player_seek(struct player *p, int64_t npt_ns, int scale)
{
	int by = p->stream[PLAYER_VIDEO] >= 0 ? PLAYER_VIDEO : PLAYER_AUDIO, err;
	AVStream *s = p->file->streams[p->stream[by]];

	role_assert_sto();
	p->from_ns = npt_ns;
	p->scale = scale;
	p->over = false;
	av_packet_unref(p->pkt);
	if (p->annexb)
		av_bsf_flush(p->annexb);
	if (scale != 1) {
		if (by != PLAYER_VIDEO)
			return -EBADMSG;
		p->entry = entry_before(s, ts_of(s, npt_ns));
		if (p->entry < 0 && scale > 0)
			p->entry = first_entry(s);
		return 0;
	}
	err = av_seek_frame(p->file, p->stream[by], ts_of(s, npt_ns), AVSEEK_FLAG_BACKWARD);
	if (err < 0 && npt_ns > 0)
		err = av_seek_frame(p->file, p->stream[by], 0, AVSEEK_FLAG_BACKWARD);
	return err < 0 && npt_ns > 0 ? mapped(err) : 0;
}

/* --- samples ---------------------------------------------------------------------------------- */

static enum player_track_no track_of(const struct player *p, int stream)
{
	return stream == p->stream[PLAYER_VIDEO] ? PLAYER_VIDEO :
	       stream == p->stream[PLAYER_AUDIO] ? PLAYER_AUDIO : PLAYER_TRACKS;
}

/* 1: *out is it; 0: it is passed over; -errno. */
static int deliver(struct player *p, struct player_sample *out)
{
	const AVStream *s = p->file->streams[p->pkt->stream_index];
	enum player_track_no t = track_of(p, p->pkt->stream_index);
	int64_t ts = p->pkt->pts != AV_NOPTS_VALUE ? p->pkt->pts : p->pkt->dts;
	int err;

	if (t == PLAYER_TRACKS || ts == AV_NOPTS_VALUE)
		return 0;
	*out = (struct player_sample){ .track = t, .npt_ns = ns_of(s, ts),
				       .key = p->pkt->flags & AV_PKT_FLAG_KEY };
	out->lead = p->scale == 1 && out->npt_ns < p->from_ns;
	if (out->npt_ns < 0 || (t == PLAYER_AUDIO && out->lead))
		return 0;
	if (t == PLAYER_VIDEO) {
		err = av_bsf_send_packet(p->annexb, p->pkt);
		if (err >= 0)
			err = av_bsf_receive_packet(p->annexb, p->pkt);
		if (err == AVERROR(EAGAIN))
			return 0;
		if (err < 0)
			return mapped(err);
	}
	out->data = p->pkt->data;
	out->len = (size_t)p->pkt->size;
	return out->len ? 1 : 0;
}

/* The next sample of the file, whatever it is. 1, 0 or -errno. */
static int read_one(struct player *p)
{
	int err;

	av_packet_unref(p->pkt);
	err = av_read_frame(p->file, p->pkt);
	if (err == AVERROR_EOF)
		return 0;
	return err < 0 ? mapped(err) : 1;
}

/* The key frame of the present entry of the index. */
static int next_key(struct player *p, struct player_sample *out)
{
	AVStream *s = p->file->streams[p->stream[PLAYER_VIDEO]];
	int more, err;

	if (p->entry < 0)
		return 0;
	err = av_seek_frame(p->file, s->index, avformat_index_get_entry(s, p->entry)->timestamp,
			    AVSEEK_FLAG_BACKWARD);
	if (err < 0)
		return mapped(err);
	while ((more = read_one(p)) > 0) {
		if (p->pkt->stream_index != s->index || !(p->pkt->flags & AV_PKT_FLAG_KEY))
			continue;
		err = deliver(p, out);
		if (err)
			break;
	}
	p->entry = entry_next(s, p->entry, p->scale < 0 ? -1 : 1);
	return more > 0 ? err : more;
}

int player_next(struct player *p, struct player_sample *out)
{
	int more;

	role_assert_sto();
	if (p->scale != 1)
		return next_key(p, out);
	while ((more = read_one(p)) > 0) {
		int taken = deliver(p, out);

		if (taken)
			return taken;
	}
	return more;
}
