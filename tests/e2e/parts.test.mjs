// Parts of the page that need no browser: links in chat lines, what is asked of Opus.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { linked } from '../../web/js/chat.js';
import { withOpus } from '../../web/js/media.js';

test('web addresses become links, nothing else does', () => {
	const link = (address) => ({ address });
	const table = [
		['plain', ['plain']],
		['see https://a.org/x?y=1&z=2#f.', ['see ', link('https://a.org/x?y=1&z=2#f'), '.']],
		['(http://a.org)', ['(', link('http://a.org'), ')']],
		['https://a.org https://b.org', [link('https://a.org'), ' ', link('https://b.org')]],
		['주소는 https://a.org/한글 입니다', ['주소는 ', link('https://a.org/한글'), ' 입니다']],
		['javascript:alert(1) data:text/html,x file:///etc', ['javascript:alert(1) data:text/html,x file:///etc']],
		['<a href="https://a.org">x</a>', ['<a href="', link('https://a.org'), '">x</a>']],
		['https://', ['https://']],
		['http://[::bad', ['http://[::bad']],
		['', []],
	];
	for (const [text, parts] of table)
		assert.deepEqual(linked(text), parts, text);
});

test('a line is never changed by finding its links', () => {
	for (const text of ['https://a.org,https://b.org', 'x https://a.org/)))', 'https://a.org。끝'])
		assert.equal(linked(text).map((p) => p.address ?? p).join(''), text);
});

const SDP = 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\na=fmtp:111 minptime=10;useinbandfec=0\r\na=mid:0\r\n';

test('Opus is asked for error correction, and for stereo where the room has it', () => {
	assert.match(withOpus(SDP, false), /^a=fmtp:111 minptime=10;useinbandfec=1\r$/m);
	assert.match(withOpus(SDP, true), /^a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1\r$/m);
	assert.equal(withOpus(withOpus(SDP, true), true), withOpus(SDP, true));
	assert.equal(withOpus('v=0\r\n', true), 'v=0\r\n');
});
