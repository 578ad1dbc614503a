// Playlists of live streams (RFC 8216bis), as far as this server writes them.

// NAME=value,NAME="value": what a tag says.
export function attributes(text) {
	const all = {};
	for (const [, name, quoted, plain] of text.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^",]*))/g))
		all[name] = quoted ?? plain;
	return all;
}

// The first stream of a multivariant playlist: {uri, codecs}; null: it has none.
export function parseIndex(text, base) {
	const lines = text.split(/\r?\n/);
	const at = lines.findIndex((l) => l.startsWith('#EXT-X-STREAM-INF:'));
	if (at < 0 || !lines[at + 1])
		return null;
	return { uri: new URL(lines[at + 1], base).href, codecs: attributes(lines[at]).CODECS };
}

// {target, hold (s behind the end), msn and part (that come next), ended, pieces}; a piece
// is a whole segment or, where it is known, a part: {id, uri, duration, independent, map, breaks}.
export function parseMedia(text, base) {
	const p = { target: 0, hold: 0, msn: 0, part: 0, ended: false, pieces: [] };
	let segment = 0, parts = [], map = null, breaks = false;
	const add = (id, uri, duration, independent) => {
		p.pieces.push({ id, uri: new URL(uri, base).href, duration, independent, map, breaks });
		breaks = false;
	};
	for (const line of text.split(/\r?\n/)) {
		const [, tag, value = ''] = line.match(/^#(EXT[A-Z0-9-]*)(?::(.*))?$/) ?? [];
		const is = tag && value ? attributes(value) : {};
		if (tag === 'EXT-X-TARGETDURATION')
			p.target = Number(value);
		else if (tag === 'EXT-X-SERVER-CONTROL')
			p.hold = Number(is['PART-HOLD-BACK'] ?? 0);
		else if (tag === 'EXT-X-MEDIA-SEQUENCE')
			segment = Number(value);
		else if (tag === 'EXT-X-MAP')
			map = new URL(is.URI, base).href;
		else if (tag === 'EXT-X-DISCONTINUITY')
			breaks = true;
		else if (tag === 'EXT-X-ENDLIST')
			p.ended = true;
		else if (tag === 'EXTINF')
			parts.duration = Number.parseFloat(value);
		else if (tag === 'EXT-X-PART') {
			add(`${segment}.${parts.length}`, is.URI, Number(is.DURATION), is.INDEPENDENT === 'YES');
			parts.push(is.URI);
		} else if (line && !line.startsWith('#')) {
			if (!parts.length)
				add(`${segment}`, line, parts.duration, true);
			segment++;
			parts = [];
		}
	}
	p.msn = segment;
	p.part = parts.length;
	p.hold ||= 3 * p.target;
	return p;
}

// Where to begin: the last piece that can be decoded by itself and is far enough from
// the end.
export function begin(p) {
	let behind = 0, at = 0;
	for (let i = p.pieces.length - 1; i >= 0; i--) {
		behind += p.pieces[i].duration;
		if (p.pieces[i].independent) {
			at = i;
			if (behind >= p.hold)
				break;
		}
	}
	return at;
}
