#include "mcu/quality.h"

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
