// Pictures of every state of the page, in both languages, for people to look at:
// they are in the tests' output folder afterwards. What can be wrong in them is
// tested elsewhere; here they must be there, and not be blank.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const STATES = ['join', 'room', 'chat', 'host', 'policy', 'pin-required', 'lobby', 'room-locked', 'reconnecting', 'unstable',
	'phone-join', 'phone-room', 'phone-room-landscape', 'phone-room-locked', 'phone-unstable'];

test('every state has its picture', { timeout: 400000 }, () => {
	const begin = Date.now();
	execFileSync(process.execPath, [fileURLToPath(new URL('screenshot.mjs', import.meta.url)), 'states'], { stdio: 'ignore', timeout: 390000 });
	for (const language of ['en', 'ko'])
		for (const state of STATES) {
			const file = statSync(join(process.env.E2E_OUT, `${language}-${state}.png`));
			assert.ok(file.size > 15000 && file.mtimeMs >= begin, `${language}-${state}.png is new and shows something`);
		}
});
