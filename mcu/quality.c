#include "mcu/quality.h"

#include <string.h>

double quality_score(double loss, double jitter_ms, double rtt_ms)
{
	double s = 5 - 20 * loss;

	if (jitter_ms > 30)
		s -= 1;
	if (jitter_ms > 50)
		s -= 1;
	if (rtt_ms > 150)
		s -= 0.5;
	if (rtt_ms > 300)
		s -= 1;
	return s < 1 ? 1 : s > 5 ? 5 : s;
}

double quality_mos(enum codec audio, double loss, double jitter_ms, double rtt_ms)
{
	bool g729 = !strcmp(codec_name(audio), "G729");
	double percent = 100 * (loss < 0 ? 0 : loss > 1 ? 1 : loss);
	double delay = rtt_ms / 2 + 2 * jitter_ms + 40;
	double ie = g729 ? 11 : 0, bpl = g729 ? 19 : 25.1;
	double r = 93.2 - 0.024 * delay - ie - (95 - ie) * percent / (percent + bpl);

	if (delay > 177.3)
		r -= 0.11 * (delay - 177.3);
	if (r <= 0)
		return 1;
	r = r > 100 ? 100 : r;
	r = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
	return r < 1 ? 1 : r; /* the cubic dips below 1 near R = 6.5 */
}
