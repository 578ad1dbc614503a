// How loud a frequency is in samples (Goertzel with a Hann window).

// dB of a sine of that frequency relative to full scale; samples: -1…1.
export function loudness(samples, rate, hz) {
	const n = samples.length;
	if (!n)
		return -200;
	const c = 2 * Math.cos(2 * Math.PI * hz / rate);
	let s1 = 0, s2 = 0;
	for (let i = 0; i < n; i++) {
		const w = 0.5 - 0.5 * Math.cos(2 * Math.PI * (i + 0.5) / n);
		[s1, s2] = [samples[i] * w + c * s1 - s2, s1];
	}
	const power = s1 * s1 + s2 * s2 - c * s1 * s2;
	// the window's mean is 1/2, a sine's line carries half its amplitude
	return Math.max(-200, 10 * Math.log10(power) - 20 * Math.log10(n / 4));
}

// 16-bit samples, as in a WAV file.
export function fromS16(buffer) {
	return Float32Array.from({ length: buffer.length >> 1 }, (_, i) => buffer.readInt16LE(2 * i) / 32768);
}

const BIAS = 0x84, CLIP = 32635;

// One octet of PCMU (G.711 µ-law).
export function muEncode(sample) {
	let x = Math.max(-CLIP, Math.min(CLIP, Math.round(sample * 32767)));
	const sign = x < 0 ? 0x80 : 0;
	x = Math.abs(x) + BIAS;
	const exponent = 31 - Math.clz32(x >> 7);
	return ~(sign | exponent << 4 | (x >> (exponent + 3)) & 15) & 255;
}

export function muDecode(octet) {
	const u = ~octet & 255;
	const x = (((u & 15) << 3) + BIAS << ((u >> 4) & 7)) - BIAS;
	return (u & 0x80 ? -x : x) / 32768;
}

// One octet of PCMA (G.711 A-law).
export function aEncode(sample) {
	let x = Math.round(sample * 32767) >> 3;
	const sign = x >= 0 ? 0x80 : 0;
	x = Math.min(x >= 0 ? x : ~x, 4095);
	const exponent = x < 32 ? 0 : 27 - Math.clz32(x);
	return (sign | exponent << 4 | (x >> Math.max(1, exponent)) & 15) ^ 0x55;
}

export function aDecode(octet) {
	const a = octet ^ 0x55, exponent = (a >> 4) & 7;
	const x = ((a & 15) << 4) + 8;
	const v = exponent ? x + 256 << exponent - 1 : x;
	return (a & 0x80 ? v : -v) / 32768;
}
