// How long sound and pictures take through the server.

import { median, runBot, startServer } from './harness.mjs';
import { expectServed, print, quick, rounds, serverSettings, spread } from './report.mjs';

export const names = ['latency_audio_p95', 'latency_video_p95'];

export async function run(wants) {
	const of = { audio: { p95: [], p50: [], seen: 0 }, video: { p95: [], p50: [], seen: 0 } };
	const mcu = await startServer(serverSettings);
	for (let i = 0; i < Math.min(rounds, 3); i++) {
		const bot = runBot(['--latency', '--url', mcu.url, '--room', `late-${i}`, '--seconds', quick ? 12 : 15]);
		const r = expectServed(await bot.done);
		for (const kind of ['audio', 'video']) {
			const l = r[`latency_${kind}`];
			of[kind].p95.push(l.p95_ms);
			of[kind].p50.push(l.p50_ms);
			of[kind].seen += l.seen;
		}
	}
	await mcu.stop();
	for (const kind of ['audio', 'video'])
		if (wants(`latency_${kind}_p95`))
			print(`latency_${kind}_p95`, median(of[kind].p95), 'ms',
				{ ...spread(of[kind].p95), p50: median(of[kind].p50), samples: of[kind].seen });
}
