// WebVTT as the server writes it: chapters, and places of pictures on a sheet.

const SIGNS = { lt: '<', gt: '>', amp: '&', nbsp: ' ' };
const plain = (text) => text.replace(/&(lt|gt|amp|nbsp);/g, (all, name) => SIGNS[name]);
const seconds = (text) => text.split(':').reduce((s, part) => s * 60 + Number(part), 0);

// [{ from, to, text }] in seconds. What cannot be read is left out.
export function cues(text) {
	const all = [];
	for (const block of text.replace(/\r\n?/g, '\n').split(/\n{2,}/)) {
		const lines = block.split('\n');
		const at = lines.findIndex((l) => l.includes('-->'));
		const times = lines[at]?.match(/^\s*([\d:.]+)\s*-->\s*([\d:.]+)/);
		if (!times)
			continue;
		const cue = { from: seconds(times[1]), to: seconds(times[2]), text: plain(lines.slice(at + 1).join(' ').trim()) };
		if (Number.isFinite(cue.from) && Number.isFinite(cue.to))
			all.push(cue);
	}
	return all;
}

// [{ from, to, x, y, width, height }]
export function places(text) {
	return cues(text).flatMap(({ from, to, text: where }) => {
		const m = where.match(/#xywh=(\d+),(\d+),(\d+),(\d+)$/);
		return m ? [{ from, to, x: +m[1], y: +m[2], width: +m[3], height: +m[4] }] : [];
	});
}

export const during = (all, at) => all.findLast((c) => c.from <= at) ?? null;
