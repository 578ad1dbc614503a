#include "mcu/rtp/packet.h"

#include <errno.h>
#include <string.h>

#include "mcu/rtp/bytes.h"

int rtp_parse(struct rtp_packet *out, const uint8_t *p, size_t len)
{
	struct rtp_packet r = { 0 };
	size_t pos = RTP_HEADER_BYTES, end = len;

	if (len < RTP_HEADER_BYTES || p[0] >> 6 != 2)
		return -EBADMSG;
	r.n_csrc = p[0] & 0xf;
	r.marker = p[1] >> 7;
	r.pt = p[1] & 0x7f;
	r.seq = get_be16(p + 2);
	r.ts = get_be32(p + 4);
	r.ssrc = get_be32(p + 8);
	pos += 4u * r.n_csrc;
	if (pos > end)
		return -EBADMSG;
	if (p[0] & 0x10) {
		if (end - pos < 4)
			return -EBADMSG;
		r.ext_profile = get_be16(p + pos);
		r.ext_len = 4u * get_be16(p + pos + 2);
		r.ext = p + pos + 4;
		pos += 4;
		if (end - pos < r.ext_len)
			return -EBADMSG;
		pos += r.ext_len;
	}
	if (p[0] & 0x20) {
		if (end == pos || p[end - 1] == 0 || p[end - 1] > end - pos)
			return -EBADMSG;
		end -= p[end - 1];
	}
	r.payload = p + pos;
	r.payload_len = end - pos;
	*out = r;
	return 0;
}

size_t rtp_write(uint8_t *out, size_t cap, const struct rtp_packet *pkt)
{
	size_t pos = RTP_HEADER_BYTES;
	size_t ext = pkt->ext ? 4 + pkt->ext_len : 0;

	if (cap < pos || cap - pos < ext || cap - pos - ext < pkt->payload_len)
		return 0;
	out[0] = (uint8_t)(0x80 | (pkt->ext ? 0x10 : 0));
	out[1] = (uint8_t)((pkt->marker ? 0x80 : 0) | (pkt->pt & 0x7f));
	put_be16(out + 2, pkt->seq);
	put_be32(out + 4, pkt->ts);
	put_be32(out + 8, pkt->ssrc);
	if (pkt->ext) {
		put_be16(out + pos, pkt->ext_profile);
		put_be16(out + pos + 2, (uint16_t)(pkt->ext_len / 4));
		memcpy(out + pos + 4, pkt->ext, pkt->ext_len);
		pos += ext;
	}
	if (pkt->payload_len)
		memcpy(out + pos, pkt->payload, pkt->payload_len);
	return pos + pkt->payload_len;
}

static bool find_one_byte(const struct rtp_packet *pkt, uint8_t id, const uint8_t **data,
			  size_t *len)
{
	size_t pos = 0;

	while (pos < pkt->ext_len) {
		uint8_t h = pkt->ext[pos++];
		size_t n = (h & 0xf) + 1u;

		if (h == 0)
			continue;
		if (h >> 4 == 15 || pkt->ext_len - pos < n)
			return false; /* RFC 8285 4.2: 15 ends the walk */
		if (h >> 4 == id) {
			*data = pkt->ext + pos;
			*len = n;
			return true;
		}
		pos += n;
	}
	return false;
}

static bool find_two_byte(const struct rtp_packet *pkt, uint8_t id, const uint8_t **data,
			  size_t *len)
{
	size_t pos = 0;

	while (pos < pkt->ext_len) {
		uint8_t this_id = pkt->ext[pos++];

		if (this_id == 0)
			continue;
		if (pos == pkt->ext_len)
			return false;
		size_t n = pkt->ext[pos++];

		if (pkt->ext_len - pos < n)
			return false;
		if (this_id == id) {
			*data = pkt->ext + pos;
			*len = n;
			return true;
		}
		pos += n;
	}
	return false;
}

bool rtp_ext_find(const struct rtp_packet *pkt, uint8_t id, const uint8_t **data, size_t *len)
{
	if (!id || !pkt->ext)
		return false;
	if (pkt->ext_profile == RTP_EXT_ONE_BYTE)
		return id < 15 && find_one_byte(pkt, id, data, len);
	if ((pkt->ext_profile & 0xfff0) == RTP_EXT_TWO_BYTE)
		return find_two_byte(pkt, id, data, len);
	return false;
}

bool rtp_ext_audio_level(const struct rtp_packet *pkt, uint8_t id, int *level_dbov, bool *voice)
{
	const uint8_t *d;
	size_t n;

	if (!rtp_ext_find(pkt, id, &d, &n) || n < 1)
		return false;
	*level_dbov = -(d[0] & 0x7f);
	*voice = d[0] >> 7;
	return true;
}

