#include "tests/load/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/load/util.h"

static const char USAGE[] =
	"usage: mcu-bot --url http://ADDRESS:PORT --room NAME [options]\n"
	"       mcu-bot --selftest\n"
	"\n"
	"who takes part\n"
	"  --senders N           participants that send and receive (libnice, libsrtp2)\n"
	"  --viewers N           participants that only receive (own ICE and SRTP)\n"
	"  --bad KIND,…          one more each: stall, vanish, garbage, signaling,\n"
	"                        flood, rush\n"
	"  --bad-after S         when they begin, after they are connected (2)\n"
	"  --storm RATE          so many joins per second at random, staying 0 to 3 s\n"
	"  --ramp RATE           joins per second (50)\n"
	"  --seconds S           after all are ready (10)\n"
	"  --ready-within S      how long that may take (20)\n"
	"  --rooms N             spread over NAME-0, NAME-1 … in turn (1: all in NAME)\n"
	"  --say JSON            a message that the first one sends once it has joined\n"
	"  --name PREFIX         of the names: PREFIXsender-0, PREFIXviewer-0 …\n"
	"what is sent\n"
	"  --media DIR           of media.sh (build/media): cam*.h264 or colour*.h264,\n"
	"                        voice*.ogg or tone*.ogg, one after the other\n"
	"  --video FILE,…  --audio FILE,…   other files\n"
	"  --content FILE        the first sender shares this as well, a second picture\n"
	"  --talkers N           so many senders of each room talk, the others are quiet\n"
	"  --adapt               send the size that the message `uplink` asks for: of\n"
	"                        cam0.h264, cam0-320x180.h264 … the largest that fits\n"
	"  --fps N               pictures per second of what is sent (30)\n"
	"  --no-audio  --no-video           do not send it\n"
	"  --send-only-video     senders do not receive video\n"
	"  --audio-only          nobody offers video at all\n"
	"  --mini-senders        senders with the viewers' ICE and SRTP\n"
	"what is received\n"
	"  --vp8                 viewers offer VP8 only\n"
	"  --max-height N        viewers want no more lines than that (0: sound alone)\n"
	"  --idle                they are only there: that nothing comes is no failure\n"
	"  --decode K            every K-th participant decodes (0: none)\n"
	"  --tones HZ,…  --points X,Y;…     what to measure there; tiles are always sampled\n"
	"  --ppm FILE            the last picture of the first one that decodes\n"
	"  --h264 FILE           what the first viewer is shown, as it was encoded\n"
	"  --stamps              viewers take arrival times from the kernel, not from the\n"
	"                        10 ms sweep over their sockets\n"
	"  --feedback RATE       RTCP packets per second of each (11)\n"
	"the network\n"
	"  --address IPV4        of their media sockets (127.0.0.1)\n"
	"  --relay ADDRESS:PORT,USER,PASSWORD   through this TURN server only\n"
	"  --gcm  --cm           offer only this SRTP profile\n"
	"  --no-twcc             do not offer transport-wide feedback\n"
	"  --nack                ask for lost packets\n"
	"  --drop-tx N  --drop-rx N         lose N of 1000 packets\n"
	"  --late-tx N           N of 1000 packets come 30 ms late\n"
	"other\n"
	"  --latency             measure delay: sends its own media, receives with one viewer\n"
	"  --text                a summary to read; with --json FILE both\n"
	"  --json FILE           the summary goes there, not to the output\n"
	"  --seed N              of the random choices; by default another each time\n"
	"\n"
	"Says \"ready\" on the error output when all are connected, see and hear.\n"
	"SIGTERM ends it before its time, with a summary.\n"
	"Exit status: 0 everything as expected, 1 not, 2 cannot run.\n";

enum {
	O_URL,
	O_ROOMS,
	O_SAY,
	O_TALKERS,
	O_ADAPT,
	O_FPS,
	O_H264,
	O_STAMPS,
	O_TEXT,
	O_IDLE,
	O_ROOM,
	O_SENDERS,
	O_VIEWERS,
	O_BAD,
	O_BAD_AFTER,
	O_STORM,
	O_RAMP,
	O_SECONDS,
	O_READY,
	O_NAME,
	O_MEDIA,
	O_VIDEO,
	O_AUDIO,
	O_NO_AUDIO,
	O_NO_VIDEO,
	O_AUDIO_ONLY,
	O_SEND_ONLY,
	O_MINI,
	O_DECODE,
	O_TONES,
	O_POINTS,
	O_PPM,
	O_FEEDBACK,
	O_GCM,
	O_CM,
	O_NO_TWCC,
	O_VP8,
	O_MAX_HEIGHT,
	O_NACK,
	O_DROP_TX,
	O_DROP_RX,
	O_LATE_TX,
	O_ADDRESS,
	O_RELAY,
	O_CONTENT,
	O_LATENCY,
	O_JSON,
	O_SEED,
	O_SELFTEST,
	O_HELP,
};

