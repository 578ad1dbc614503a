#include "mcu/openapi.h"

/* The path is that of the folder in which make runs. */
__asm__(".pushsection .rodata\n"
	".global mcu_openapi_begin, mcu_openapi_end\n"
	"mcu_openapi_begin:\n"
	".incbin \"signaling/openapi.yaml\"\n"
	"mcu_openapi_end:\n"
	".byte 0\n"
	".popsection\n");

extern const char mcu_openapi_begin[], mcu_openapi_end[];

const char *openapi_document(size_t *len)
{
	*len = (size_t)(mcu_openapi_end - mcu_openapi_begin);
	return mcu_openapi_begin;
}
