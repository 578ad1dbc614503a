// Two network namespaces with a veth pair between them and no way out. They last
// as long as the processes that hold them. Needs root, ip and nft.
import { execFileSync, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';

import { tie, until } from './server.mjs';

export const SERVER_ADDRESS = '10.77.0.1', BOT_ADDRESS = '10.77.0.2';

// Why it cannot be done here; null when it can.
export function netnsImpossible() {
	if (process.getuid() !== 0)
		return 'needs root, to make network namespaces';
	try {
		execFileSync('unshare', ['-n', 'nft', 'add', 'table', 'inet', 'probe'], { stdio: 'ignore' });
		execFileSync('ip', ['-V'], { stdio: 'ignore' });
		return null;
	} catch {
		return 'needs ip, nft and a kernel with nf_tables';
	}
}

export class Net {
	static async make() {
		const n = new Net();
		n.holders = await Promise.all([0, 1].map(() => n.#hold()));
		const [s, b] = n.holders.map((h) => h.pid);
		// Not called veth0: libnice passes over those.
		execFileSync('ip', ['link', 'add', 'media0', 'netns', String(s), 'type', 'veth', 'peer', 'name', 'media0', 'netns', String(b)]);
		for (const [side, address] of [['server', SERVER_ADDRESS], ['bots', BOT_ADDRESS]]) {
			n.run(side, 'ip', 'address', 'add', `${address}/24`, 'dev', 'media0');
			n.run(side, 'ip', 'link', 'set', 'media0', 'up');
			n.run(side, 'ip', 'link', 'set', 'lo', 'up');
			n.run(side, 'nft', 'add table inet loss; add chain inet loss in { type filter hook input priority 0; }');
		}
		return n;
	}

	async #hold() {
		const own = readlinkSync('/proc/self/ns/net');
		const child = spawn('unshare', ['-n', 'sleep', 'infinity'], { stdio: 'ignore' });
		tie(child);
		await until('a namespace', () => readlinkSync(`/proc/${child.pid}/ns/net`) !== own);
		return child;
	}

	// The words that run a command on that side.
	prefix(side) {
		return ['nsenter', '-t', String(this.holders[side === 'server' ? 0 : 1].pid), '-n', '--'];
	}

	run(side, ...command) {
		const [first, ...rest] = [...this.prefix(side), ...command];
		return execFileSync(first, rest, { encoding: 'utf8' });
	}

	// What arrives at either side gets lost: so many of 1000 UDP packets.
	lose(permille) {
		for (const side of ['server', 'bots']) {
			this.run(side, 'nft', 'flush chain inet loss in');
			if (permille)
				this.run(side, 'nft', `add rule inet loss in meta l4proto udp ${permille < 1000 ? `numgen random mod 1000 < ${permille} ` : ''}counter drop`);
		}
	}

	// Packets that were lost since lose(), at both sides.
	lost() {
		return ['server', 'bots'].map((side) => Number(this.run(side, 'nft', 'list chain inet loss in').match(/packets (\d+)/)?.[1] ?? 0));
	}

	end() {
		this.holders.forEach((h) => h.kill('SIGKILL'));
	}
}
