// Debian's baresip without a screen or a sound card: sends a tone and a colour from
// files, and tells what it hears (from the sound that it dumps) and sees (a snapshot).
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { tie, until } from './server.mjs';
import { freePort } from './ports.mjs';
import { fromS16, loudness } from './tones.mjs';

const MODULES = '/usr/lib/baresip/modules';
const SOUND_RATE = 16000, SOUND_S = 300;
const RATES = { PCMU: 8000, PCMA: 8000, G722: 16000, opus: 48000 };
const NAMES = { PCMU: 'PCMU/8000/1', PCMA: 'PCMA/8000/1', G722: 'G722/16000/1', opus: 'opus/48000/2' };

// Files are made once and shared; a second process that makes the same does no harm.
function make(name, command) {
	const folder = join(tmpdir(), `mcu-baresip-media-${process.getuid()}`), file = join(folder, name);
	mkdirSync(folder, { recursive: true });
	if (!existsSync(file)) {
		const part = join(folder, `${process.pid}-${name}`);
		execFileSync('bash', ['-c', command(part)], { stdio: 'ignore' });
		renameSync(part, file);
	}
	return file;
}

const sound = (hz) => make(`${hz}.wav`, (f) => `sox -n -r ${SOUND_RATE} -c 1 -b 16 ${f} synth ${SOUND_S} sine ${hz} vol 0.25`);

// Five seconds, again and again: baresip does not come back from the end of a file.
const picture = (rgb) => {
	const hex = rgb.map((c) => c.toString(16).padStart(2, '0')).join('');
	return make(`${hex}.mp4`, (f) => `ffmpeg -v error -y -f lavfi -i color=c=0x${hex}:s=320x240:r=15:d=5 -vf scale=out_color_matrix=bt601:out_range=tv `
		+ `-pix_fmt yuv420p -c:v libx264 -preset ultrafast -g 15 -f mp4 ${f}.1 && ffmpeg -v error -y -stream_loop 60 -i ${f}.1 -c copy -f mp4 ${f}; rm -f ${f}.1`);
};

const certificate = () => make('tls.pem', (f) => `openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=127.0.0.1 `
	+ `-addext subjectAltName=IP:127.0.0.1 -keyout ${f}.1 -out ${f}.2 && cat ${f}.1 ${f}.2 >${f}; rm -f ${f}.1 ${f}.2`);

export class Baresip {
	events = [];
	#answers = new Map();
	#token = 0;
	#pictures = 0;

	// codec: PCMU, PCMA, G722 or opus; rgb: null for a phone without video; account: more
	// parameters of its account, e.g. ';auth_user=…'; srtp: SDES is a must; ice: ICE and DTLS are; answers: calls by itself.
	static async start({ name = 'baresip', codec = 'PCMU', hz = 440, rgb = null, account = '', srtp = false, ice = false, answers = true, aor } = {}) {
		const b = new Baresip();
		b.codec = codec;
		b.ice = ice;
		b.folder = await mkdtemp(join(tmpdir(), 'mcu-baresip-'));
		b.port = await freePort(); // and the one above it, for TLS
		const control = await freePort();
		const media = { sound: sound(hz), picture: rgb && picture(rgb) };
		writeFileSync(join(b.folder, 'config'), b.#config(control, media));
		b.aor = aor ?? `sip:${name}@127.0.0.1:${b.port}`;
		writeFileSync(join(b.folder, 'accounts'), `<${b.aor}>${/regint/.test(account) ? '' : ';regint=0'};answermode=${answers ? 'auto' : 'manual'};audio_codecs=${NAMES[codec]}`
			+ `${rgb ? ';video_codecs=h264' : ''}${srtp ? ';mediaenc=srtp-mand' : ''}${ice ? ';medianat=ice;mediaenc=dtls_srtp' : ''}${account}\n`);
		b.process = spawn('baresip', ['-4', '-n', '127.0.0.1', '-s', '-f', b.folder], { cwd: b.folder, stdio: ['ignore', 'pipe', 'pipe'] });
		tie(b.process);
		b.log = '';
		for (const out of [b.process.stdout, b.process.stderr])
			out.on('data', (d) => { b.log += d; });
		b.exited = new Promise((resolve) => {
			b.process.once('exit', (code, signal) => resolve(signal ?? code));
			b.process.once('error', (e) => resolve(e.message));
		});
		b.exited.then((code) => { b.code = code; });
		await b.#connect(control);
		return b;
	}

	#config(control, media) {
		const modules = ['g711', 'g722', 'opus', 'sndfile', 'aubridge', 'aufile', 'avcodec', 'snapshot', 'fakevideo', 'avformat', 'srtp', ...this.ice ? ['ice', 'dtls_srtp'] : []];
		return `poll_method epoll
sip_listen 127.0.0.1:${this.port}
sip_certificate ${certificate()}
call_local_timeout 120
audio_player aubridge,nil
audio_alert aubridge,nil
audio_source aufile,${media.sound}
ausrc_srate ${SOUND_RATE}
auplay_srate ${SOUND_RATE}
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
${media.picture ? `video_source avformat,${media.picture}
video_display fakevideo,nil
` : ''}video_size 320x240
video_bitrate 300000
video_fps 15
videnc_format yuv420p
rtcp_mux ${this.ice ? 'yes' : 'no'}
jitter_buffer_delay 1-3
module_path ${MODULES}
${modules.map((m) => `module ${m}.so\n`).join('')}module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:${control}
snd_path ${this.folder}
statmode_default off
`;
	}

