// Makes the picture of the README from the real page:
//
//   tests/e2e/run.sh screenshot        writes docs/room.png
//
// Three painted people join one room; the one in the middle of a sentence speaks.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Server, until } from '../support/server.mjs';
import { launch, Person } from './person.mjs';
import { paint } from './portraits.mjs';

const CAST = [['Ana Souza', 'ana', false], ['Lukas Brandt', 'lukas', true], ['김민지', 'minji', false]];
const SAYS = 'We measured it five times, and the result was the same. I will write it down, and send it around.';
const out = process.env.E2E_OUT;
const picture = fileURLToPath(new URL('../../docs/room.png', import.meta.url));

function voice(talks) {
	const file = join(out, talks ? 'talks.wav' : 'listens.wav');
	if (talks) {
		execFileSync('espeak-ng', ['-v', 'en-us+m3', '-s', '165', '-w', `${file}.raw.wav`, SAYS]);
		execFileSync('sox', [`${file}.raw.wav`, '-r', '48000', '-c', '1', file, 'norm', '-6']);
	} else {
		execFileSync('sox', ['-n', '-r', '48000', '-c', '1', '-b', '16', file, 'synth', '5', 'pinknoise', 'vol', '0.0005']);
	}
	return file;
}

async function clips() {
	const browser = await launch(null);
	const page = await browser.newPage();
	for (const [, who, talks] of CAST)
		if (!existsSync(join(out, `${who}.y4m`)))
			await paint(page, who, talks, join(out, `${who}.y4m`));
	await browser.close();
}

mkdirSync(join(picture, '..'), { recursive: true });
await clips();
const server = await Server.start();
const people = [];
for (const [name, who, talks] of CAST) {
	const browser = await launch({ video: join(out, `${who}.y4m`), audio: voice(talks) });
	const p = await Person.in(browser, server, name, { viewport: { width: 1240, height: 690 }, colorScheme: 'dark' });
	p.browser = browser;
	people.push(p);
	await p.join('Team-meeting');
}
const [first, speaker, silent] = people;
await silent.page.click('#mute');
await until('everybody to be seen', () => first.last('layout')?.tiles.length === CAST.length);
await new Promise((r) => setTimeout(r, 6000)); // for the uplinks to be sharp
await until('Lukas to speak', () => first.last('speaker')?.leg === speaker.leg);
await new Promise((r) => setTimeout(r, 700));
await first.page.mouse.move(5, 5);
await first.page.evaluate(() => document.activeElement.blur());
const raw = await first.page.screenshot();
execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'png_pipe', '-i', '-', '-pred', 'mixed', '-compression_level', '100', picture], { input: raw });
console.log(`${picture}: ${Math.round(statSync(picture).size / 1024)} KB`);
for (const p of people)
	await p.close();
await server.stop();
