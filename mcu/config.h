/* What mcu.yaml says: one struct, filled from one table (config_table.c) of key,
 * type, range, default and a line of documentation. mcu.yaml as shipped is the
 * table written out by config_write_defaults().
 *
 * Strict: an unknown or repeated key, a value of the wrong type or out of its
 * range is an error that names file and line and says what would be right.
 * Constant after the start, so that every thread may read it. */
#ifndef MCU_CONFIG_H
#define MCU_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "mcu/base/err.h"

struct config_strings {
	char **items;
	size_t n;
};

struct config_turn {
	char *url, *username, *credential;
};

struct config_turns {
	struct config_turn *items;
	size_t n;
};

/* Strings are owned and never NULL. Meanings and ranges: mcu.yaml. */
struct config {
	struct {
		char *name;
	} server;
	struct {
		char *address;
		int port; /* -1: off, 0: the system chooses */
		char *web_path;
		bool public_metrics;
	} http;
	struct {
		char *address;
		int port;
		char *certificate, *key;
	} https;
	struct {
		char *path;
	} data;
	struct {
		int level; /* enum log_level */
	} log;
	struct {
		int threads;
		bool gso;
		int receive_holdoff_us;
	} net;
	struct {
		int threads, audio_threads;
	} mixer;
	struct {
		char *public_address;
		int port_min, port_max;
		struct config_strings stun;
		struct config_turns turn;
		bool loopback;
	} ice;
	struct {
		bool on_demand;
		int max_participants, max_rooms, linger_s;
		char *record; /* "hosts", "all", "nobody" */
		int max_views, max_personal_views;
		bool speaker_view;
	} room;
	struct {
		int sign_in_hours;
	} accounts;
	struct {
		char *address;
		int port, tls_port; /* as of http */
		char *domain, *realm, *bridge, *callers;
		int messages_per_s, connections_per_address;
		char *dial; /* "hosts", "users", "nobody" */
		struct config_strings dial_to;
		int dial_per_minute, dial_per_room;
		char *dial_in;
		int keep_calls_days, keep_calls;
		char *prompts, *language;
		bool choose_language;
		struct config_strings menu;
		char *chimes; /* "phones", "all", "none" */
		char *rtp_ports;
		int silence_s;
		int max_calls;
	} sip;
	struct {
		char *address;
		int port; /* as of http */
		int max_sessions, sessions_per_address, timeout_s;
	} rtsp;
	struct {
		int width, height, fps, transition_ms, bitrate_kbps, vbv_ms;
		char *preset, *asm_name;
		char *background, *background_picture, *logo;
		int vp8_speed, vp9_speed, av1_speed;
		bool pass_through;
		int max_input_width, max_input_height;
		struct config_strings encode, tiers;
	} video;
	struct {
		int listener_kbps, complexity, max_talkers;
		bool red, dtx;
		bool agc, noise_suppression;
		bool stereo;
	} audio;
	struct {
		int fragment_ms, gop_s, audio_kbps;
		char *container, *audio;
		bool video, tracks;
		int buffer_kb, auto_people, auto_end_s;
		bool finish;
		char *language;
		int keep_days, trash_days, quota_gb, room_quota_gb, user_quota_gb, link_days;
		char *viewers; /* "hosts", "participants" */
	} recording;
	struct {
		char *start;
		int idle_s, window_s, part_ms, memory_mb;
	} hls;
	struct {
		int per_room, give_up_s;
		char *who; /* "nobody", "admins", "hosts" */
		struct config_strings hosts;
	} push;
	struct {
		int interval_s, keep_days;
	} statistics;
	struct {
		int per_room, max;
		char *cameras; /* "nobody", "admins", "hosts" */
		struct config_strings camera_hosts;
		int upload_mb, room_mb, account_mb, total_mb, keep_days;
	} playback;
	struct {
		bool degrade;
		int high_percent;
	} overload;
	struct {
		int messages_per_s, connections, connections_per_address;
		int data_messages_per_s, data_octets_per_s;
		int participants_per_address, rooms_per_address, connecting;
		int uplink_kbps, uplink_fps, decode_ms;
	} limits;
};

/* Every default. 0 or -ENOMEM. */
int config_init(struct config *c);
void config_free(struct config *c);

/* Over what *c holds. -EINVAL with *why: what is wrong in the text; otherwise
 * -errno with *why: the file cannot be read. On an error *c is half changed. */
int config_read(struct config *c, const char *path, struct errmsg *why);
/* file: the name for messages. */
int config_parse(struct config *c, const char *text, size_t len, const char *file,
		 struct errmsg *why);
/* "video.fps=15"; a list as YAML: "ice.stun=[stun:a.example]". */
int config_set(struct config *c, const char *assignment, struct errmsg *why);
/* What concerns several keys at once; after everything was read. */
int config_check(const struct config *c, struct errmsg *why);

/* The commented file with every key and its default. 0 or -EIO. */
int config_write_defaults(FILE *to);

#endif