	async #connect(port) {
		this.control = await until('baresip', () => {
			if (this.code !== undefined)
				throw new Error(`baresip ended with ${this.code}: ${this.log}`);
			return new Promise((resolve) => {
				const s = net.connect(port, '127.0.0.1', () => resolve(s));
				s.once('error', () => resolve(null));
			});
		});
		let text = Buffer.alloc(0);
		this.control.on('error', () => {});
		this.control.on('data', (d) => {
			text = Buffer.concat([text, d]);
			for (;;) {
				const colon = text.indexOf(':');
				const n = Number(text.subarray(0, Math.max(0, colon)).toString());
				if (colon < 0 || text.length < colon + n + 2)
					return;
				this.#message(JSON.parse(text.subarray(colon + 1, colon + 1 + n).toString()));
				text = text.subarray(colon + n + 2);
			}
		});
	}

	#message(m) {
		if (m.event)
			this.events.push(m);
		else
			this.#answers.get(m.token)?.(m);
	}

	command(command, params = '') {
		const token = String(++this.#token);
		const text = JSON.stringify({ command, params, token });
		return new Promise((resolve, reject) => {
			this.#answers.set(token, resolve);
			this.exited.then((code) => reject(new Error(`baresip ended with ${code}: ${this.log}`)));
			this.control.write(`${Buffer.byteLength(text)}:${text},`);
		});
	}

	// The n-th event of that type, once it is there; pattern: what its text says.
	event(type, { n = 0, pattern = /^/, ms = 20000 } = {}) {
		return until(`${type} at baresip`, () => {
			if (this.code !== undefined)
				throw new Error(`baresip ended with ${this.code} before ${type}: ${this.log}`);
			return this.events.filter((e) => e.type === type && pattern.test(e.param ?? ''))[n];
		}, ms).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(this.events)}\n${this.log}`); });
	}

	// Calls, and waits until it is answered.
	async call(uri) {
		const n = this.events.filter((e) => e.type === 'CALL_ESTABLISHED').length;
		await this.command('dial', uri);
		return this.event('CALL_ESTABLISHED', { n });
	}

	async hangup() {
		await this.command('hangup');
		await this.event('CALL_CLOSED');
	}

	#dump() {
		const names = readdirSync(this.folder).filter((n) => n.endsWith('-dec.wav')).sort();
		return names.length ? readFileSync(join(this.folder, names.at(-1))).subarray(44) : Buffer.alloc(0);
	}

	// dB of a tone in the last s seconds of what came; the dump has the codec's rate and channels.
	hears(hz, s = 0.5) {
		const channels = this.codec === 'opus' ? 2 : 1, rate = RATES[this.codec];
		const all = this.#dump();
		const n = Math.floor(rate * s) * 2 * channels;
		const end = all.length - all.length % (2 * channels);
		if (end < n)
			return -Infinity;
		const samples = fromS16(all.subarray(end - n, end));
		return loudness(channels === 1 ? samples : samples.filter((_, i) => i % 2 === 0), rate, hz);
	}

	// R, G, B at a place of the received picture (fractions of its width and height);
	// null while there is none.
	async sees(x, y) {
		const file = join(this.folder, `${++this.#pictures}.png`);
		await this.command('snapshot_recv', file);
		const size = () => execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', file],
			{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim().split(',').map(Number);
		try {
			const [w, h] = await until('a snapshot', () => {
				try {
					return existsSync(file) && size();
				} catch {
					return null; // half written
				}
			}, 3000);
			const rgb = execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
				{ maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] });
			const at = (Math.floor(y * h) * w + Math.floor(x * w)) * 3;
			return [...rgb.subarray(at, at + 3)];
		} catch {
			return null;
		} finally {
			rmSync(file, { force: true });
		}
	}

	async stop() {
		this.control?.destroy();
		if (this.code === undefined)
			this.process.kill('SIGKILL');
		await this.exited;
		rmSync(this.folder, { recursive: true, force: true });
	}
}
