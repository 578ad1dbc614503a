#!/usr/bin/env node
// The benches: server and floor program in turn on the same media, medians.
//
//   tests/bench/run.mjs [NAME…]     of figures (see README.md); by default all
//   ONLY=room4_ratio,join_p95  QUICK=1 (one short round)  ROUNDS=5  RUN_S=10  ASM=avx2|default
//   MCU_BIN, BOT_BIN, FLOOR_DIR, MEDIA: what is measured, and with which files
//
// Prints "bench NAME VALUE UNIT key=value…" with the bar and whether it is met.
// Ends with 1 when clients were not served: then figures are void. A bar that
// is missed is no such failure.

import * as audio from './bench_audio.mjs';
import * as calls from './bench_calls.mjs';
import * as hls from './bench_hls.mjs';
import * as idle from './bench_idle.mjs';
import * as joins from './bench_joins.mjs';
import * as latency from './bench_latency.mjs';
import * as overload from './bench_overload.mjs';
import * as phones from './bench_phones.mjs';
import * as quality from './bench_quality.mjs';
import * as record from './bench_record.mjs';
import * as registry from './bench_registry.mjs';
import * as rooms from './bench_rooms.mjs';
import * as rtsp from './bench_rtsp.mjs';
import * as search from './bench_search.mjs';
import * as viewers from './bench_viewers.mjs';
import * as vp8 from './bench_vp8.mjs';
import { fail, hasFailed } from './report.mjs';

// Each measures its figures together, because they share what is measured.
const groups = { rooms, viewers, audio, latency, joins, idle, overload, quality, vp8, phones, rtsp, calls, search, record, registry, hls };
const all = Object.values(groups).flatMap((g) => g.names);

const wanted = [...process.argv.slice(2), process.env.ONLY ?? ''].flatMap((list) => list.split(/[\s,]+/)).filter(Boolean)
	.flatMap((name) => groups[name]?.names ?? name);
for (const name of wanted) {
	if (!all.includes(name)) {
		console.error(`no bench "${name}": there are ${all.join(', ')}, and the groups ${Object.keys(groups).join(', ')}`);
		process.exit(2);
	}
}
const wants = (name) => !wanted.length || wanted.includes(name);
// One that cannot be run is said, and takes none of the others with it.
for (const [name, g] of Object.entries(groups)) {
	if (g.names.some(wants)) await g.run(wants).catch((e) => fail(`${name}: ${e.message}`));
}
process.exit(hasFailed() ? 1 : 0);