static const struct option LONG[] = {
	{ "url", 1, NULL, O_URL },
	{ "rooms", 1, NULL, O_ROOMS },
	{ "say", 1, NULL, O_SAY },
	{ "talkers", 1, NULL, O_TALKERS },
	{ "adapt", 0, NULL, O_ADAPT },
	{ "fps", 1, NULL, O_FPS },
	{ "h264", 1, NULL, O_H264 },
	{ "stamps", 0, NULL, O_STAMPS },
	{ "text", 0, NULL, O_TEXT },
	{ "idle", 0, NULL, O_IDLE },
	{ "room", 1, NULL, O_ROOM },
	{ "senders", 1, NULL, O_SENDERS },
	{ "viewers", 1, NULL, O_VIEWERS },
	{ "bad", 1, NULL, O_BAD },
	{ "bad-after", 1, NULL, O_BAD_AFTER },
	{ "storm", 1, NULL, O_STORM },
	{ "ramp", 1, NULL, O_RAMP },
	{ "seconds", 1, NULL, O_SECONDS },
	{ "ready-within", 1, NULL, O_READY },
	{ "name", 1, NULL, O_NAME },
	{ "media", 1, NULL, O_MEDIA },
	{ "video", 1, NULL, O_VIDEO },
	{ "audio", 1, NULL, O_AUDIO },
	{ "no-audio", 0, NULL, O_NO_AUDIO },
	{ "no-video", 0, NULL, O_NO_VIDEO },
	{ "audio-only", 0, NULL, O_AUDIO_ONLY },
	{ "send-only-video", 0, NULL, O_SEND_ONLY },
	{ "mini-senders", 0, NULL, O_MINI },
	{ "decode", 1, NULL, O_DECODE },
	{ "tones", 1, NULL, O_TONES },
	{ "points", 1, NULL, O_POINTS },
	{ "ppm", 1, NULL, O_PPM },
	{ "feedback", 1, NULL, O_FEEDBACK },
	{ "gcm", 0, NULL, O_GCM },
	{ "cm", 0, NULL, O_CM },
	{ "no-twcc", 0, NULL, O_NO_TWCC },
	{ "vp8", 0, NULL, O_VP8 },
	{ "max-height", 1, NULL, O_MAX_HEIGHT },
	{ "nack", 0, NULL, O_NACK },
	{ "drop-tx", 1, NULL, O_DROP_TX },
	{ "drop-rx", 1, NULL, O_DROP_RX },
	{ "late-tx", 1, NULL, O_LATE_TX },
	{ "address", 1, NULL, O_ADDRESS },
	{ "relay", 1, NULL, O_RELAY },
	{ "content", 1, NULL, O_CONTENT },
	{ "latency", 0, NULL, O_LATENCY },
	{ "json", 1, NULL, O_JSON },
	{ "seed", 1, NULL, O_SEED },
	{ "selftest", 0, NULL, O_SELFTEST },
	{ "help", 0, NULL, O_HELP },
	{ NULL, 0, NULL, 0 },
};

static double number(const char *text, double max)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= 0) || v > max)
		bot_die("%s is not a number between 0 and %g", text, max);
	return v;
}

static unsigned whole(const char *text)
{
	return (unsigned)number(text, 1e6);
}

static size_t split(char *text, const char *at, char **out)
{
	size_t n = 0;

	for (char *p = strtok(text, at); p && n < OPT_MAX_LIST; p = strtok(NULL, at))
		out[n++] = p;
	return n;
}

static void parse_tones(struct options *o, char *text)
{
	char *list[OPT_MAX_LIST];

	o->tones_n = split(text, ",", list);
	for (size_t i = 0; i < o->tones_n; i++)
		o->tones[i] = number(list[i], 24000);
}

static void parse_points(struct options *o, char *text)
{
	char *list[OPT_MAX_LIST];

	o->points_n = split(text, ";", list);
	for (size_t i = 0; i < o->points_n; i++)
		if (sscanf(list[i], "%d,%d", &o->points[i][0], &o->points[i][1]) != 2)
			bot_die("--points takes X,Y;X,Y…");
}

static void parse_bad(struct options *o, char *text)
{
	static const char *const names[] = { "stall",	"vanish", "garbage",
					     "signaling", "flood",	"rush" };
	const size_t n = sizeof names / sizeof *names;
	char *list[OPT_MAX_LIST];
	size_t k;

	o->bads = split(text, ",", list);
	for (size_t i = 0; i < o->bads; i++) {
		for (k = 0; k < n && strcmp(list[i], names[k]); k++)
			;
		if (k == n)
			bot_die("--bad takes stall, vanish, garbage, signaling, flood, rush");
		o->bad[i] = PEER_STALL + (enum peer_kind)k;
	}
}

