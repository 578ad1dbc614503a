/* Floor of a video room: what mixing N senders into one picture must cost.
 *
 * Measured: CPU time per second of media, one thread, to decode N H.264 inputs
 * (libavcodec), place them in an I420 grid (a copy when the sizes match, libyuv
 * box at exactly 2:1, swscale area otherwise, aspect kept), encode the grid
 * once (libx264: superfast, zerolatency, constrained baseline, 1.5 Mb/s, VBV
 * 0.5 s, IDR only on demand), and the audio of N talkers as in audio.h, the
 * full mix included.
 * Not measured: network, SRTP, RTP, jitter buffers, labels, layouts that
 * change, loading of the media, and the first second (cold caches, page
 * faults, the first key frame).
 *
 *   room_floor [--media media] [--inputs a.h264,b.h264,...] [--voices N]
 *              [--size 1280x720] [--asm default|avx2] [--seconds 10] [--paced]
 *              [--out file.h264] [--stages] [--vp8 SPEED]
 *
 * --voices: talkers, by default as many as inputs; 0 = no audio.
 * --out: the encoded pictures, the first second included.
 * --stages: also prints the CPU time of each stage to stderr.
 * --vp8: encodes each picture with libvpx too (VP8, cpu-used -SPEED, the same
 *   rate); the figure is what that alone costs.
 */
#include <getopt.h>
#include <libavcodec/avcodec.h>

#include "tests/bench/audio.h"
#include "tests/bench/floor.h"
#include "tests/bench/input.h"

enum { FPS = 30, TPS = 50, WARMUP_S = 1, MAX_INPUTS = 16, BITRATE = 1500000 };

enum stage { DECODE, PLACE, ENCODE, VP8, AUDIO, STAGES };

struct room {
	struct input *in[MAX_INPUTS];
	int inputs;
	AVFrame *canvas, *frame;
	AVCodecContext *enc, *vp8; /* vp8: NULL without */
	AVPacket *pkt;
	struct audio *audio;
	FILE *out;
	int64_t bytes;
	int stages;
	double mark, spent[STAGES];
};

static void stage_end(struct room *r, enum stage s)
{
	double t;

	if (!r->stages && !r->vp8)
		return;
	t = cpu_ms();
	r->spent[s] += t - r->mark;
	r->mark = t;
}

static void encoder_open(struct room *r, int width, int height, const char *cpu)
{
	const AVCodec *c = avcodec_find_encoder_by_name("libx264");
	AVCodecContext *e = avcodec_alloc_context3(c);
	AVDictionary *d = NULL;

	if (!c || !e)
		die("no libx264 in libavcodec");
	e->width = width;
	e->height = height;
	e->pix_fmt = AV_PIX_FMT_YUV420P;
	e->time_base = (AVRational){ 1, FPS };
	e->framerate = (AVRational){ FPS, 1 };
	e->bit_rate = e->rc_max_rate = BITRATE;
	e->rc_buffer_size = BITRATE / 2;
	e->gop_size = 1000000;
	e->max_b_frames = 0;
	e->thread_count = 1;
	av_dict_set(&d, "preset", "superfast", 0);
	av_dict_set(&d, "tune", "zerolatency", 0);
	av_dict_set(&d, "profile", "baseline", 0); /* x264's is the constrained one */
	if (strcmp(cpu, "default"))
		av_dict_set(&d, "x264-params", "asm=avx2", 0);
	if (avcodec_open2(e, c, &d) < 0)
		die("cannot open libx264 at %dx%d", width, height);
	av_dict_free(&d);
	r->enc = e;
}

