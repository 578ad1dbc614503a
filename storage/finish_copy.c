#include "storage/finish_copy.h"

#include <errno.h>
#include <libavformat/avformat.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum { STREAMS_MAX = 64, LOOK_PACKETS = 64, SLACK_US = 2000 };

/* What libav says as -errno. */
static int from_av(int err)
{
	if (err >= 0)
		return 0;
	if (err == AVERROR(ENOMEM) || err == AVERROR(ENOSPC) || err == AVERROR(EIO) ||
	    err == AVERROR(ENOENT) || err == AVERROR(EDQUOT) || err == AVERROR(EFBIG))
		return err;
	return -EBADMSG;
}

static int open_movie(AVFormatContext **out, const char *path)
{
	char url[4096];
	int err;

	if (snprintf(url, sizeof(url), "file:%s", path) >= (int)sizeof(url))
		return -ENAMETOOLONG;
	err = avformat_open_input(out, url, NULL, NULL);
	if (!err)
		err = avformat_find_stream_info(*out, NULL);
	if (err >= 0 && ((*out)->nb_streams < 1 || (*out)->nb_streams > STREAMS_MAX))
		err = AVERROR_INVALIDDATA;
	return from_av(err);
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static int tell(const struct mp4_front_watch *w, uint64_t done, uint64_t of)
{
	return w && w->progress ? w->progress(w->obj, done, of) : 0;
}

/* --- Matroska: where its cues are ---------------------------------------------- */

enum { EBML_HEADER = 0x1a45dfa3, SEGMENT = 0x18538067, CLUSTER = 0x1f43b675, CUES = 0x1c53bb6b };

/* An id (with its marker) or a size (without); false: not one. */
static bool take_vint(AVIOContext *io, unsigned max, bool marker, uint64_t *out)
{
	int first = avio_r8(io);
	unsigned n = 1;

	while (n <= max && !(first & (0x100 >> n)))
		n++;
	if (n > max || avio_feof(io))
		return false;
	*out = (uint64_t)(marker ? first : first & ((0x100 >> n) - 1));
	for (unsigned i = 1; i < n; i++)
		*out = *out << 8 | (unsigned)avio_r8(io);
	return !avio_feof(io);
}

static bool cues_in_front(const char *path)
{
	AVIOContext *io = NULL;
	uint64_t id, size;
	bool found = false, more = true;

	if (avio_open(&io, path, AVIO_FLAG_READ) < 0)
		return false;
	for (int i = 0; more && i < 64; i++) {
		more = take_vint(io, 4, true, &id) && take_vint(io, 8, false, &size);
		if (!more || id == CLUSTER)
			break;
		found = id == CUES;
		if (found)
			break;
		if (id != SEGMENT)
			more = size < INT64_MAX / 2 && avio_skip(io, (int64_t)size) >= 0;
	}
	avio_closep(&io);
	return found;
}

/* --- copying ------------------------------------------------------------------- */

static int add_streams(AVFormatContext *to, const AVFormatContext *from)
{
	for (unsigned i = 0; i < from->nb_streams; i++) {
		AVStream *s = avformat_new_stream(to, NULL);

		if (!s)
			return AVERROR(ENOMEM);
		int err = avcodec_parameters_copy(s->codecpar, from->streams[i]->codecpar);

		if (err < 0)
			return err;
		s->codecpar->codec_tag = 0;
		s->time_base = from->streams[i]->time_base;
		s->avg_frame_rate = from->streams[i]->avg_frame_rate;
		err = av_dict_copy(&s->metadata, from->streams[i]->metadata, 0);
		if (err < 0)
			return err;
	}
	return av_dict_copy(&to->metadata, from->metadata, 0);
}

static int copy_packets(AVFormatContext *from, AVFormatContext *to, uint64_t size,
			const struct mp4_front_watch *w)
{
	AVPacket *p = av_packet_alloc();
	int err = p ? 0 : AVERROR(ENOMEM), stopped = 0;

	for (unsigned n = 0; !err && !stopped; n++) {
		err = av_read_frame(from, p);
		if (err)
			break;
		av_packet_rescale_ts(p, from->streams[p->stream_index]->time_base,
				     to->streams[p->stream_index]->time_base);
		p->pos = -1;
		err = av_interleaved_write_frame(to, p);
		av_packet_unref(p);
		if (n % LOOK_PACKETS == 0)
			stopped = tell(w, (uint64_t)avio_tell(from->pb), size);
	}
	av_packet_free(&p);
	return stopped ? stopped : err == AVERROR_EOF ? 0 : from_av(err);
}

static int write_movie(AVFormatContext *from, AVFormatContext *to, const char *path, uint64_t size,
		       const struct mp4_front_watch *w)
{
	AVDictionary *options = NULL;
	int err = avio_open(&to->pb, path, AVIO_FLAG_WRITE);

	to->flags |= AVFMT_FLAG_BITEXACT; /* no name of ours or theirs in it */
	av_dict_set(&options, "movflags", "faststart", 0);
	av_dict_set(&options, "cues_to_front", "1", 0);
	if (err >= 0)
		err = avformat_write_header(to, &options);
	av_dict_free(&options);
	err = from_av(err);
	if (!err)
		err = copy_packets(from, to, size, w);
	if (!err)
		err = from_av(av_write_trailer(to));
	return err;
}

int finish_remux(const char *from, const char *to, const struct mp4_front_watch *w)
{
	AVFormatContext *in = NULL, *out = NULL;
	const char *format;
	char url[4096];
	int err = open_movie(&in, from);

	if (err)
		goto end;
	format = strstr(in->iformat->name, "matroska") ? "matroska" :
		 strstr(in->iformat->name, "mp4") ? "mp4" : NULL;
	if (!format)
		err = -ENOTSUP;
	else if (!strcmp(format, "matroska") && cues_in_front(from))
		err = -EALREADY;
	else if (snprintf(url, sizeof(url), "file:%s", to) >= (int)sizeof(url))
		err = -ENAMETOOLONG;
	else
		err = from_av(avformat_alloc_output_context2(&out, NULL, format, url));
	if (!err)
		err = from_av(add_streams(out, in));
	if (!err)
		err = write_movie(in, out, url, size_of(from), w);
end:
	if (out)
		avio_closep(&out->pb);
	avformat_free_context(out);
	avformat_close_input(&in);
	return err;
}

/* --- measuring ----------------------------------------------------------------- */

int finish_measure(const char *path, struct finish_size *out)
{
	AVFormatContext *in = NULL;
	int err = open_movie(&in, path);

	*out = (struct finish_size){ .bytes = (int64_t)size_of(path) };
	if (!err && in->duration <= 0)
		err = -EBADMSG;
	if (!err)
		out->duration_ms = in->duration / 1000;
	for (unsigned i = 0; !err && i < in->nb_streams && !out->width; i++) {
		out->width = in->streams[i]->codecpar->width;
		out->height = in->streams[i]->codecpar->height;
	}
	avformat_close_input(&in);
	return err;
}

/* --- comparing ----------------------------------------------------------------- */

struct sums {
	unsigned streams;
	int type[STREAMS_MAX];
	uint64_t packets[STREAMS_MAX], octets[STREAMS_MAX], keys[STREAMS_MAX];
	int64_t first_us[STREAMS_MAX], last_us[STREAMS_MAX];
};

static int add_up(struct sums *s, const char *path, const struct mp4_front_watch *w,
		  uint64_t before, uint64_t of)
{
	AVFormatContext *in = NULL;
	AVPacket *p = av_packet_alloc();
	int err = p ? open_movie(&in, path) : -ENOMEM, stopped = 0, got = 0;

	*s = (struct sums){ .streams = err ? 0 : in->nb_streams };
	for (unsigned i = 0; i < s->streams; i++)
		s->type[i] = in->streams[i]->codecpar->codec_type;
	for (unsigned n = 0; !err && !stopped && !(got = av_read_frame(in, p)); n++) {
		int i = p->stream_index;
		int64_t us = i >= 0 && i < (int)s->streams && p->pts != AV_NOPTS_VALUE ?
				     av_rescale_q(p->pts, in->streams[i]->time_base,
						  AV_TIME_BASE_Q) : INT64_MIN;

		if (us == INT64_MIN) {
			err = -EBADMSG;
			break;
		}
		if (!s->packets[i]++)
			s->first_us[i] = us;
		s->last_us[i] = us;
		s->octets[i] += (uint64_t)p->size;
		s->keys[i] += p->flags & AV_PKT_FLAG_KEY ? 1 : 0;
		av_packet_unref(p);
		if (n % LOOK_PACKETS == 0)
			stopped = tell(w, before + (uint64_t)avio_tell(in->pb), of);
	}
	av_packet_free(&p);
	avformat_close_input(&in);
	return stopped ? stopped : err ? err : got == AVERROR_EOF ? 0 : from_av(got);
}

static bool near(int64_t a, int64_t b)
{
	return a - b <= SLACK_US && b - a <= SLACK_US;
}

int finish_compare(const char *a, const char *b, const struct mp4_front_watch *w)
{
	uint64_t first = size_of(a), all = first + size_of(b);
	struct sums x, y;
	int err = add_up(&x, a, w, 0, all);

	if (!err)
		err = add_up(&y, b, w, first, all);
	if (err)
		return err;
	if (x.streams != y.streams)
		return -EBADMSG;
	for (unsigned i = 0; i < x.streams; i++)
		if (x.type[i] != y.type[i] || x.packets[i] != y.packets[i] ||
		    x.octets[i] != y.octets[i] || x.keys[i] != y.keys[i] ||
		    !near(x.first_us[i], y.first_us[i]) || !near(x.last_us[i], y.last_us[i]))
			return -EBADMSG;
	return 0;
}
