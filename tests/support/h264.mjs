// What is in RTP packets of H.264 (RFC 6184): their NAL units, and what an SPS says.

import { execFileSync } from 'node:child_process';

const IDR = 5, SPS = 7, STAP_A = 24, FU_A = 28;

export const nalType = (payload) => payload[0] & 31;

// The types of NAL units that begin in a packet.
export function nalTypes(payload) {
	const type = nalType(payload);
	if (type === FU_A)
		return payload[1] & 0x80 ? [payload[1] & 31] : [];
	if (type !== STAP_A)
		return [type];
	const types = [];
	for (let at = 1; at + 2 < payload.length; at += 2 + payload.readUInt16BE(at))
		types.push(payload[at + 2] & 31);
	return types;
}

// How many key frames there are in packets; a frame may have several slices.
export const keyFrames = (packets) => new Set(packets.filter((p) => nalTypes(p.payload).includes(IDR)).map((p) => p.ts)).size;

export const spsOf = (packets) => packets.map((p) => p.payload).find((p) => nalType(p) === SPS);

// {profile, constraints, level, macroblocks: of a frame} of a baseline SPS.
export function readSps(nal) {
	const bytes = [...nal].filter((b, i, a) => !(b === 3 && i > 2 && a[i - 1] === 0 && a[i - 2] === 0));
	let at = 4 * 8;
	const bit = () => bytes[at >> 3] >> (7 - (at++ & 7)) & 1;
	const ue = () => {
		let zeros = 0, v = 1;
		while (!bit())
			if (++zeros > 31)
				throw new Error('no SPS');
		for (let i = 0; i < zeros; i++)
			v = v * 2 + bit();
		return v - 1;
	};
	if (![66, 77].includes(nal[1]))
		throw new Error(`SPS of profile ${nal[1]}`);
	ue(); // seq_parameter_set_id
	ue(); // log2_max_frame_num_minus4
	const order = ue();
	if (order === 0)
		ue();
	else if (order === 1)
		throw new Error('pic_order_cnt_type 1 is not expected');
	ue(); // max_num_ref_frames
	bit();
	const width = ue() + 1, height = ue() + 1;
	return { profile: nal[1], constraints: nal[2], level: nal[3], macroblocks: width * height };
}

// The byte stream (annex B) in packets, in the order of their numbers, from the first SPS on.
export function byteStream(packets) {
	const near = packets[0]?.seq ?? 0;
	const order = (p) => (p.seq - near + 0x8000 & 0xffff) - 0x8000;
	const sorted = [...packets].sort((a, b) => order(a) - order(b));
	const first = sorted.findIndex((p) => nalTypes(p.payload).includes(SPS));
	const out = [], start = Buffer.from([0, 0, 0, 1]);
	for (const { payload } of first < 0 ? [] : sorted.slice(first)) {
		const type = nalType(payload);
		if (type === STAP_A)
			for (let at = 1; at + 2 < payload.length; at += 2 + payload.readUInt16BE(at))
				out.push(start, payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at)));
		else if (type !== FU_A)
			out.push(start, payload);
		else if (payload[1] & 0x80)
			out.push(start, Buffer.from([payload[0] & 0xe0 | payload[1] & 31]), payload.subarray(2));
		else
			out.push(payload.subarray(2));
	}
	return Buffer.concat(out);
}

// The last picture in packets as w x h RGB octets; undefined: there is none yet.
export function lastPicture(packets, w, h) {
	const input = byteStream(packets);
	if (!input.length)
		return undefined;
	const rgb = execFileSync('ffmpeg', ['-v', 'quiet', '-f', 'h264', '-i', '-', '-vf', `scale=${w}:${h}:flags=area`, '-f', 'rawvideo',
		'-pix_fmt', 'rgb24', '-'], { input, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] });
	return rgb.length ? [...rgb.subarray(-w * h * 3)] : undefined;
}
