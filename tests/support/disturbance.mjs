// What a room noticed of something that concerns the disk: ticks of sound that were missed,
// pictures that were not composed, or late. A busy machine misses some by itself; whoever
// waits for a disk misses them every time.
export class Disturbance {
	static async begin(server, room) {
		const d = new Disturbance();
		d.server = server;
		d.room = room;
		d.before = await server.metrics();
		d.at = performance.now();
		return d;
	}

	// Of the next seconds.
	static async during(server, room, ms) {
		const d = await Disturbance.begin(server, room);
		await new Promise((r) => setTimeout(r, ms));
		return d.seen();
	}

	// Since begin(), each 0 in a room that was not disturbed.
	async seen() {
		const now = await this.server.metrics(), labels = `{room="${this.room}"}`;
		const more = (name) => (now.get(name) ?? 0) - (this.before.get(name) ?? 0);
		const composed = more(`mcu_frame_interval_seconds_count${labels}`);
		return {
			seconds: (performance.now() - this.at) / 1000,
			missed: more('mcu_audio_ticks_missed_total'), skipped: more('mcu_video_ticks_skipped_total'),
			late: composed - more(`mcu_frame_interval_seconds_bucket{room="${this.room}",le="0.1"}`), composed,
		};
	}
}

const calm = (d) => !d.missed && !d.skipped && !d.late && d.composed > 0;

// Nothing was missed and nothing late; on a machine where something was before: not more often.
export function undisturbed(d, before) {
	const as = (what) => d[what] <= 2 * before[what] * d.seconds / before.seconds + 3;
	return calm(d) || (!calm(before) && ['missed', 'skipped', 'late'].every(as));
}
