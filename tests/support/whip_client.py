#!/usr/bin/python3
"""A client of WHIP and WHEP: GStreamer's webrtcbin, as encoders and players use it.

whip_client.py publish URL --rgb RRGGBB --hz N [--content RRGGBB] [--codec h264|vp8] [--token T] [--trickle]
whip_client.py view URL [--at X,Y]... [--hz N]... [--token T]

Says what happens on standard output, a JSON object in each line: {"event": "created",
"status": …, "location": …, "etag": …}, {"event": "connected"}, and of a viewer twice a
second {"event": "seen", "frames", "width", "height", "rgb": [of each --at], "db": [of
each --hz]}. Commands on standard input, one in each line: "restart" (of ICE), "stop"
(ends the session with DELETE). Ends when standard input ends. Loopback only."""
import argparse
import json
import math
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstWebRTC', '1.0')
gi.require_version('GstSdp', '1.0')
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

RATE = 48000
H264 = ('x264enc tune=zerolatency speed-preset=ultrafast bitrate=400 key-int-max=30 '
        '! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency '
        '! application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000')
VP8 = ('vp8enc deadline=1 target-bitrate=400000 keyframe-max-dist=30 ! rtpvp8pay '
       '! application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000')


def say(**what):
    print(json.dumps(what), flush=True)


def goertzel(samples, hz):
    """The level of one tone, dB below a full-scale sine."""
    c = 2 * math.cos(2 * math.pi * hz / RATE)
    a = b = 0.0
    for x in samples:
        a, b = x + c * a - b, a
    power = max(a * a + b * b - c * a * b, 1e-9)
    return 20 * math.log10(2 * math.sqrt(power) / len(samples) / 32768 + 1e-9)