static void vp8_open(struct room *r, int width, int height, int speed)
{
	const AVCodec *c = avcodec_find_encoder_by_name("libvpx");
	AVCodecContext *e = avcodec_alloc_context3(c);
	AVDictionary *d = NULL;
	char text[16];

	if (!c || !e)
		die("no libvpx in libavcodec");
	e->width = width;
	e->height = height;
	e->pix_fmt = AV_PIX_FMT_YUV420P;
	e->time_base = (AVRational){ 1, FPS };
	e->framerate = (AVRational){ FPS, 1 };
	e->bit_rate = e->rc_min_rate = e->rc_max_rate = BITRATE;
	e->rc_buffer_size = BITRATE / 2;
	e->gop_size = 1000000;
	e->thread_count = 1;
	snprintf(text, sizeof text, "%d", -speed);
	av_dict_set(&d, "deadline", "realtime", 0);
	av_dict_set(&d, "cpu-used", text, 0);
	av_dict_set(&d, "lag-in-frames", "0", 0);
	av_dict_set(&d, "static-thresh", "1", 0);
	if (avcodec_open2(e, c, &d) < 0)
		die("cannot open libvpx at %dx%d", width, height);
	av_dict_free(&d);
	r->vp8 = e;
}

static void vp8_frame(struct room *r)
{
	if (!r->vp8)
		return;
	if (avcodec_send_frame(r->vp8, r->canvas) < 0)
		die("VP8 encoder failed");
	while (avcodec_receive_packet(r->vp8, r->pkt) >= 0)
		av_packet_unref(r->pkt);
	stage_end(r, VP8);
}

static void canvas_open(struct room *r, int width, int height)
{
	r->canvas = av_frame_alloc();
	r->frame = av_frame_alloc();
	r->pkt = av_packet_alloc();
	if (!r->canvas || !r->frame || !r->pkt)
		die("out of memory");
	r->canvas->format = AV_PIX_FMT_YUV420P;
	r->canvas->width = width;
	r->canvas->height = height;
	r->canvas->pts = 0;
	if (av_frame_get_buffer(r->canvas, 64) < 0)
		die("out of memory");
	memset(r->canvas->data[0], 16, (size_t)(r->canvas->linesize[0] * height));
	memset(r->canvas->data[1], 128, (size_t)(r->canvas->linesize[1] * height / 2));
	memset(r->canvas->data[2], 128, (size_t)(r->canvas->linesize[2] * height / 2));
}

static void room_frame(struct room *r)
{
	int n = 0;

	for (int i = 0; i < r->inputs; i++) {
		input_decode(r->in[i], r->frame);
		stage_end(r, DECODE);
		input_draw(r->in[i], r->frame, r->canvas);
		stage_end(r, PLACE);
	}
	if (avcodec_send_frame(r->enc, r->canvas) < 0)
		die("encoder failed");
	for (; avcodec_receive_packet(r->enc, r->pkt) >= 0; n++) {
		r->bytes += r->pkt->size;
		if (r->out && fwrite(r->pkt->data, (size_t)r->pkt->size, 1, r->out) != 1)
			die("--out: %s", strerror(errno));
		av_packet_unref(r->pkt);
	}
	/* The one canvas is drawn again in place: libx264 must be done with it. */
	if (n != 1 || !av_frame_is_writable(r->canvas))
		die("encoder: not one packet per picture");
	stage_end(r, ENCODE);
	vp8_frame(r);
	r->canvas->pts++;
}

