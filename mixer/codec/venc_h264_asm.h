/* Which of x264's assembler sets is the fastest here; see venc_h264_pick_asm. */
#ifndef MCU_MIXER_CODEC_VENC_H264_ASM_H
#define MCU_MIXER_CODEC_VENC_H264_ASM_H

/* "default" until venc_h264_pick_asm has run; a constant. Any thread. */
const char *venc_h264_asm_choice(void);

#endif
