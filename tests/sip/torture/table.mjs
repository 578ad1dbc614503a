// The 49 messages of RFC 4475 in its order: the section, the transport that the message
// itself names in its topmost Via, and the answers that the RFC allows. Nothing is
// registered and there is no room, so that a message that is fine gets as far as
// "nobody of that name" or "who are you".
//
//   answers: status codes; SILENCE: no answer at all
//   deviates: {answers, why}: what sofia-sip does instead, none of it harmful
import invalid from './invalid.mjs';
import semantics from './semantics.mjs';
import valid from './valid.mjs';

export const SILENCE = 0;

const NOT_FOUND = [404]; // an INVITE or OPTIONS for somebody who is not here
const OPTIONS = [200, 404];
const REGISTER = [401, 403, 404]; // RFC 3261 section 10.3
const BAD = [400];

// Of section 3.1.2 where the RFC lets an element be liberal: it may take the message for
// what it plainly means.
const liberal = (answers) => [...BAD, ...answers];

const row = (section, name, transport, answers, more = {}) => ({ section, name, transport, answers, ...more });

export const TABLE = [
	row('3.1.1.1', 'wsinv', 'udp', [...NOT_FOUND, 481]), // its To has a tag: a dialog that there is not
	row('3.1.1.2', 'intmeth', 'tcp', [405, 501], { deviates: { answers: [SILENCE],
		why: 'to sofia-sip an octet of zero ends a message, so the rest of this one never comes' } }),
	row('3.1.1.3', 'esc01', 'udp', NOT_FOUND),
	row('3.1.1.4', 'escnull', 'udp', REGISTER),
	row('3.1.1.5', 'esc02', 'tcp', [405, 501]),
	row('3.1.1.6', 'lwsdisp', 'udp', OPTIONS),
	row('3.1.1.7', 'longreq', 'tcp', NOT_FOUND),
	row('3.1.1.8', 'dblreq', 'udp', REGISTER),
	row('3.1.1.9', 'semiuri', 'udp', OPTIONS),
	row('3.1.1.10', 'transports', 'udp', OPTIONS),
	row('3.1.1.11', 'mpart01', 'udp', [404, 405, 415, 501]),
	row('3.1.1.12', 'unreason', 'udp', [SILENCE]),
	row('3.1.1.13', 'noreason', 'udp', [SILENCE]),
	row('3.1.2.1', 'badinv01', 'udp', BAD, { deviates: { answers: [SILENCE],
		why: 'without a Via that can be read there is nobody to answer' } }),
	row('3.1.2.2', 'clerr', 'udp', BAD),
	row('3.1.2.3', 'ncl', 'udp', BAD),
	row('3.1.2.4', 'scalar02', 'tcp', BAD),
	row('3.1.2.5', 'scalarlg', 'tcp', [SILENCE]),
	row('3.1.2.6', 'quotbal', 'udp', liberal(NOT_FOUND)),
	row('3.1.2.7', 'ltgtruri', 'udp', BAD),
	row('3.1.2.8', 'lwsruri', 'udp', BAD, { deviates: { answers: [SILENCE],
		why: 'a first line that is not one is no SIP to sofia-sip, and is dropped' } }),
	row('3.1.2.9', 'lwsstart', 'udp', liberal(NOT_FOUND)),
	row('3.1.2.10', 'trws', 'tcp', liberal(OPTIONS)),
	row('3.1.2.11', 'escruri', 'udp', liberal(NOT_FOUND)),
	row('3.1.2.12', 'baddate', 'udp', liberal(NOT_FOUND)),
	row('3.1.2.13', 'regbadct', 'udp', liberal(REGISTER)),
	row('3.1.2.14', 'badaspec', 'udp', liberal(OPTIONS)),
	row('3.1.2.15', 'baddn', 'udp', liberal(OPTIONS)),
	row('3.1.2.16', 'badvers', 'udp', [505], { deviates: { answers: [SILENCE],
		why: 'a first line of another version is no SIP to sofia-sip, and is dropped' } }),
	row('3.1.2.17', 'mismatch01', 'udp', BAD),
	row('3.1.2.18', 'mismatch02', 'udp', [400, 501]),
	row('3.1.2.19', 'bigcode', 'udp', [SILENCE]),
	row('3.2.1', 'badbranch', 'udp', OPTIONS),
	row('3.3.1', 'insuf', 'udp', BAD),
	row('3.3.2', 'unkscm', 'tcp', [416]),
	row('3.3.3', 'novelsc', 'tcp', [416]),
	row('3.3.4', 'unksm2', 'udp', [400, ...REGISTER, 416]),
	row('3.3.5', 'bext01', 'tls', [420]),
	row('3.3.6', 'invut', 'udp', [404, 415]),
	row('3.3.7', 'regaut01', 'tcp', REGISTER),
	row('3.3.8', 'multi01', 'udp', BAD),
	row('3.3.9', 'mcl01', 'udp', BAD),
	row('3.3.10', 'bcast', 'udp', [SILENCE]),
	row('3.3.11', 'zeromf', 'udp', [...OPTIONS, 483]),
	row('3.3.12', 'cparam01', 'udp', REGISTER),
	row('3.3.13', 'cparam02', 'udp', REGISTER),
	row('3.3.14', 'regescrt', 'udp', REGISTER),
	row('3.3.15', 'sdp01', 'udp', [404, 406]),
	row('3.4.1', 'inv2543', 'udp', NOT_FOUND),
].map((r) => ({ ...r, bytes: { ...valid, ...invalid, ...semantics }[r.name] }));
