#include "mcu/config_priv.h"

#include <arpa/inet.h>
#include <string.h>

#include "mcu/ice_url.h"
#include "mcu/net/rtp_ports.h"
#include "mcu/room/ladder.h"
#include "signaling/ivr.h"

static bool is_ip(const char *v)
{
	unsigned char addr[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, v, addr) == 1 || inet_pton(AF_INET6, v, addr) == 1;
}

static const char *check_not_empty(const char *v)
{
	return *v ? NULL : "a text that is not empty";
}

static const char *check_listen(const char *v)
{
	if (is_ip(v) || !strcmp(v, "localhost"))
		return NULL;
	return "\"localhost\", \"0.0.0.0\" (all of IPv4), \"::\" (all) or another IP address";
}

static const char *check_ip_or_empty(const char *v)
{
	return !*v || is_ip(v) ? NULL : "an IP address, or empty";
}

static const char *check_stun(const char *v)
{
	struct ice_url url;

	if (!ice_url_parse(&url, v) && url.kind == ICE_STUN)
		return NULL;
	return "a STUN URL like \"stun:stun.example.org:3478\"";
}

static const char *check_turn(const char *v)
{
	struct ice_url url;

	if (!ice_url_parse(&url, v) && url.kind != ICE_STUN)
		return NULL;
	return "a TURN URL like \"turn:turn.example.org:3478?transport=udp\"";
}

static const char *check_color(const char *v)
{
	return v[0] == '#' && strspn(v + 1, "0123456789abcdefABCDEF") == 6 && !v[7] ?
		       NULL : "a colour like \"#0f1115\"";
}

static const char *check_video_codec(const char *v)
{
	static const char *const known[] = { "h264", "vp8", "vp9", "av1" };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(v, known[i]))
			return NULL;
	return "h264, vp8, vp9 or av1";
}

static const char *check_tier(const char *v)
{
	struct engine_rung r;

	return ladder_parse(&r, v) ? NULL : "lines@pictures per second/kilobits per second: \"360@30/500\"";
}

static const char *check_ports(const char *v)
{
	uint16_t min, max;

	return rtp_port_range_parse(v, &min, &max) ?
		       NULL : "the first and the last port, from 1024 on: \"20000-29999\"";
}

static const char *check_menu(const char *v)
{
	enum ivr_command c;
	char key;

	return ivr_menu_parse(v, &key, &c) ?
		       NULL : "a star, a key (0 to 9 or #) and what it does: \"*6 mute\"";
}

#define AT(field) offsetof(struct config, field)
#define STRING(path, field, check, def, doc) \
	{ path, KEY_STRING, AT(field), 0, 0, NULL, check, def, doc }
#define INT(path, field, min, max, def, doc) \
	{ path, KEY_INT, AT(field), min, max, NULL, NULL, def, doc }
#define EVEN(path, field, min, max, def, doc) \
	{ path, KEY_EVEN, AT(field), min, max, NULL, NULL, def, doc }
#define BOOL(path, field, def, doc) { path, KEY_BOOL, AT(field), 0, 0, NULL, NULL, def, doc }
#define CHOICE(path, field, choices, def, doc) \
	{ path, KEY_CHOICE, AT(field), 0, 0, choices, NULL, def, doc }

const struct config_section config_sections[] = {
	{ "server", "The server as a whole." },
	{ "http", "Plain HTTP, for browsers on this machine: they give camera and microphone to "
		  "http://localhost and to https only." },
	{ "https", "HTTPS, for the network." },
	{ "data", "Where everything that lasts is kept." },
	{ "log", "What is written to standard error." },
	{ "net", "Threads that receive, encrypt and send." },
	{ "mixer", "Threads that decode, mix and encode." },
	{ "ice", "How media finds its way through the network (ICE, RFC 8445)." },
	{ "room", "Rooms." },
	{ "accounts", "People with a name and a password." },
	{ "sip", "Telephones, room systems and trunks (SIP)." },
	{ "rtsp", "Players that watch rooms and recordings (RTSP)." },
	{ "video", "The composed picture of a room, and what participants may send." },
	{ "audio", "The mixed sound of a room." },
	{ "recording", "Recordings." },
	{ "hls", "Rooms as streams over HTTP (HLS), for any number of viewers: players, the page "
		 "/watch/ROOM, and through proxies and CDNs." },
	{ "push", "Rooms sent on to other servers (RTMP, SRT)." },
	{ "statistics", "What is written down about connections." },
	{ "playback", "Recordings, uploaded files and cameras that are played into rooms." },
	{ "overload", "What happens when the machine cannot keep up." },
	{ "limits", "What one peer may ask of the server." },
};

