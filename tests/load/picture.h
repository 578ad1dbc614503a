/* Decodes an H.264 or VP8 stream and samples its pictures. */
#ifndef TESTS_LOAD_PICTURE_H
#define TESTS_LOAD_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct picture;

struct picture *picture_new(bool vp8);
void picture_free(struct picture **p);
/* One access unit (H.264: Annex B). True: the picture is there and undamaged. */
bool picture_decode(struct picture *p, const uint8_t *au, size_t len);
/* Of the last picture; 0 before there is one. */
int picture_width(const struct picture *p);
int picture_height(const struct picture *p);
uint64_t picture_count(const struct picture *p);
/* Mean over 8x8 pixels around (x, y). -1: outside, or no picture. */
int picture_luma(const struct picture *p, int x, int y);
bool picture_rgb(const struct picture *p, int x, int y, uint8_t rgb[3]);
/* Writes the last picture as a binary PPM. 0 or -errno. */
int picture_write_ppm(const struct picture *p, const char *path);

#endif
