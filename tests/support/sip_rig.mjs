// Telephones of SIPp and their media, as tests of calls use them.
import { Phone } from './phone.mjs';
import { until } from './server.mjs';
import { Sipp } from './sipp.mjs';

export const HEARD_DB = -25, UNHEARD_DB = -45;

export class Telephone {
	// A telephone that speaks a tone and plays a scenario against the server.
	// options: of Sipp.start(); hz: 0 is silence.
	static async start(server, scenario, { hz = 0, video = false, codec, ...options } = {}) {
		const t = new Telephone();
		t.phone = await Phone.open({ video, codec, host: options.host });
		t.phone.talk(hz);
		t.sipp = await Sipp.start(scenario, { to: server && `127.0.0.1:${server.sipPort}`, phone: t.phone, ...options, args: ['-aa', ...options.args ?? []] });
		return t;
	}

	// That calls a room, and is answered.
	static async call(server, room, options = {}) {
		const t = await Telephone.start(server, options.scenario ?? 'call', { user: room, ...options });
		await t.answered();
		return t;
	}

	async answered(n = 0) {
		this.phone.connect(await this.sipp.sdp(n));
	}

	// {tone: whether it is to be heard}
	async hears(tones) {
		const list = Object.entries(tones).map(([hz, heard]) => ({ hz: Number(hz), heard }));
		let db;
		await until(`a telephone to hear ${list.filter((t) => t.heard).map((t) => t.hz).join(', ') || 'nothing'} Hz`, () => {
			db = list.map((t) => this.phone.hears(t.hz));
			return list.every((t, i) => t.heard ? db[i] > HEARD_DB : db[i] < UNHEARD_DB && db[i] > -Infinity);
		}, 20000).catch((e) => { throw new Error(`${e.message}: ${list.map((t, i) => `${t.hz} Hz ${db[i].toFixed(0)} dB`)} ${this.sipp.complaint()}`); });
	}

	go() {
		this.sipp.go();
	}

	// Goes on to the scenario's end, which must be a good one.
	async finish() {
		this.sipp.go();
		await this.fine();
	}

	async fine() {
		await this.sipp.fine();
		this.phone.close();
	}

	// Falls silent without a word.
	async vanish() {
		this.phone.close();
		await this.sipp.kill();
	}
}

// The room is empty and closed.
export const gone = (server, room, ms = 30000) =>
	until(`room ${room} to close`, async () => await server.value('mcu_legs', room) === undefined, ms);
export const legs = (server, room, n, ms = 20000) =>
	until(`${n} legs in ${room}`, async () => (await server.value('mcu_legs', room) ?? 0) === n, ms);