class Client:
    def __init__(self, args):
        self.args = args
        self.loop = GLib.MainLoop()
        self.session = self.etag = None
        self.offer_text = ''
        self.early = []  # candidates before the session is there
        self.frames = 0
        self.picture = None
        self.sound = []
        self.lock = threading.Lock()

    # --- HTTP

    def ask(self, method, url, body=None, kind=None, **headers):
        h = {k.replace('_', '-'): v for k, v in headers.items()}
        if kind:
            h['Content-Type'] = kind
        if self.args.token:
            h['Authorization'] = f'Bearer {self.args.token}'
        data = body.encode() if body is not None else None
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, h, method=method)) as r:
                return r.status, r.headers, r.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read().decode()

    def fragment(self, candidates, end, ufrag=None, pwd=None):
        lines = [f'a=ice-ufrag:{ufrag or self.ufrag}', f'a=ice-pwd:{pwd or self.pwd}',
                 'm=audio 9 UDP/TLS/RTP/SAVPF 0', f'a=mid:{self.mid}', *[f'a={c}' for c in candidates]]
        if end:
            lines.append('a=end-of-candidates')
        return '\r\n'.join(lines) + '\r\n'

    def patch(self, body, if_match):
        return self.ask('PATCH', self.session, body, 'application/trickle-ice-sdpfrag', If_Match=if_match)

    # --- WebRTC

    def build(self):
        a = self.args
        if a.what == 'publish':
            video = ' '.join(
                f'videotestsrc is-live=true pattern=solid-color foreground-color=0xFF{rgb} '
                f'! video/x-raw,format=I420,width=320,height=180,framerate=15/1 ! {VP8 if a.codec == "vp8" else H264} ! rtc.'
                for rgb in (a.rgb, a.content) if rgb)
            audio = (f'audiotestsrc is-live=true freq={a.hz[0]} volume=0.25 ! audio/x-raw,rate=48000,channels=1 '
                     '! opusenc ! rtpopuspay ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! rtc.')
            self.pipe = Gst.parse_launch(f'webrtcbin name=rtc bundle-policy=max-bundle {video} {audio}')
        else:
            self.pipe = Gst.Pipeline()
            self.pipe.add(Gst.parse_launch('webrtcbin name=rtc bundle-policy=max-bundle latency=100'))
        self.rtc = self.pipe.get_by_name('rtc')
        self.ice = self.rtc.get_property('ice-agent')
        self.ice.emit('add-local-ip-address', '127.0.0.1')
        if a.what == 'view':
            recvonly = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            for caps in ('application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2',
                         'application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000,'
                         'packetization-mode=(string)1,profile-level-id=(string)42e01f,level-asymmetry-allowed=(string)1'
                         if a.codec != 'vp8' else 'application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000'):
                self.rtc.emit('add-transceiver', recvonly, Gst.Caps.from_string(caps))
        self.rtc.connect('on-negotiation-needed', lambda *_: self.negotiate())
        self.rtc.connect('on-ice-candidate', lambda _, line, c: GLib.idle_add(self.candidate, c))
        self.rtc.connect('notify::ice-gathering-state', lambda *_: GLib.idle_add(self.gathering))
        self.rtc.connect('notify::connection-state', lambda *_: GLib.idle_add(self.state))
        self.rtc.connect('pad-added', self.pad_added)
        bus = self.pipe.get_bus()
        bus.add_signal_watch()
        bus.connect('message::error', lambda _, m: self.fail(str(m.parse_error())))

    def fail(self, why):
        say(event='error', text=why)
        self.loop.quit()

    def negotiate(self):
        def created(promise, *_):
            promise.wait()
            reply = promise.get_reply()  # what is in it lives as long as this
            offer = reply.get_value('offer')
            self.rtc.emit('set-local-description', offer, Gst.Promise.new())
            if self.args.trickle:
                GLib.idle_add(self.post, offer.sdp.as_text())
        self.rtc.emit('create-offer', None, Gst.Promise.new_with_change_func(created))

    def gathering(self):
        done = self.rtc.get_property('ice-gathering-state') == GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if done and not self.args.trickle and not self.offer_text:
            self.post(self.rtc.get_property('local-description').sdp.as_text())
        elif done and self.session and self.args.trickle:
            status, _, text = self.patch(self.fragment([], True), self.etag)
            say(event='trickled', status=status, text=text)

    def candidate(self, c):
        if not self.args.trickle:
            return
        if not self.session:
            self.early.append(c)
            return
        status, _, text = self.patch(self.fragment([c], False), self.etag)
        say(event='trickled', status=status, text=text)

    def post(self, offer):
        if self.offer_text:
            return
        self.offer_text = offer
        find = lambda name: next(l for l in offer.splitlines() if l.startswith(f'a={name}:')).split(':', 1)[1]
        self.ufrag, self.pwd, self.mid = find('ice-ufrag'), find('ice-pwd'), find('mid')
        status, headers, text = self.ask('POST', self.args.url, offer, 'application/sdp')
        location = headers.get('Location')
        say(event='created', status=status, location=location, etag=headers.get('ETag'), text=text)
        if status != 201:
            self.loop.quit()
            return
        self.session = urllib.parse.urljoin(self.args.url, location)
        self.etag = headers['ETag']
        _, sdp = GstSdp.SDPMessage.new_from_text(text)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.rtc.emit('set-remote-description', answer, Gst.Promise.new())
        early, self.early = self.early, []
        for c in early:
            self.candidate(c)

    def state(self):
        state = self.rtc.get_property('connection-state')
        say(event=state.value_nick)

    # --- what is received

    def pad_added(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        decode = Gst.ElementFactory.make('decodebin')
        decode.connect('pad-added', self.decoded)
        self.pipe.add(decode)
        decode.sync_state_with_parent()
        pad.link(decode.get_static_pad('sink'))

    def decoded(self, _, pad):
        video = pad.get_current_caps().get_structure(0).get_name().startswith('video')
        caps = 'video/x-raw,format=RGB' if video else f'audio/x-raw,format=S16LE,channels=1,rate={RATE}'
        convert = 'videoconvert' if video else 'audioconvert ! audioresample'
        sink = Gst.parse_bin_from_description(f'queue ! {convert} ! {caps} ! fakesink name=sink signal-handoffs=true sync=false', True)
        sink.get_by_name('sink').connect('handoff', self.take_picture if video else self.take_sound)
        self.pipe.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad('sink'))

    def take_picture(self, _, buf, pad):
        s = pad.get_current_caps().get_structure(0)
        with self.lock:
            self.frames += 1
            self.picture = (s.get_value('width'), s.get_value('height'), buf.extract_dup(0, buf.get_size()))

    def take_sound(self, _, buf, pad):
        data = buf.extract_dup(0, buf.get_size())
        with self.lock:
            self.sound.extend(memoryview(data).cast('h'))
            del self.sound[:-RATE // 4]

    def report(self):
        with self.lock:
            frames, picture, sound = self.frames, self.picture, list(self.sound)
        if picture:
            w, h, data = picture
            stride = (3 * w + 3) // 4 * 4
            rgb = []
            for at in self.args.at:
                x, y = (int(v) for v in at.split(','))
                o = min(y, h - 1) * stride + 3 * min(x, w - 1)
                rgb.append(list(data[o:o + 3]))
            db = [round(goertzel(sound, hz), 1) if len(sound) >= RATE // 4 else -180 for hz in self.args.hz]
            say(event='seen', frames=frames, width=w, height=h, rgb=rgb, db=db)
        return True

    # --- commands

    def restart(self):
        """webrtcbin cannot restart ICE by itself: the server's side of it only."""
        new = {'ufrag': 'restarted' + self.ufrag, 'pwd': 'restarted' + self.pwd}
        status, headers, text = self.patch(self.fragment([], False, **new), '*')
        old = self.etag
        self.etag = headers.get('ETag') or self.etag
        stale, _, _ = self.patch(self.fragment([], True, **new), old)
        say(event='restarted', status=status, etag=self.etag, text=text, stale=stale)

    def stop(self):
        if not self.session:
            return self.loop.quit()
        status, _, _ = self.ask('DELETE', self.session)
        again, _, _ = self.ask('DELETE', self.session)
        say(event='deleted', status=status, again=again)
        self.loop.quit()

    def command(self, _, condition):
        line = sys.stdin.readline()
        if not line:
            self.loop.quit()
            return False
        getattr(self, line.strip())()
        return True

    def run(self):
        self.build()
        GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, self.command)
        if self.args.what == 'view':
            GLib.timeout_add(500, self.report)
        self.pipe.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipe.set_state(Gst.State.NULL)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('what', choices=['publish', 'view'])
    p.add_argument('url')
    p.add_argument('--rgb', default='808080')
    p.add_argument('--content')  # a second picture, of this colour
    p.add_argument('--hz', type=float, action='append', default=[])
    p.add_argument('--at', action='append', default=[])
    p.add_argument('--codec', choices=['h264', 'vp8'], default='h264')
    p.add_argument('--token')
    p.add_argument('--trickle', action='store_true')
    Gst.init(None)
    Client(p.parse_args()).run()


main()
