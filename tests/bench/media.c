#include "tests/bench/media.h"

#include <libavformat/avformat.h>

#include "tests/bench/floor.h"

void media_load(struct media *m, const char *path)
{
	AVFormatContext *f = NULL;
	AVPacket *p;
	int room = 0;

	memset(m, 0, sizeof *m);
	if (avformat_open_input(&f, path, NULL, NULL) < 0 || avformat_find_stream_info(f, NULL) < 0)
		die("cannot read %s: make it with media.sh", path);
	m->width = f->streams[0]->codecpar->width;
	m->height = f->streams[0]->codecpar->height;
	for (;;) {
		if (m->count == room) {
			room = room ? 2 * room : 256;
			m->pkt = realloc(m->pkt, (size_t)room * sizeof *m->pkt);
			if (!m->pkt)
				die("out of memory");
		}
		p = av_packet_alloc();
		if (!p || av_read_frame(f, p) < 0) {
			av_packet_free(&p);
			break;
		}
		m->pkt[m->count++] = p;
	}
	avformat_close_input(&f);
	if (!m->count)
		die("%s is empty", path);
}

void media_free(struct media *m)
{
	for (int i = 0; i < m->count; i++)
		av_packet_free(&m->pkt[i]);
	free(m->pkt);
}
