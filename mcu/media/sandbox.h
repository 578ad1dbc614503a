/* What a process gives up before it opens what strangers have sent: memory, processor time
 * and descriptors without end, other programs, the network and the disk. Linux. */
#ifndef MCU_MEDIA_SANDBOX_H
#define MCU_MEDIA_SANDBOX_H

#include <stdbool.h>

struct sandbox_cfg {
	bool network;  /* it opens connections (cameras) */
	bool fonts;    /* it reads fonts and what names them (PDF) */
	const char *folder; /* files in it are read, made and replaced; NULL: none */
	int cpu_s;     /* processor time, then it is killed */
};

/* Limits, and death with the server; before anything else. 0 or -errno. */
int sandbox_limits(void);
/* The rest, once it is known what is to be opened. 0 or -errno: nothing may be opened. */
int sandbox_enter(const struct sandbox_cfg *cfg);

#endif