static void room_run(struct room *r, int seconds, int paced, const char *cpu)
{
	struct schedule s = { .fps = FPS, .tps = r->audio ? TPS : 0, .start_ns = now_ns() };
	int64_t total = (int64_t)(WARMUP_S + seconds) * FPS;
	int video, audio, warm = 0;
	double start = 0;

	for (;;) {
		int64_t t = schedule_next(&s, &video, &audio);

		if (!warm && t >= WARMUP_S * NS_PER_S) {
			warm = 1;
			memset(r->spent, 0, sizeof r->spent);
			r->bytes = 0;
			start = r->mark = cpu_ms();
		}
		if (s.frames > total)
			break;
		if (paced)
			sleep_until(s.start_ns + t);
		if (audio) {
			audio_tick(r->audio);
			stage_end(r, AUDIO);
		}
		if (video)
			room_frame(r);
	}
	if (r->vp8)
		printf("floor vp8 %.1f ms/s paced=%d\n", r->spent[VP8] / seconds, paced);
	else
		printf("floor room%d %.1f ms/s paced=%d asm=%s frames=%d kbps=%.0f\n", r->inputs,
	       (cpu_ms() - start) / seconds, paced, cpu, seconds * FPS,
		       (double)r->bytes * 8e-3 / seconds);
	if (r->stages)
		fprintf(stderr, "decode %.1f place %.1f encode %.1f audio %.1f ms/s\n",
			r->spent[DECODE] / seconds, r->spent[PLACE] / seconds,
			r->spent[ENCODE] / seconds, r->spent[AUDIO] / seconds);
}

static void room_close(struct room *r)
{
	for (int i = 0; i < r->inputs; i++)
		input_free(r->in[i]);
	if (r->audio)
		audio_free(r->audio);
	avcodec_free_context(&r->enc);
	avcodec_free_context(&r->vp8);
	av_frame_free(&r->canvas);
	av_frame_free(&r->frame);
	av_packet_free(&r->pkt);
	if (r->out && fclose(r->out))
		die("--out: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "media", 1, NULL, 'm' }, { "inputs", 1, NULL, 'i' }, { "voices", 1, NULL, 'v' },
		{ "size", 1, NULL, 'z' },  { "asm", 1, NULL, 'a' },    { "seconds", 1, NULL, 's' },
		{ "paced", 0, NULL, 'p' }, { "out", 1, NULL, 'o' },    { "stages", 0, NULL, 'g' },  { "vp8", 1, NULL, '8' },
		{ NULL, 0, NULL, 0 },
	};
	struct room r = { 0 };
	const char *dir = "media", *cpu = "default";
	char *list = NULL, path[4096];
	int seconds = 10, paced = 0, voices = -1, vp8 = 0, width = 1280, height = 720, c;

	av_log_set_level(AV_LOG_WARNING);
	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'm': dir = optarg; break;
		case 'i': list = optarg; break;
		case 'v': voices = atoi(optarg); break;
		case 'z':
			if (sscanf(optarg, "%dx%d", &width, &height) != 2)
				die("--size is WIDTHxHEIGHT");
			break;
		case 'a': cpu = optarg; break;
		case 's': seconds = atoi(optarg); break;
		case 'p': paced = 1; break;
		case 'o':
			r.out = fopen(optarg, "wb");
			if (!r.out)
				die("%s: %s", optarg, strerror(errno));
			break;
		case 'g': r.stages = 1; break;
		case '8': vp8 = atoi(optarg); break;
		default: die("see the comment on top of room_floor.c");
		}
	}
	if (seconds < 1 || (strcmp(cpu, "default") && strcmp(cpu, "avx2")))
		die("--seconds must be at least 1, --asm default or avx2");

	for (char *p = list ? strtok(list, ",") : NULL; p && r.inputs < MAX_INPUTS;
	     p = strtok(NULL, ","))
		r.in[r.inputs++] = input_new(p);
	for (; !list && r.inputs < 4; r.inputs++) {
		snprintf(path, sizeof path, "%s/cam%d.h264", dir, r.inputs);
		r.in[r.inputs] = input_new(path);
	}
	for (int i = 0; i < r.inputs; i++)
		input_place(r.in[i], i, r.inputs, width, height);
	voices = voices < 0 ? r.inputs : voices;
	r.audio = voices ? audio_new(dir, voices, 1) : NULL;
	canvas_open(&r, width, height);
	encoder_open(&r, width, height, cpu);
	if (vp8)
		vp8_open(&r, width, height, vp8);
	room_run(&r, seconds, paced, cpu);
	room_close(&r);
	return 0;
}
