// How the messages of RFC 4475 are written down: text as in the RFC's figures, with
// CRLF at the end of lines, and octets that are no text as <hex>…</hex>.

// Raw template: a backslash is a backslash. The first line break is not part of it.
export function message(parts, ...values) {
	const text = String.raw({ raw: parts.raw }, ...values).replace(/^\n/, '').replaceAll('\n', '\r\n');
	const pieces = text.split(/<hex>([0-9A-F]*)<\/hex>/);
	return Buffer.concat(pieces.map((p, i) => i % 2 ? Buffer.from(p, 'hex') : Buffer.from(p)));
}

export const times = (n, word) => word.repeat(n);

// The body that most INVITEs have; origin and connection: addresses; more of it varies.
export const sdp = (origin, { connection = origin, time = '0 0', video = 'm=video' } = {}) => `v=0
o=mhandley 29739 7272939 IN IP4 ${origin}
s=-
c=IN IP4 ${connection}
t=${time}
m=audio 49217 RTP/AVP 0 12
${video} 3227 RTP/AVP 31
a=rtpmap:31 LPC
`;
