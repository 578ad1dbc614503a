// The words of the page: both languages have the same keys and placeholders, all
// that is used is there and nothing else, and nothing that a person reads is
// outside of them.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import en from '../../web/js/en.js';
import ko from '../../web/js/ko.js';

const web = fileURLToPath(new URL('../../web', import.meta.url));
const pages = readdirSync(web).filter((f) => f.endsWith('.html')).map((f) => readFileSync(join(web, f), 'utf8'));
const html = pages.join('\n');
const scripts = readdirSync(join(web, 'js')).filter((f) => !/^(en|ko)(_\w+)?\.js$/.test(f));
const source = (f) => readFileSync(join(web, 'js', f), 'utf8');
const placeholders = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
const withoutComments = (js) => js.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
const literals = (js) => [...withoutComments(js).matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"((?:[^"\\\n]|\\.)*)"/g)].map((m) => m[1] ?? m[2] ?? m[3]);

test('both languages have the same keys, in the same order', () => {
	assert.deepEqual(Object.keys(ko), Object.keys(en));
});

test('a text has the same placeholders in both', () => {
	for (const key of Object.keys(en))
		assert.deepEqual(placeholders(ko[key]), placeholders(en[key]), key);
});

test('every text is in its language', () => {
	const same = ['otherLanguage'];
	for (const [key, text] of Object.entries(en)) {
		assert.ok(text.trim(), key);
		assert.equal(/[ᄀ-ᇿ㄰-㆏가-힣]/.test(text), same.includes(key), `en ${key}: ${text}`);
	}
	for (const [key, text] of Object.entries(ko))
		assert.equal(/[가-힣]/.test(text), !same.includes(key), `ko ${key}: ${text}`);
});

test('Korean sentences are polite throughout, in one style', () => {
	for (const [key, text] of Object.entries(ko))
		for (const sentence of text.split(/(?<=[가-힣)][.?!…])\s+/).filter((s) => /[.?!…]$/.test(s)))
			assert.match(sentence, /(요|까요)(\([^)]*\))?[.?!…]+$/, `${key}: ${sentence}`);
});

// What the page asks for: t('key'), key: 'key', data-t="key", and bare words of the
// code that are keys.
function used() {
	const all = new Set([...html.matchAll(/data-(?:t|label|hint)="(\w+)"/g)].map((m) => m[1]));
	for (const f of scripts)
		for (const text of literals(source(f)))
			for (const word of text.match(/\w+/g) ?? [])
				all.add(word);
	for (const [, scope] of source('admin_tokens.js').matchAll(/'(\w+:\w+|playback|broadcast|join)'/g))
		all.add(`scope_${scope.replace(':', '_')}`);
	for (const what of ['Microphone', 'Camera', 'Both'])
		for (const how of ['absent', 'refused', 'busy'])
			all.add(how + what);
	return all;
}

test('what is used is there', () => {
	const asked = [...html.matchAll(/data-(?:t|label|hint)="(\w+)"/g)].map((m) => m[1]);
	for (const f of scripts) {
		const js = withoutComments(source(f));
		for (const pattern of [/\bt\('(\w+)'/g, /\bkey: '(\w+)'/g, /\bt: '(\w+)'/g, /\b(?:title|text|yes): '(\w+)'/g])
			asked.push(...[...js.matchAll(pattern)].map((m) => m[1]));
	}
	assert.ok(asked.length > 100);
	for (const key of asked)
		assert.ok(Object.hasOwn(en, key), key);
});

// t('key', { a, b: … }) and { key: 'key', values: { … } } give what the text has.
test('a text gets its placeholders', () => {
	let n = 0;
	for (const f of scripts)
		for (const [, key, values] of withoutComments(source(f)).matchAll(/(?:\bt\(|key: )'(\w+)', (?:values: )?\{ ([^{}]*) \}/g)) {
			const given = values.replace(/\([^()]*(?:\([^()]*\)[^()]*)*\)/g, '').split(',').map((v) => v.trim().match(/^\w+/)?.[0]);
			for (const name of placeholders(en[key] ?? ''))
				assert.ok(given.includes(name), `${f}: ${key} without ${name}`);
			n++;
		}
	assert.ok(n > 20, `${n} were found`);
});

test('what is there is used', () => {
	const all = used();
	for (const key of Object.keys(en))
		assert.ok(all.has(key) || key.startsWith('code_'), key);
});

test('every error code of the protocol that a person may meet has words', () => {
	const silent = ['bad_json', 'bad_message', 'unknown_type', 'not_joined', 'already_joined', 'bad_sdp', 'not_acceptable', 'bad_state', 'too_many_candidates', 'internal', 'view_invalid'];
	const text = readFileSync(join(web, '../signaling/PROTOCOL.md'), 'utf8');
	const table = text.slice(text.indexOf('## Error codes'), text.indexOf('## Media: SDP'));
	const codes = [...table.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap((m) => m[1].match(/\w+/g));
	assert.ok(codes.length > 15);
	for (const code of codes)
		assert.ok(silent.includes(code) || Object.hasOwn(en, `code_${code}`), code);
});

test('no visible string is in a page', () => pages.forEach((page) => {
	const body = page.slice(page.indexOf('<body>')).replace(/<noscript>[^]*?<\/noscript>/, '')
		.replace(/<div id="unsupported"[^]*?<\/div>/, '').replace(/<!--[^]*?-->/g, '').replace(/<p class="brand">[^]*?<\/p>/, '');
	assert.equal(body.replace(/<[^>]*>/g, '').trim(), '');
	assert.deepEqual(body.match(/\s(?:title|placeholder|aria-label|alt)="[^"]+"/g), null);
}));

test('no visible string is in the code', () => {
	const technical = [
		/^[\w-]+( [\w-]+)*$/, // class names, ids, event names
		/^[#.[\w][\w\s.#:,[\]=()*-]*$/, // selectors
		/^(noopener|noreferrer|nofollow)/, /^M[\d.]+ /, /not (taken|changed|sent):$/, /^[^a-z]*$/i, /^https?:/, /^image\//, /^\?/, /^ M4 4l/,
	];
	for (const f of scripts)
		for (const text of literals(source(f).replace(/^\s*console\..*$/gm, ''))) {
			const bare = text.replace(/\$\{[^}]*\}/g, '');
			const prose = /[가-힣]/.test(bare) ? bare !== '한국어' : /[A-Z][a-z]+ [a-z]+|[a-z]+ [a-z]+[.!?…]/.test(bare);
			assert.ok(!prose || technical.some((p) => p.test(text) && !/[.!?…]$/.test(text)), `${f}: ${text}`);
		}
	// Words on their own, where they are shown.
	for (const f of scripts)
		for (const [, text] of source(f).matchAll(/\.(?:textContent|title|placeholder|ariaLabel) = '([^']*)'/g))
			assert.ok(text === '' || text === 'mcu', `${f}: ${text}`);
});
