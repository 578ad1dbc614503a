/* Floor of an audio room: what M people who all talk at once must cost.
 *
 * Measured: CPU time per second of media to decode M Opus inputs, sum them,
 * and encode M mix-minus outputs plus, unless --shared 0, the full mix for
 * silent listeners (48 kHz mono, 20 ms, 32 kb/s, complexity 5,
 * OPUS_APPLICATION_AUDIO).
 * Not measured: network, SRTP, jitter buffers, speech detection, loading of
 * the media, and the first second (cold caches, page faults).
 *
 *   audio_floor [--talkers 10] [--seconds 10] [--paced] [--shared 1] [--media media]
 */
#include <getopt.h>

#include "tests/bench/audio.h"
#include "tests/bench/floor.h"

enum { TPS = 50, WARMUP_S = 1 };

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "talkers", 1, NULL, 't' }, { "seconds", 1, NULL, 's' }, { "paced", 0, NULL, 'p' },
		{ "shared", 1, NULL, 'h' },  { "media", 1, NULL, 'm' },	  { NULL, 0, NULL, 0 },
	};
	int talkers = 10, seconds = 10, paced = 0, shared = 1, c, video, audio;
	const char *dir = "media";

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 't': talkers = atoi(optarg); break;
		case 's': seconds = atoi(optarg); break;
		case 'p': paced = 1; break;
		case 'h': shared = atoi(optarg); break;
		case 'm': dir = optarg; break;
		default: die("see the comment on top of audio_floor.c");
		}
	}
	if (talkers < 1 || seconds < 1)
		die("--talkers and --seconds must be at least 1");

	struct audio *a = audio_new(dir, talkers, shared);
	struct schedule s = { .tps = TPS, .start_ns = now_ns() };
	int64_t end = (int64_t)(WARMUP_S + seconds) * TPS, bytes = 0;
	double cpu = 0;

	while (s.ticks < end) {
		int64_t t;

		if (s.ticks == WARMUP_S * TPS) {
			cpu = cpu_ms();
			bytes = audio_bytes(a);
		}
		t = schedule_next(&s, &video, &audio);
		if (paced)
			sleep_until(s.start_ns + t);
		audio_tick(a);
	}
	cpu = cpu_ms() - cpu;
	bytes = audio_bytes(a) - bytes;
	printf("floor talkers%d %.2f ms/s paced=%d asm=none frames=%d kbps=%.1f\n", talkers,
	       cpu / seconds, paced, seconds * TPS,
	       (double)bytes * 8e-3 / seconds / audio_outputs(a));
	audio_free(a);
	return 0;
}
