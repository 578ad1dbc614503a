// What a recorded file contains, by ffprobe, ffmpeg and sox.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

const quiet = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 };

// {duration (s), video, audio: ffprobe's streams}
export function probe(file) {
	const p = JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', file], quiet));
	const of = (type) => p.streams.find((s) => s.codec_type === type);
	return { duration: Number(p.format.duration), video: of('video'), audio: of('audio') };
}

// What ffmpeg complains of when it plays all of it; "" when nothing. uneven: of pictures that
// come when they come it wants no steady rate; the only way to place one channel is no guess.
export function complaints(file, { uneven = false } = {}) {
	try {
		return execFileSync('bash', ['-c', `ffmpeg -v warning -xerror -i "$1" ${uneven ? '-fps_mode passthrough' : ''} -f null - 2>&1`, '-', file], quiet)
			.replace(/^Guessed Channel Layout .*: mono\n/, '');
	} catch (e) {
		return `${e.stdout}${e.stderr} (exit ${e.status})`;
	}
}

// When the last picture and the last sound begin, seconds; the pictures.
export function contents(file) {
	const times = (stream) => execFileSync('ffprobe', ['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file], quiet)
		.split('\n').filter(Boolean).map(parseFloat);
	const [v, a] = [times('v'), times('a')];
	return { pictures: v.length, lastPicture: Math.max(...v), lastSound: Math.max(...a), gap: Math.max(...v.slice(1).map((t, i) => t - v[i])) };
}

// The R, G, B at (x, y) at a time (s).
export function colour(file, seconds, x, y, width) {
	const rgb = execFileSync('ffmpeg', ['-v', 'error', '-ss', String(seconds), '-i', file, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
		{ maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] });
	return [...rgb.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

// What the middle of each picture is, with its time (s): {t, rgb}.
export function middles(file) {
	const times = execFileSync('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', file], quiet).split('\n').filter(Boolean).map(parseFloat);
	const raw = execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-vsync', '0', '-vf', 'crop=iw/8:ih/8,scale=1:1:flags=area', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], { maxBuffer: 1 << 26 });
	return times.slice(0, raw.length / 3).map((t, i) => ({ t, rgb: [...raw.subarray(3 * i, 3 * i + 3)] }));
}

// dB of one frequency in two seconds of sound, by a narrow band-pass.
export function level(file, seconds, hz) {
	const text = execFileSync('bash', ['-c', `ffmpeg -v quiet -i "$1" -ac 1 -ar 48000 -f wav - | sox -t wav - -n trim ${seconds} 2 sinc ${hz - 30}-${hz + 30} stats 2>&1`, '-', file], quiet);
	return Number(text.match(/RMS lev dB\s+(-?[\d.]+|-inf)/)[1].replace('-inf', '-200'));
}

// Where the last box ends that is there completely: {type, start, size} of each.
export function boxes(file) {
	const total = statSync(file).size, list = [];
	const fd = openSync(file, 'r');
	const head = Buffer.alloc(16);
	for (let at = 0; at + 8 <= total;) {
		readSync(fd, head, 0, 16, at);
		const size = head.readUInt32BE(0) === 1 ? Number(head.readBigUInt64BE(8)) : head.readUInt32BE(0);
		if (size < 8 || at + size > total)
			break;
		list.push({ type: head.toString('latin1', 4, 8), start: at, size });
		at += size;
	}
	closeSync(fd);
	return list;
}

// The packets of each stream: {pts, dts, end, pos (in the file), key}; the end by the stream's
// own durations, or by the distance to the one before.
export function packets(file) {
	const of = (stream) => {
		const list = execFileSync('ffprobe', ['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=pts_time,dts_time,duration_time,pos,flags', '-of', 'json', file], quiet);
		return JSON.parse(list).packets.map((p) => ({ pts: Number(p.pts_time), dts: Number(p.dts_time ?? p.pts_time), lasts: Number(p.duration_time), pos: Number(p.pos), key: p.flags.includes('K') }))
			.map((p, i, all) => ({ ...p, end: p.pts + (p.lasts || (i ? p.pts - all[i - 1].pts : 0)) }));
	};
	return { v: of('v'), a: of('a') };
}

// Of each stream: times that only grow, sound and picture that begin and end together, key
// frames at most so many seconds apart. Returns the packets of each stream.
export function assertOrder(file, { keysApart = 4, apart = 0.02, ends = true } = {}) {
	const { v, a } = packets(file);
	for (const [name, list] of [['pictures', v], ['sounds', a]])
		list.forEach((p, i) => assert.ok(!i || (p.pts > list[i - 1].pts && p.dts > list[i - 1].dts), `${file}: ${name}: ${JSON.stringify(p)} after ${JSON.stringify(list[i - 1])}`));
	const keys = v.filter((p) => p.key).map((p) => p.pts);
	[...keys.slice(1), v.at(-1)?.pts].forEach((t, i) => assert.ok(!v.length || t - keys[i] <= keysApart + 0.1, `${file}: no key frame from ${keys[i]} to ${t}`));
	if (!a.length || !v.length)
		return { v, a };
	assert.ok(Math.abs(a[0].pts - v[0].pts) < apart, `${file}: sound begins at ${a[0].pts}, pictures at ${v[0].pts}`);
	assert.ok(!ends || Math.abs(a.at(-1).end - v.at(-1).end) < apart, `${file}: sound ends at ${a.at(-1).end}, pictures at ${v.at(-1).end}`);
	return { v, a };
}

// Where the last fragment or cluster of a recording ends that is there completely.
export function wholeEnd(file) {
	if (file.endsWith('.mp4'))
		return boxes(file).filter((b) => b.type === 'mdat').map((b) => b.start + b.size).at(-1);
	const data = readFileSync(file), CLUSTER = 0x1f43b675, SEGMENT = 0x18538067;
	const vint = (at, marker) => {
		const n = Math.clz32(data[at]) - 23;
		let v = marker ? data[at] : data[at] & ((1 << (8 - n)) - 1);
		for (let i = 1; i < n; i++)
			v = v * 256 + data[at + i];
		return { v, n };
	};
	let end = 0;
	for (let at = 0; at + 12 < data.length;) {
		const id = vint(at, true), size = vint(at + id.n, false);
		at += id.n + size.n;
		if (id.v === SEGMENT)
			continue;
		at += size.v;
		if (id.v === CLUSTER && at <= data.length)
			end = at;
	}
	return end;
}
