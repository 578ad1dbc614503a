#include "mixer/codec/avlog.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#include <libavutil/error.h>
#include <libavutil/log.h>

#include "mcu/base/log.h"

enum { LINE_BYTES = 400 };

__attribute__((format(printf, 3, 0)))
static void on_line(void *obj, int level, const char *fmt, va_list ap)
{
	char line[LINE_BYTES], *address;
	int prefix = 1;

	if (level > AV_LOG_INFO || log_get_level() < LOG_TRACE)
		return;
	av_log_format_line(obj, level, fmt, ap, line, sizeof line, &prefix);
	line[strcspn(line, "\n")] = '\0';
	/* An address may hold somebody's secret. */
	address = strstr(line, "://");
	if (address)
		address[3] = '\0';
	log_trace(NULL, "libav: %s", line);
}

static void install(void)
{
	av_log_set_callback(on_line);
}

void avlog_install(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install);
}

int avlog_errno(int averror)
{
	if (averror >= 0)
		return 0;
	switch (averror) {
	case AVERROR_INVALIDDATA:
	case AVERROR_EOF:
	case AVERROR(EINVAL):
		return -EBADMSG;
	case AVERROR_PATCHWELCOME:
	case AVERROR_DECODER_NOT_FOUND:
	case AVERROR_ENCODER_NOT_FOUND:
		return -ENOTSUP;
	case AVERROR_EXTERNAL:
	case AVERROR_BUG:
	case AVERROR_UNKNOWN:
		return -EIO;
	default:
		/* tags are large numbers made of letters, errno values are small */
		return averror > -4096 ? averror : -EIO;
	}
}
