// SIP by hand over UDP, for what no telephone would do: each message is sent as asked
// for, nothing is sent again, and only what a test answers is answered.
import dgram from 'node:dgram';

import { until } from './server.mjs';

export class RawSip {
	messages = []; // {status | method, text, callId, cseq}
	#n = 0;

	static async open(server, host = '127.0.0.1') {
		const r = new RawSip();
		r.server = server;
		r.host = host;
		r.socket = dgram.createSocket('udp4');
		await new Promise((resolve, reject) => {
			r.socket.once('error', reject);
			r.socket.bind(0, host, resolve);
		});
		r.socket.on('error', () => {});
		r.socket.unref();
		r.port = r.socket.address().port;
		r.socket.on('message', (d) => r.#take(d.toString('latin1')));
		return r;
	}

	#take(text) {
		const first = text.slice(0, text.indexOf('\r\n'));
		const header = (name) => text.match(new RegExp(`^${name}: *(.*)\r$`, 'mi'))?.[1];
		const m = { text, first, callId: header('Call-ID') ?? header('i'), cseq: header('CSeq'), to: header('To') ?? header('t'),
			contact: (header('Contact') ?? header('m'))?.match(/<(.*)>/)?.[1] };
		if (first.startsWith('SIP/2.0 '))
			m.status = Number(first.slice(8, 11));
		else
			m.method = first.split(' ')[0];
		this.messages.push(m);
	}

	// A dialog to be, by its Call-ID and tag.
	dialog(user) {
		const n = ++this.#n;
		const uri = `sip:${user}@127.0.0.1:${this.server.sipPort}`;
		return { uri, to: `<sip:${user}@127.0.0.1>`, callId: `raw${n}.${process.pid}.${this.port}@test`, tag: `t${n}`, cseq: 0, branch: 0 };
	}

	// headers: more lines; body: SDP. A CANCEL or ACK goes with the last INVITE's CSeq; a
	// CANCEL, and an ACK of what was refused, with its branch too.
	send(d, method, { headers = [], body, type = 'application/sdp', same = method === 'CANCEL' } = {}) {
		if (method !== 'CANCEL' && method !== 'ACK')
			d.cseq++;
		if (!same)
			d.branch++;
		if (method === 'INVITE')
			d.invite = { cseq: d.cseq, branch: d.branch };
		const cseq = method === 'CANCEL' || method === 'ACK' ? d.invite.cseq : d.cseq;
		const branch = same ? d.invite.branch : d.branch;
		const lines = [`${method} ${d.target && !same ? d.target : d.uri} SIP/2.0`, `Via: SIP/2.0/UDP ${this.host}:${this.port};rport;branch=z9hG4bK${d.tag}.${this.port}.${branch}`,
			'Max-Forwards: 70', `From: <sip:raw@${this.host}>;tag=${d.tag}`, `To: ${d.to}`, `Call-ID: ${d.callId}`, `CSeq: ${cseq} ${method}`,
			`Contact: <sip:raw@${this.host}:${this.port}>`, ...headers, ...body ? [`Content-Type: ${type}`] : [], `Content-Length: ${body?.length ?? 0}`, '', body ?? ''];
		this.raw(lines.join('\r\n'));
	}

	raw(text) {
		this.socket.send(Buffer.from(text, 'latin1'), this.server.sipPort, '127.0.0.1');
	}

	// All that was answered to a method, in order.
	answers(d, method) {
		return this.messages.filter((m) => m.status && m.callId === d.callId && m.cseq?.endsWith(` ${method}`));
	}

	final(d, method, ms) {
		return until(`a final answer to ${method}`, () => this.answers(d, method).find((m) => m.status >= 200), ms);
	}

	// After a final answer to INVITE: the dialog, and the ACK.
	acknowledge(d, answer) {
		d.to = answer.to;
		if (answer.status < 300)
			d.target = answer.contact;
		this.send(d, 'ACK', { same: answer.status >= 300 });
	}

	// A request of the server that this dialog got.
	requested(d, method, ms) {
		return until(`${method} of the server`, () => this.messages.find((m) => m.method === method && m.callId === d.callId), ms);
	}

	ok(request) {
		const keep = request.text.split('\r\n').filter((l) => /^(Via|From|To|Call-ID|CSeq|v|f|t|i):/i.test(l));
		this.raw(['SIP/2.0 200 OK', ...keep, 'Content-Length: 0', '', ''].join('\r\n'));
	}

	close() {
		this.socket.close();
	}
}

// The SDP of a telephone with PCMU alone.
export const sdp = (port, host = '127.0.0.1') => ['v=0', `o=raw 1 1 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0', `m=audio ${port} RTP/AVP 0`, ''].join('\r\n');