static void parse_count(struct options *o, int opt, const char *text)
{
	unsigned n = whole(text);

	switch (opt) {
	case O_SENDERS: o->senders = n; break;
	case O_ROOMS: o->rooms = n ? n : 1; break;
	case O_FPS: o->fps = n; break;
	case O_TALKERS:
		o->talkers = n;
		o->has_talkers = true;
		break;
	case O_VIEWERS: o->viewers = n; break;
	case O_STORM: o->storm_hz = n; break;
	case O_RAMP: o->ramp_hz = n; break;
	case O_SECONDS: o->seconds = n; break;
	case O_READY: o->ready_s = n; break;
	case O_DECODE: o->decode_every = n; break;
	case O_FEEDBACK: o->feedback_hz = n; break;
	case O_DROP_TX: o->drop_tx = n; break;
	case O_DROP_RX: o->drop_rx = n; break;
	case O_LATE_TX: o->late_tx = n; break;
	case O_SEED: o->seed = n; break;
	case O_MAX_HEIGHT:
		o->max_height = n;
		o->has_max_height = true;
		break;
	default: break;
	}
}

static void parse_flag(struct options *o, int opt)
{
	switch (opt) {
	case O_NO_AUDIO: o->no_audio = true; break;
	case O_ADAPT: o->adapt = true; break;
	case O_STAMPS: o->stamps = true; break;
	case O_TEXT: o->text = true; break;
	case O_IDLE: o->idle = true; break;
	case O_NO_VIDEO: o->no_video = true; break;
	case O_AUDIO_ONLY: o->audio_only = true; break;
	case O_SEND_ONLY: o->send_only_video = true; break;
	case O_MINI: o->mini_senders = true; break;
	case O_GCM: o->only = SEC_GCM; break;
	case O_CM: o->only = SEC_CM; break;
	case O_NO_TWCC: o->no_twcc = true; break;
	case O_VP8: o->vp8 = true; break;
	case O_NACK: o->nack = true; break;
	case O_LATENCY: o->latency = true; break;
	case O_SELFTEST: o->selftest = true; break;
	case O_HELP: fputs(USAGE, stdout); exit(0);
	default: bot_die("%s", USAGE);
	}
}

static void parse_one(struct options *o, int opt, char *arg)
{
	switch (opt) {
	case O_URL:
		if (!ws_parse_url(&o->url, arg))
			bot_die("--url takes http://IPV4-ADDRESS:PORT");
		break;
	case O_ROOM: o->room = arg; break;
	case O_SAY: o->say = arg; break;
	case O_H264: o->h264 = arg; break;
	case O_NAME: o->prefix = arg; break;
	case O_MEDIA: o->media = arg; break;
	case O_JSON: o->json = arg; break;
	case O_ADDRESS: ice_use_address(arg); break;
	case O_RELAY:
		o->relay = true;
		if (!ice_use_relay(arg))
			bot_die("--relay takes ADDRESS:PORT,USER,PASSWORD");
		break;
	case O_CONTENT: o->content = arg; break;
	case O_PPM: o->ppm = arg; break;
	case O_VIDEO: o->videos = split(arg, ",", o->video); break;
	case O_AUDIO: o->audios = split(arg, ",", o->audio); break;
	case O_TONES: parse_tones(o, arg); break;
	case O_POINTS: parse_points(o, arg); break;
	case O_BAD: parse_bad(o, arg); break;
	case O_BAD_AFTER: o->bad_after_s = number(arg, 1e6); break;
	default:
		if (arg)
			parse_count(o, opt, arg);
		else
			parse_flag(o, opt);
	}
}

void options_parse(struct options *o, int argc, char **argv)
{
	int c;

	*o = (struct options){ .media = "build/media",
			       .prefix = "",
			       .rooms = 1,
			       .seconds = 10,
			       .ready_s = 20,
			       .feedback_hz = 11,
			       .ramp_hz = 50,
			       .bad_after_s = 2 };
	o->seed = (unsigned)(bot_wall_ns() / 1000 % 1000000);
	while ((c = getopt_long(argc, argv, "", LONG, NULL)) != -1)
		parse_one(o, c, optarg);
	if (optind != argc)
		bot_die("%s", USAGE);
	if (!o->selftest && (!o->url.port || !o->room))
		bot_die("--url and --room are needed; see --help");
	if (!o->ramp_hz)
		bot_die("--ramp must be at least 1");
}
