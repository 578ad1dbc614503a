/* The reading of access units ahead of the decoder: NAL units, SPS, SEI. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/codec/h264_sps.h"
#include "mixer/codec/h264_start.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nal;
	size_t pos = 0, len, last = 0;
	struct h264_sps sps;
	uint8_t *copy;

	if (!h264_sps_parse(&sps, data, size)) {
		/* what a caller relies on */
		if (!sps.width || !sps.height || sps.width > sps.coded_w || sps.height > sps.coded_h ||
		    sps.chroma_format_idc > 3 || sps.id > 31 || sps.max_num_ref_frames > 16)
			abort();
	}
	while (h264_next_nal(data, size, &pos, &nal, &len)) {
		if (!len || nal < data + last + 3 || nal + len > data + size || pos <= last)
			abort();
		last = pos;
		(void)h264_sps_parse(&sps, nal, len);
		(void)h264_sei_is_recovery_point(nal, len);
	}
	(void)h264_start_of(data, size, 0x42e01f, 320, 180);
	copy = malloc(size + 1);
	memcpy(copy, data, size);
	h264_say_profile(copy, size, 0x42e01f);
	free(copy);
	return 0;
}