bool rtp_ext_abs_send_time(const struct rtp_packet *pkt, uint8_t id, uint32_t *time24)
{
	const uint8_t *d;
	size_t n;

	if (!rtp_ext_find(pkt, id, &d, &n) || n != 3)
		return false;
	*time24 = get_be24(d);
	return true;
}

bool rtp_ext_transport_seq(const struct rtp_packet *pkt, uint8_t id, uint16_t *seq)
{
	const uint8_t *d;
	size_t n;

	/* version 2 of the extension carries two more octets behind it */
	if (!rtp_ext_find(pkt, id, &d, &n) || n < 2)
		return false;
	*seq = get_be16(d);
	return true;
}

bool rtp_ext_orientation(const struct rtp_packet *pkt, uint8_t id, unsigned *degrees)
{
	const uint8_t *d;
	size_t n;

	if (!rtp_ext_find(pkt, id, &d, &n) || n < 1)
		return false;
	*degrees = (d[0] & 3) * 90u;
	return true;
}

bool rtp_ext_mid(const struct rtp_packet *pkt, uint8_t id, char mid[RTP_MID_MAX + 1])
{
	const uint8_t *d;
	size_t n;

	if (!rtp_ext_find(pkt, id, &d, &n) || n < 1 || n > RTP_MID_MAX || memchr(d, 0, n))
		return false;
	memcpy(mid, d, n);
	mid[n] = 0;
	return true;
}

int rtp_ext_put(struct rtp_ext_writer *w, uint8_t id, const void *data, size_t len)
{
	if (id < 1 || id > 14 || len < 1 || len > 16)
		return -EINVAL;
	if (w->cap - w->len < 1 + len)
		return -ENOSPC;
	w->data[w->len] = (uint8_t)((unsigned)id << 4 | (len - 1));
	memcpy(w->data + w->len + 1, data, len);
	w->len += 1 + len;
	return 0;
}

int rtp_ext_put_audio_level(struct rtp_ext_writer *w, uint8_t id, int level_dbov, bool voice)
{
	uint8_t d;

	if (level_dbov > 0 || level_dbov < -127)
		return -EINVAL;
	d = (uint8_t)((voice ? 0x80 : 0) | -level_dbov);
	return rtp_ext_put(w, id, &d, 1);
}

int rtp_ext_put_abs_send_time(struct rtp_ext_writer *w, uint8_t id, uint32_t time24)
{
	uint8_t d[3];

	put_be24(d, time24);
	return rtp_ext_put(w, id, d, sizeof(d));
}

int rtp_ext_put_transport_seq(struct rtp_ext_writer *w, uint8_t id, uint16_t seq)
{
	uint8_t d[2];

	put_be16(d, seq);
	return rtp_ext_put(w, id, d, sizeof(d));
}

int rtp_ext_put_orientation(struct rtp_ext_writer *w, uint8_t id, unsigned degrees)
{
	uint8_t d = (uint8_t)(degrees / 90 & 3);

	if (degrees % 90 || degrees > 270)
		return -EINVAL;
	return rtp_ext_put(w, id, &d, 1);
}

int rtp_ext_put_mid(struct rtp_ext_writer *w, uint8_t id, const char *mid)
{
	return rtp_ext_put(w, id, mid, strlen(mid));
}

int rtp_ext_finish(struct rtp_ext_writer *w, struct rtp_packet *pkt)
{
	size_t padded = (w->len + 3) / 4 * 4;

	if (padded > w->cap)
		return -ENOSPC;
	memset(w->data + w->len, 0, padded - w->len);
	w->len = padded;
	pkt->ext_profile = RTP_EXT_ONE_BYTE;
	pkt->ext = w->data;
	pkt->ext_len = padded;
	return 0;
}

int rtp_rtx_restore(uint8_t *p, size_t len, uint32_t ssrc, uint8_t pt)
{
	enum { OSN_BYTES = 2 };
	struct rtp_packet rtx;
	uint8_t *start = p + OSN_BYTES;
	int err = rtp_parse(&rtx, p, len);

	if (err)
		return err;
	if (rtx.payload_len < OSN_BYTES)
		return -ENODATA;
	uint16_t seq = get_be16(rtx.payload);

	/* the header moves up against the payload */
	memmove(start, p, (size_t)(rtx.payload - p));
	start[1] = (uint8_t)((start[1] & 0x80) | (pt & 0x7f));
	put_be16(start + 2, seq);
	put_be32(start + 8, ssrc);
	return OSN_BYTES;
}