const struct config_key config_keys[] = {
	STRING("server.name", server.name, check_not_empty, "mcu", "Shown in the page's title."),

	STRING("http.address", http.address, check_listen, "localhost",
	       "Address to listen on; \"localhost\" is this machine only, \"0.0.0.0\" is all of IPv4, "
	       "\"::\" is all."),
	INT("http.port", http.port, -1, 65535, "8080", "0: any free one; -1: off."),
	STRING("http.web_path", http.web_path, NULL, "",
	       "Folder of the browser client; empty: web/ of the working directory if it is there, "
	       "otherwise the installed one."),
	BOOL("http.public_metrics", http.public_metrics, "false",
	     "Everybody may read /metrics, which name the running rooms; otherwise programs on this "
	     "machine and administrators."),

	STRING("https.address", https.address, check_listen, "0.0.0.0",
	       "Address to listen on, as above."),
	INT("https.port", https.port, -1, 65535, "8443", "0: any free one; -1: off."),
	STRING("https.certificate", https.certificate, NULL, "",
	       "Certificate chain, a PEM file; empty: a self-signed one is made and kept in data.path."),
	STRING("https.key", https.key, NULL, "", "Its private key, a PEM file."),

	STRING("data.path", data.path, check_not_empty, "data",
	       "Folder of the database, recordings and the generated certificate; made if missing."),

	{ "log.level", KEY_LEVEL, AT(log.level), 0, 0, "error|warn|info|debug|trace", NULL, "info",
	  "The least important lines that are written." },

	INT("net.threads", net.threads, 0, 16, "0", "0: half as many as there are cores."),
	BOOL("net.gso", net.gso, "true",
	     "UDP segmentation offload: several packets with one system call. Off by itself where "
	     "the system refuses it."),
	INT("net.receive_holdoff_us", net.receive_holdoff_us, 0, 20000, "0",
	    "Under load, sockets are read at most this often (microseconds): fewer, fuller wake-ups "
	    "for a little delay. 0: at once."),

	INT("mixer.threads", mixer.threads, 0, 64, "0", "Video workers. 0: as many as cores."),
	INT("mixer.audio_threads", mixer.audio_threads, 0, 8, "0",
	    "Audio workers. 0: one per 4 cores, at least one."),

	STRING("ice.public_address", ice.public_address, check_ip_or_empty, "",
	       "The address others see, when the server stands behind a 1:1 NAT (cloud machines)."),
	INT("ice.port_min", ice.port_min, 0, 65535, "0",
	    "First UDP port for media; open the range in the firewall. 0: the system's choice."),
	INT("ice.port_max", ice.port_max, 0, 65535, "0", "Last of them."),
	{ "ice.stun", KEY_STRINGS, AT(ice.stun), 0, 0, NULL, check_stun, "",
	  "STUN servers, for the server and handed to clients: [\"stun:stun.example.org:3478\"]" },
	{ "ice.turn", KEY_TURNS, AT(ice.turn), 0, 0, NULL, check_turn, "",
	  "TURN servers, likewise: "
	  "[{url: \"turn:turn.example.org:3478?transport=udp\", username: \"u\", credential: \"c\"}]" },
	BOOL("ice.loopback", ice.loopback, "true",
	     "Offer 127.0.0.1 and ::1 too, so that a browser on this machine works without a network."),

	BOOL("room.on_demand", room.on_demand, "true",
	     "A room comes into being when the first one joins. false: only rooms made beforehand."),
	INT("room.max_participants", room.max_participants, 1, 10000, "100", "Per room."),
	INT("room.max_views", room.max_views, 1, 16, "8",
	    "Views of a room that its hosts may make, the main one included. Each that somebody "
	    "receives is composed and encoded."),
	INT("room.max_personal_views", room.max_personal_views, 0, 16, "4",
	    "Participants of a room who may hide their own picture from themselves: each costs a "
	    "view."),
	BOOL("room.speaker_view", room.speaker_view, "true",
	     "Who has the speaker's large tile sees who spoke before; a lecturer sees the audience. "
	     "It costs a view per room. Hosts may change it."),
	INT("room.max_rooms", room.max_rooms, 1, 10000, "100", "Rooms that run at the same time."),
	INT("room.linger_s", room.linger_s, 0, 3600, "5",
	    "An empty room stays this long for those who come back (seconds)."),

	CHOICE("room.record", room.record, "hosts|all|nobody|auto", "hosts",
	       "Who may record, where a room's own rules say nothing. auto: hosts, and rooms are "
	       "recorded by themselves."),

	INT("accounts.sign_in_hours", accounts.sign_in_hours, 1, 8760, "24",
	    "A sign-in holds this long, unless the password changes or the person signs out."),

	STRING("sip.address", sip.address, check_ip_or_empty, "",
	       "Address to listen on; empty: every address of this machine."),
	INT("sip.port", sip.port, -1, 65535, "5060", "UDP and TCP. 0: any free one; -1: no SIP at all."),
	INT("sip.tls_port", sip.tls_port, -1, 65535, "5061",
	    "TLS, with the certificate of https. 0: any free one; -1: off."),
	STRING("sip.domain", sip.domain, NULL, "",
	       "What stands after the @ in this server's addresses; empty: any name and address is "
	       "taken as this server's."),
	STRING("sip.realm", sip.realm, NULL, "",
	       "Shown by telephones that ask for a password; empty: sip.domain, or \"mcu\". SIP "
	       "passwords hold for the realm that they were set in."),
	STRING("sip.bridge", sip.bridge, check_not_empty, "bridge",
	       "The number or name that reaches the voice menu, which asks for a conference number."),
	CHOICE("sip.callers", sip.callers, "all|known", "all",
	       "Who may call in: everybody (the rooms' own rules and PINs hold), or only registered "
	       "users and trunks."),
	INT("sip.messages_per_s", sip.messages_per_s, 0, 100000, "500",
	    "Messages per second from one address (IPv6: one network of 64 bits), twice as many at "
	    "once; what is above is dropped unread. 0: any number."),
	INT("sip.connections_per_address", sip.connections_per_address, 1, 10000, "100",
	    "TCP and TLS connections of one address."),
	STRING("sip.rtp_ports", sip.rtp_ports, check_ports, "20000-29999",
	       "UDP ports of their sound and pictures, first and last; a call takes two for each "
	       "stream. Open the range in the firewall."),
	INT("sip.silence_s", sip.silence_s, 0, 3600, "30",
	    "A call from which nothing has come for so long ends (seconds), unless it is on hold. "
	    "0: never."),
	INT("sip.max_calls", sip.max_calls, 0, 100000, "1000",
	    "Calls at the same time, in and out; more are refused with 503. A tenth is kept for "
	    "calls out. 0: any number."),

	CHOICE("sip.dial", sip.dial, "hosts|users|nobody", "hosts",
	       "Who may have a room call somebody: its hosts who have an account, everybody in it who "
	       "has one, or nobody. Guests never may."),
	{ "sip.dial_to", KEY_STRINGS, AT(sip.dial_to), 0, 0, NULL, check_not_empty, "",
	  "Where to: beginnings of numbers and hosts of addresses, as [\"+49\", \"0\", "
	  "\"@example.org\"]; empty: anywhere that a trunk or the network leads." },
	INT("sip.dial_per_minute", sip.dial_per_minute, 1, 1000, "10",
	    "Calls that one person may have made."),
	INT("sip.dial_per_room", sip.dial_per_room, 1, 1000, "20",
	    "Calls of a room at the same time that it made itself."),
	STRING("sip.dial_in", sip.dial_in, NULL, "",
	       "The telephone number by which people reach the server, shown in its page; empty: none."),
	INT("sip.keep_calls_days", sip.keep_calls_days, 0, 36500, "365",
	    "Call records are kept this long; 0: for ever."),
	INT("sip.keep_calls", sip.keep_calls, 0, 100000000, "500000",
	    "At most about so many of them, some 500 octets each: the oldest go first; 0: all."),
	STRING("sip.prompts", sip.prompts, NULL, "",
	       "Folder with announcements of your own, LANGUAGE/NAME.wav and music.wav, join.wav, "
	       "leave.wav: they take the place of the server's (prompts/en.txt has their names)."),
	CHOICE("sip.language", sip.language, "en|ko", "en", "What callers are spoken to in."),
	BOOL("sip.choose_language", sip.choose_language, "false",
	     "Callers of the bridge are asked whether they want the other language (key 2)."),
	{ "sip.menu", KEY_STRINGS, AT(sip.menu), 0, 0, NULL, check_menu,
	  "[\"*6 mute\", \"*5 hand\", \"*1 layout_next\", \"*2 layout_previous\", \"*4 record\", "
	  "\"*9 record_pause\", \"*7 quieter\", \"*8 louder\", \"*0 help\"]",
	  "Keys of telephones in a room: a star, a key, and what they do (mute, hand, layout_next, "
	  "layout_previous, record, record_pause, quieter, louder, help)." },
	CHOICE("sip.chimes", sip.chimes, "phones|all|none", "phones",
	       "Whose coming and going a room of up to 50 people hears."),

	STRING("rtsp.address", rtsp.address, check_ip_or_empty, "",
	       "IP address to listen on; empty: every address of the machine."),
	INT("rtsp.port", rtsp.port, -1, 65535, "8554", "TCP. 0: any free one; -1: no RTSP at all."),
	INT("rtsp.max_sessions", rtsp.max_sessions, 1, 100000, "2000",
	    "Of all clients together. Media over UDP has ports of sip.rtp_ports."),
	INT("rtsp.sessions_per_address", rtsp.sessions_per_address, 1, 100000, "100",
	    "Of one address, and as many connections."),
	INT("rtsp.timeout_s", rtsp.timeout_s, 10, 3600, "60",
	    "A session ends when its client has said nothing and has sent no reports for so long."),

	EVEN("video.width", video.width, 160, 3840, "1280", "Pixels, even."),
	EVEN("video.height", video.height, 90, 2160, "720", "Pixels, even."),
	INT("video.fps", video.fps, 1, 60, "30", "Pictures per second."),
	INT("video.transition_ms", video.transition_ms, 0, 2000, "300",
	    "Milliseconds that tiles take to their places in a new layout; 0: they are there at once."),
	STRING("video.background", video.background, check_color, "#0f1115",
	       "The colour between the tiles, where a room's hosts choose no other."),
	STRING("video.background_picture", video.background_picture, NULL, "",
	       "A PNG file to show there instead; empty: none."),
	STRING("video.logo", video.logo, NULL, "",
	       "A PNG file to show in the lower right corner; empty: none."),
	INT("video.bitrate_kbps", video.bitrate_kbps, 50, 20000, "1500", "Kilobits per second."),
	INT("video.vbv_ms", video.vbv_ms, 50, 5000, "250",
	    "How far the rate may swing (milliseconds of it): with 250 no half second takes more "
	    "than 1.5 of it; less makes key frames smaller and coarser."),
	CHOICE("video.preset", video.preset, "ultrafast|superfast|veryfast|faster|fast|medium",
	       "superfast", "Of x264: quality against processor time."),
	CHOICE("video.asm", video.asm_name, "auto|default|avx2", "auto",
	       "Vector code of x264; \"auto\" measures at the start which is the fastest here."),
	BOOL("video.pass_through", video.pass_through, "true",
	     "Where one participant is all of a picture, without name or sign, and sends H.264 of just "
	     "that size, it is passed on as it came instead of encoded again."),
	INT("video.vp8_speed", video.vp8_speed, 1, 16, "8",
	    "Of the VP8 encoder: higher takes less processor time and gives less quality."),
	INT("video.vp9_speed", video.vp9_speed, 5, 9, "8", "Of the VP9 encoder, likewise."),
	INT("video.av1_speed", video.av1_speed, 5, 10, "10", "Of the AV1 encoder, likewise."),
	INT("video.max_input_width", video.max_input_width, 160, 4096, "1920",
	    "The widest picture taken from a participant (pixels); a larger one is not decoded."),
	INT("video.max_input_height", video.max_input_height, 90, 4096, "1080", "The highest, likewise."),

	{ "video.encode", KEY_STRINGS, AT(video.encode), 0, 0, NULL, check_video_codec, "[h264, vp8]",
	  "What a room may be sent as, of h264, vp8, vp9 and av1. Everybody gets the first of these "
	  "that his browser can show; each is encoded only while somebody gets it. vp9 and av1 need "
	  "much processor time. What participants send may be any of the four." },

	{ "video.tiers", KEY_STRINGS, AT(video.tiers), 0, 0, NULL, check_tier,
	  "[720@30/1500, 360@30/500, 180@15/150]",
	  "Smaller pictures for those who want or can take no more, as lines@pictures per "
	  "second/kilobits per second, falling; at most three, and only those below the picture "
	  "itself count. Each is encoded only while somebody gets it." },

	INT("audio.listener_kbps", audio.listener_kbps, 6, 256, "32",
	    "Opus, kilobits per second, of what everybody hears; half as much again in stereo."),
	INT("audio.complexity", audio.complexity, 0, 10, "5",
	    "Of the Opus encoders: quality against processor time."),
	INT("audio.max_talkers", audio.max_talkers, 0, 1000, "0",
	    "Only so many, the loudest, are mixed. 0: all who talk."),
	BOOL("audio.stereo", audio.stereo, "false",
	     "Rooms are mixed and recorded in two channels; who agreed on stereo=1 hears them."),

	BOOL("audio.red", audio.red, "true",
	     "Sound is sent twice (RFC 2198) by and to browsers that can do it, so that a lost packet "
	     "is not heard; about twice the rate of sound."),

	BOOL("audio.dtx", audio.dtx, "true",
	     "Where nobody says anything, nothing is encoded and only a few packets are sent: to those "
	     "with Opus, and to telephones that know comfort noise."),
	BOOL("audio.agc", audio.agc, "false",
	     "Whoever joins is brought to the same loudness (automatic gain). Browsers do that "
	     "themselves; hosts switch it for each participant."),
	BOOL("audio.noise_suppression", audio.noise_suppression, "false",
	     "The noise behind whoever joins is suppressed, likewise."),

	INT("recording.fragment_ms", recording.fragment_ms, 100, 500, "250",
	    "A file is valid up to its last fragment (milliseconds) at every moment. What a crash "
	    "costs is one of them and what is on its way, less than a second."),
	INT("recording.gop_s", recording.gop_s, 1, 4, "4",
	    "A key frame at least this often while a room is recorded (seconds)."),
	INT("recording.audio_kbps", recording.audio_kbps, 32, 256, "96",
	    "AAC, kilobits per second."),
	CHOICE("recording.container", recording.container, "mp4|mkv", "mp4",
	       "Format of the files: MP4, which every browser plays, or Matroska."),
	CHOICE("recording.audio", recording.audio, "aac|opus", "aac",
	       "Codec of the sound. Opus is what listeners get, and costs nothing; some players do not "
	       "know it in MP4."),
	BOOL("recording.video", recording.video, "true", "false: only the sound is recorded."),
	BOOL("recording.tracks", recording.tracks, "false",
	     "What each participant sends is recorded too, as it comes: a Matroska file each, and one "
	     "for what it shares, on the recording's time line. Takes up to half of buffer_kb of "
	     "memory each."),
	INT("recording.buffer_kb", recording.buffer_kb, 64, 65536, "4096",
	    "What may wait for the disk, per recording; when it is full the recording ends: the "
	    "default is 20 s at 1,500 kbit/s."),
	INT("recording.auto_people", recording.auto_people, 1, 1000, "2",
	    "Rooms that are recorded by themselves: while so many participants are there."),
	INT("recording.auto_end_s", recording.auto_end_s, 0, 3600, "60",
	    "Such a recording ends when there have been fewer for so long (seconds), or nobody."),
	BOOL("recording.finish", recording.finish, "true",
	     "After its end a recording is copied into a file with its index in front, gets pictures "
	     "and a checksum, by a process that takes only what nobody else wants of processor and "
	     "disk. It plays without all that, too."),
	CHOICE("recording.language", recording.language, "en|ko", "en",
	       "Of the words in its chapters."),
	CHOICE("recording.viewers", recording.viewers, "hosts|participants", "hosts",
	       "Who sees a room's recordings, where the room itself does not say: its owner and hosts, "
	       "or everybody with an account who took part. Links show them to whoever has one."),
	INT("recording.link_days", recording.link_days, 1, 3650, "7",
	    "A link that somebody is given holds so long, if nothing else is asked for."),
	INT("recording.keep_days", recording.keep_days, 0, 36500, "0",
	    "Older recordings go into the trash. 0: none does. Rooms may have a rule of their own, "
	    "here and below."),
	INT("recording.trash_days", recording.trash_days, 0, 3650, "14",
	    "What was deleted can be restored so long."),
	INT("recording.quota_gb", recording.quota_gb, 0, 1000000, "0",
	    "What all recordings may take (10^9 octets), the trash included: beyond, the oldest go "
	    "into the trash, and the oldest there for good. 0: any amount."),
	INT("recording.room_quota_gb", recording.room_quota_gb, 0, 1000000, "0",
	    "Those of one room, without the trash: the oldest go there."),
	INT("recording.user_quota_gb", recording.user_quota_gb, 0, 1000000, "0",
	    "Those that one user started, likewise."),

	CHOICE("hls.start", hls.start, "on_demand|always|off", "on_demand",
	       "When a room is made a stream: when somebody asks for it, as long as the room runs, or "
	       "never."),
	INT("hls.idle_s", hls.idle_s, 5, 3600, "30",
	    "A stream on demand ends when nobody has asked for it for so long (seconds)."),
	INT("hls.window_s", hls.window_s, 10, 600, "30",
	    "How far back a viewer can go (seconds); it is kept in memory."),
	INT("hls.part_ms", hls.part_ms, 200, 1000, "350",
	    "The longest part (milliseconds): players stay three of them behind."),
	INT("hls.memory_mb", hls.memory_mb, 4, 1024, "32",
	    "Of a room's stream at most (megabytes); what is older goes first."),

	INT("push.per_room", push.per_room, 0, 16, "4",
	    "Servers that a room may be sent to at a time; 0: none."),
	CHOICE("push.who", push.who, "nobody|admins|hosts", "admins",
	       "Who may have a room sent on: the server connects to the address that is asked for, "
	       "inside your network too."),
	{ "push.hosts", KEY_STRINGS, AT(push.hosts), 0, 0, NULL, check_not_empty, "",
	  "Names or addresses of servers that rooms may be sent to; empty: any." },
	INT("push.give_up_s", push.give_up_s, 5, 86400, "600",
	    "A server that cannot be reached for so long is given up (seconds)."),

	INT("statistics.interval_s", statistics.interval_s, 0, 600, "30",
	    "What everybody's connection is like is written down for so many seconds each; 0: not at "
	    "all."),
	INT("statistics.keep_days", statistics.keep_days, 0, 36500, "90",
	    "And kept this long; sessions and participants, with their mean, stay. 0: for ever."),

	INT("playback.per_room", playback.per_room, 0, 64, "4",
	    "Recordings, files and cameras that are played into one room at the same time."),
	INT("playback.max", playback.max, 0, 10000, "32",
	    "The same in all rooms. Each is a process that decodes."),
	CHOICE("playback.cameras", playback.cameras, "nobody|admins|hosts", "admins",
	       "Who may have the server open a camera (RTSP): it connects to the address that is asked "
	       "for, inside your network too."),
	{ "playback.camera_hosts", KEY_STRINGS, AT(playback.camera_hosts), 0, 0, NULL, check_not_empty, "",
	  "Names or addresses of cameras that may be opened; empty: any." },
	INT("playback.upload_mb", playback.upload_mb, 0, 10000000, "2000",
	    "The largest file that may be uploaded to be played (megabytes). 0: none."),
	INT("playback.room_mb", playback.room_mb, 0, 10000000, "10000",
	    "The same of all files of a room together."),
	INT("playback.account_mb", playback.account_mb, 0, 10000000, "20000",
	    "The same of all files that an account has uploaded."),
	INT("playback.total_mb", playback.total_mb, 0, 100000000, "100000",
	    "The same of all files together. A twentieth of the disk, and 2 gigabytes, are left for "
	    "recordings in any case."),
	INT("playback.keep_days", playback.keep_days, 0, 36500, "90",
	    "Files that were uploaded are deleted after so many days. 0: never."),

	BOOL("overload.degrade", overload.degrade, "true",
	     "Rooms give up pictures per second, then the largest picture, then moving pictures, so "
	     "that the sound goes on; the dearest room first."),
	INT("overload.high_percent", overload.high_percent, 0, 100, "90",
	    "Above this share of the processors the server may use, new rooms and cameras are refused; "
	    "sound alone and viewers a little later. 0: everybody is taken."),

	INT("limits.messages_per_s", limits.messages_per_s, 5, 10000, "50",
	    "Signaling messages per second and connection."),
	INT("limits.connections", limits.connections, 1, 100000, "2000",
	    "Connections at the same time, HTTP and WebSocket together."),
	INT("limits.connections_per_address", limits.connections_per_address, 1, 100000, "1200",
	    "The same from one address."),
	INT("limits.data_messages_per_s", limits.data_messages_per_s, 1, 1000, "20",
	    "Messages per second and participant on the data channel."),
	INT("limits.data_octets_per_s", limits.data_octets_per_s, 1000, 10000000, "100000",
	    "Octets per second and participant there; one message of 65536 always passes."),
	INT("limits.participants_per_address", limits.participants_per_address, 1, 100000, "500",
	    "People from one address (IPv6: one network of 64 bits), in rooms and lobbies together: "
	    "a school has one for all. Raise it behind a reverse proxy."),
	INT("limits.rooms_per_address", limits.rooms_per_address, 1, 10000, "50",
	    "Rooms made on demand from one address that run at the same time, so that nobody "
	    "takes them all."),
	INT("limits.connecting", limits.connecting, 1, 10000, "1000",
	    "Media connections that are being set up at the same time."),
	INT("limits.uplink_kbps", limits.uplink_kbps, 1000, 1000000, "30000",
	    "Kilobits per second that a participant may send; what is above is dropped, and who goes "
	    "on for ten seconds is disconnected."),
	INT("limits.uplink_fps", limits.uplink_fps, 5, 1000, "70",
	    "Pictures of a participant that are decoded per second; more are dropped up to the next "
	    "key frame."),
	INT("limits.decode_ms", limits.decode_ms, 50, 1000, "500",
	    "Milliseconds of a processor per second that decoding one participant may take, likewise."),
};

const size_t config_n_keys = sizeof(config_keys) / sizeof(*config_keys);
const size_t config_n_sections = sizeof(config_sections) / sizeof(*config_sections);
