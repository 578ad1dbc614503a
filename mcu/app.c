#include "mcu/app.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mcu/accounts.h"
#include "mcu/agenda.h"
#include "mcu/base/log.h"
#include "mcu/call_records.h"
#include "mcu/capture.h"
#include "mcu/conference.h"
#include "mcu/dial.h"
#include "mcu/finisher.h"
#include "mcu/ice_setup.h"
#include "mcu/options.h"
#include "mcu/prompts.h"
#include "mcu/recording_keeper.h"
#include "mcu/routes.h"
#include "mcu/room/ladder.h"
#include "mcu/rtsp_host.h"
#include "mcu/sip_registry.h"
#include "mcu/uploads.h"
#include "mcu/welcome.h"
#include "mixer/video/picture_file.h"
#include "signaling/front.h"
#include "signaling/ivr.h"
#include "signaling/server.h"
#include "signaling/sip.h"
#include "signaling/sip_dial.h"
#include "signaling/whip.h"
#include "storage/link_keys.h"
#include "storage/repository.h"
#include "storage/users.h"
#include "storage/volume.h"

enum {
	CTL_MBOX = 65536,
	STOP_TIMEOUT_S = 15,
	STOP_TURNS = 100, /* of the loop between two looks at the clock */
	GRACE_MS = 500,
	PATH_BYTES = 1024,
};

struct app {
	const struct config *config;
	GMainLoop *loop;
	guint ctl_source, sigint, sigterm, sighup;
	struct mbox *ctl;
	struct dtls_identity *identity;
	struct ice_setup *ice;
	struct sprite *logo; /* NULL: none; of the engine while it runs */
	struct vframe *background;
	struct volume *volume; /* recordings that run */
	struct volume *side;   /* all other files: none of them may hold those up */
	struct db *db;
	struct engine engine;
	bool engine_runs;
	struct token_key key;
	struct accounts *accounts;
	struct finisher *finisher; /* NULL: off */
	struct conference *conference;
	struct agenda *agenda;
	struct captures *captures;
	struct recording_keeper *keeper;
	char link_key[LINK_SECRET_LEN + 1];
	struct uploads *uploads;
	struct front *front;
	struct whip *whip;
	struct sip *sip; /* NULL: off */
	struct rtsp_gate gate;
	struct rtsp *rtsp; /* NULL: off */
	struct call_records records;
	struct sip_cdr_sink cdr;
	struct sip_dialler dialler;
	struct ivr_cfg ivr;
	struct prompts *prompts; /* of the conference; NULL: without telephones there are none */
	struct server *server;
	struct routes *routes;
	char cert_path[PATH_BYTES], key_path[PATH_BYTES], sip_path[PATH_BYTES];
	char password[FIRST_ADMIN_PASSWORD_LEN + 1];
};

static gboolean run_mbox(gint fd, GIOCondition cond, gpointer arg)
{
	struct app *a = arg;

	(void)fd;
	(void)cond;
	role_assert_ctl();
	mbox_run(a->ctl);
	return G_SOURCE_CONTINUE;
}

static gboolean on_signal(gpointer arg)
{
	struct app *a = arg;

	g_main_loop_quit(a->loop);
	return G_SOURCE_CONTINUE;
}

/* Files that are read while it runs. */
static gboolean on_hangup(gpointer arg)
{
	struct app *a = arg;
	struct errmsg why;

	role_assert_ctl();
	if (a->server)
		(void)server_reload_certificate(a->server, &why);
	return G_SOURCE_CONTINUE;
}

static int start_loop(struct app *a)
{
	int err = mbox_new(&a->ctl, CTL_MBOX);

	if (err)
		return err;
	a->loop = g_main_loop_new(NULL, FALSE);
	a->ctl_source = g_unix_fd_add(mbox_fd(a->ctl), G_IO_IN, run_mbox, a);
	a->sigint = g_unix_signal_add(SIGINT, on_signal, a);
	a->sigterm = g_unix_signal_add(SIGTERM, on_signal, a);
	a->sighup = g_unix_signal_add(SIGHUP, on_hangup, a);
	/* A peer that went away, and a file that has grown to its limit, are errors
	 * of the call and not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return 0;
}

/* --- identity ---------------------------------------------------------------- */

static int load_or_make(struct app *a, struct errmsg *why)
{
	char host[256] = "localhost";
	int err = dtls_identity_load(&a->identity, a->cert_path, a->key_path);

	if (err != -ENOENT)
		return err ? errmsg_set(why, err, "certificate",
					"%s and %s cannot be used as certificate and key: %s. Remove "
					"both to have new ones made.",
					a->cert_path, a->key_path, err_str(err)) : 0;
	gethostname(host, sizeof host - 1);
	err = dtls_identity_new(&a->identity, host);
	if (!err)
		err = dtls_identity_write_pem(a->identity, a->cert_path, a->key_path);
	return err ? errmsg_set(why, err, "certificate", "%s cannot be written: %s.", a->cert_path,
				err_str(err)) : 0;
}

/* One certificate of our own for DTLS; HTTPS uses it too unless another is
 * configured. */
static int start_identity(struct app *a, struct errmsg *why)
{
	const struct config *c = a->config;
	int err;

	snprintf(a->cert_path, sizeof a->cert_path, "%s/certificate.pem", c->data.path);
	snprintf(a->key_path, sizeof a->key_path, "%s/key.pem", c->data.path);
	err = load_or_make(a, why);
	if (err)
		return err;
	if (c->https.certificate[0]) {
		snprintf(a->cert_path, sizeof a->cert_path, "%s", c->https.certificate);
		snprintf(a->key_path, sizeof a->key_path, "%s", c->https.key);
	}
	err = ice_setup_new(&a->ice, c, a->identity);
	return err ? errmsg_set(why, err, "memory", "out of memory") : 0;
}

/* --- storage ----------------------------------------------------------------- */

static int start_storage(struct app *a, struct errmsg *why)
{
	struct repository_report rep;
	char path[PATH_BYTES];
	int err = volume_new(&a->volume, a->config->data.path, why);

	if (!err)
		err = volume_new(&a->side, a->config->data.path, why);
	if (err)
		return err;
	snprintf(path, sizeof path, "%s/mcu.db", a->config->data.path);
	err = db_open(&a->db, path, a->ctl, why);
	if (err)
		return err;
	snprintf(path, sizeof path, "%s/secret.key", a->config->data.path);
	err = token_key_load(&a->key, path, why);
	if (err)
		return err;
	err = link_key_load(a->db, a->link_key);
	if (err)
		return errmsg_set(why, err, "db_unusable", "The key of links cannot be kept in the "
				  "database: %s.", err_str(err));
	err = users_first_admin(a->db, a->password, why);
	if (err < 0)
		return err;
	err = repository_reconcile(a->config->data.path, a->db, &rep, why);
	if (err)
		return err;
	if (rep.interrupted || rep.adopted || rep.missing || rep.unreadable || rep.sessions_ended)
		log_warn(NULL, "the last run did not end cleanly: %zu sessions closed, %zu recordings "
			 "repaired, %zu files without a row adopted, %zu files missing, %zu unreadable",
			 rep.sessions_ended, rep.interrupted, rep.adopted, rep.missing, rep.unreadable);
	return 0;
}

/* --- media ------------------------------------------------------------------- */

static void add_tiers(struct engine_cfg *e, const struct config_strings *tiers)
{
	struct engine_rung r;

	for (size_t i = 0; i < tiers->n; i++)
		if (ladder_parse(&r, tiers->items[i]))
			ladder_add(e, &r);
}

static int load_pictures(struct app *a, struct engine_cfg *e, struct errmsg *why)
{
	const char *logo = a->config->video.logo, *back = a->config->video.background_picture;
	int err = 0;

	if (logo[0])
		err = picture_file_logo(&a->logo, logo, e->width, e->height, why);
	if (!err && back[0])
		err = picture_file_background(&a->background, back, e->width, e->height, why);
	e->logo = a->logo;
	e->background = a->background;
	return err;
}

ON_THREAD(ROLE_CTL) static int start_engine(struct app *a, struct errmsg *why)
{
	const struct config *c = a->config;
	struct engine_cfg e = {
		.net_threads = (size_t)c->net.threads,
		.video_threads = (size_t)c->mixer.threads,
		.audio_threads = (size_t)c->mixer.audio_threads,
		.width = c->video.width, .height = c->video.height, .fps = c->video.fps,
		.transition_ms = c->video.transition_ms,
		.page_rgb = (uint32_t)strtoul(c->video.background + 1, NULL, 16),
		.video_bps = c->video.bitrate_kbps * 1000, .vbv_ms = c->video.vbv_ms,
		.pass_through = c->video.pass_through,
		.preset = c->video.preset, .asm_name = c->video.asm_name,
		.speed = { [CODEC_VP8] = c->video.vp8_speed, [CODEC_VP9] = c->video.vp9_speed,
			   [CODEC_AV1] = c->video.av1_speed },
		.max_input_fps = c->limits.uplink_fps, .max_decode_ms = c->limits.decode_ms,
		.max_input_width = c->video.max_input_width,
		.max_input_height = c->video.max_input_height,
		.listener_bps = c->audio.listener_kbps * 1000,
		.audio_complexity = c->audio.complexity,
		.recording_audio_bps = c->recording.audio_kbps * 1000,
		.max_talkers = (size_t)c->audio.max_talkers,
		.dtx = c->audio.dtx,
		.auto_gain = c->audio.agc, .noise_suppression = c->audio.noise_suppression,
		.net = { .rx_holdoff_us = (unsigned)c->net.receive_holdoff_us, .no_gso = !c->net.gso },
		.udp_silence_s = (unsigned)c->sip.silence_s,
		.ice = ice_setup_cfg(a->ice),
	};
	int err = load_pictures(a, &e, why);

	if (err)
		return err;
	add_tiers(&e, &c->video.tiers);
	err = engine_start(&a->engine, &e, &clock_monotonic, a->ctl, why);
	a->engine_runs = !err;
	return err;
}

/* --- signaling --------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static int start_server(struct app *a, struct errmsg *why)
{
	const struct config *c = a->config;
	struct server_cfg s = {
		.loop = a->loop,
		.address = c->http.address, .https_address = c->https.address,
		.http_port = c->http.port, .https_port = c->https.port,
		.cert_file = a->cert_path, .key_file = a->key_path,
		.web_root = options_web_path(c),
		.body_max_bytes = 128 << 10, /* a description has 60,000 octets at most, JSON less */
		.max_connections = (unsigned)c->limits.connections,
		.max_per_address = (unsigned)c->limits.connections_per_address,
		.ws_msgs_per_s = (unsigned)c->limits.messages_per_s,
	};

	return server_new(&a->server, &s, &front_server_events, a->front, why);
}

/* Without telephones nobody hears them. */
static int load_prompts(struct app *a)
{
	char built[PATH_BYTES];

	if (a->config->sip.port < 0)
		return 0;
	options_prompts_path(built, sizeof built);
	return prompts_load(&a->prompts, a->config->sip.prompts, built);
}

ON_THREAD(ROLE_CTL) static int start_finisher(struct app *a)
{
	struct finisher_cfg f = { .db = a->db, .data_dir = a->config->data.path,
				  .language = a->config->recording.language };
	int err = a->config->recording.finish ? finisher_new(&a->finisher, &f) : 0;

	if (!err)
		finisher_look(a->finisher); /* what the last run has left */
	return err;
}

ON_THREAD(ROLE_CTL) static int start_signaling(struct app *a, struct errmsg *why)
{
	const struct config *c = a->config;
	struct conference_cfg conf = {
		.engine = &a->engine, .config = c, .db = a->db, .volume = a->volume,
		.fingerprint = dtls_identity_fingerprint(a->identity), .key = &a->key,
		.link_key = a->link_key,
	};
	struct accounts_cfg who = {
		.db = a->db, .ctl = a->ctl, .clock = &clock_monotonic, .key = &a->key,
		.sign_in_hours = c->accounts.sign_in_hours,
	};
	struct routes_cfg routes = {
		.engine = &a->engine, .config = c, .db = a->db, .key = &a->key, .sip = &a->sip,
		.rtsp = &a->rtsp, .link_key = a->link_key,
	};
	struct recording_keeper_cfg keeper = {
		.config = c, .db = a->db, .volume = a->side, .ctl = a->ctl,
	};
	int err = accounts_new(&a->accounts, &who);

	if (!err)
		err = start_finisher(a);
	conf.finisher = a->finisher;
	conf.accounts = routes.accounts = a->accounts;
	if (!err)
		err = load_prompts(a);
	conf.prompts = a->prompts;
	if (!err)
		err = conference_new(&a->conference, &conf);
	if (!err)
		err = conference_new_agenda(a->conference, &a->agenda);
	if (!err)
		err = uploads_new(&a->uploads, &(struct uploads_cfg){ .engine = &a->engine, .config = c,
								     .db = a->db, .volume = a->side });
	if (!err)
		err = captures_new(&a->captures, &a->engine, c->data.path);
	if (!err)
		err = recording_keeper_new(&a->keeper, &keeper);
	if (!err)
		err = front_new(&a->front, &conference_api, a->conference);
	if (!err)
		err = whip_new(&a->whip, &conference_api, a->conference, NULL);
	if (err)
		return errmsg_set(why, err, "memory", "out of memory");
	err = start_server(a, why);
	if (err)
		return err;
	routes.conference = a->conference;
	routes.agenda = a->agenda;
	routes.captures = a->captures;
	routes.keeper = a->keeper;
	routes.uploads = a->uploads;
	err = routes_new(&a->routes, a->server, &routes);
	if (!err)
		err = whip_routes(a->whip, a->server);
	return err ? errmsg_set(why, err, "memory", "out of memory") : 0;
}

/* What callers hear, and what their keys do. */
static void set_ivr(struct app *a)
{
	const struct config *c = a->config;

	a->ivr = (struct ivr_cfg){ .language = c->sip.language };
	if (c->sip.choose_language)
		a->ivr.other = strcmp(c->sip.language, "ko") ? "ko" : "en";
	for (size_t i = 0; i < c->sip.menu.n; i++) {
		enum ivr_command what;
		char key;

		if (ivr_menu_parse(c->sip.menu.items[i], &key, &what))
			a->ivr.key[what] = key;
	}
}

ON_THREAD(ROLE_CTL) static int start_sip(struct app *a, struct errmsg *why)
{
	const struct config *c = a->config;
	struct sip_cfg s = {
		.address = c->sip.address, .port = c->sip.port, .tls_port = c->sip.tls_port,
		.domain = c->sip.domain, .realm = c->sip.realm, .bridge = c->sip.bridge,
		.messages_per_s = (unsigned)c->sip.messages_per_s,
		.connections = (unsigned)c->sip.connections_per_address,
		.max_calls = (size_t)c->sip.max_calls,
		.known_only = !strcmp(c->sip.callers, "known"),
		.folder = a->sip_path, .cert_file = a->cert_path, .key_file = a->key_path,
		.refer = conference_refer, .may_call = conference_may_call,
		.ports_new = conference_ports_new, .ports_free = conference_ports_free,
		.ports_withhold = conference_ports_withhold,
		.agent = "mcu", .store = sip_registry_store(a->db), .ivr = &a->ivr,
	};
	int err;

	if (c->sip.port < 0)
		return 0;
	set_ivr(a);
	snprintf(a->sip_path, sizeof a->sip_path, "%s/sip-tls", c->data.path);
	a->records = (struct call_records){ .db = a->db, .keep_days = c->sip.keep_calls_days,
					     .keep_rows = c->sip.keep_calls };
	a->cdr = call_records_sink(&a->records);
	s.cdr = &a->cdr;
	err = sip_new(&a->sip, &s, &conference_api, a->conference, why);
	if (err)
		return err;
	sip_get_dialler(a->sip, &a->dialler);
	dials_use(conference_dials(a->conference), &a->dialler);
	return sip_registry_load(a->db, a->sip, why);
}

ON_THREAD(ROLE_CTL) static int start_rtsp(struct app *a, struct errmsg *why)
{
	const struct config *c = a->config;
	struct rtsp_cfg r = {
		.address = c->rtsp.address, .port = c->rtsp.port, .realm = options_realm(c),
		.max_sessions = (unsigned)c->rtsp.max_sessions,
		.sessions_per_address = (unsigned)c->rtsp.sessions_per_address,
		.connections_per_address = (unsigned)c->rtsp.sessions_per_address,
		.session_s = (unsigned)c->rtsp.timeout_s, .requests_per_s = 50,
		.clock = &clock_monotonic, .host = &rtsp_host, .host_ctx = &a->gate,
	};
	int err;

	if (c->rtsp.port < 0)
		return 0;
	a->gate = (struct rtsp_gate){ .engine = &a->engine, .config = c, .db = a->db,
				      .volume = a->side, .conference = a->conference,
				      .accounts = a->accounts, .link_key = a->link_key };
	err = rtsp_new(&a->rtsp, &r, &conference_api, a->conference, why);
	return err ? err : sip_registry_load_rtsp(a->db, a->rtsp, why);
}

int app_new(struct app **out, const struct config *c, struct errmsg *why)
{
	struct app *a = calloc(1, sizeof *a);
	int err;

	if (!a)
		return errmsg_set(why, -ENOMEM, "memory", "out of memory");
	a->config = c;
	umask(0027);
	err = start_loop(a);
	if (!err)
		err = start_storage(a, why);
	if (!err)
		err = start_identity(a, why);
	if (!err)
		err = start_engine(a, why);
	if (!err)
		err = start_signaling(a, why);
	if (!err)
		err = start_sip(a, why);
	if (!err)
		err = start_rtsp(a, why);
	if (err)
		app_free(&a);
	*out = a;
	return err;
}

/* --- running ----------------------------------------------------------------- */

void app_print_welcome(struct app *a)
{
	int http = server_http_port(a->server), https = server_https_port(a->server);

	printf("mcu %s is ready. Open in a browser:\n", options_version());
	if (http >= 0)
		printf("  http://localhost:%d/\n", http);
	if (https >= 0) {
		welcome_network_addresses(https);
		if (!a->config->https.certificate[0])
			printf("  (the certificate is self-signed: the browser will ask once)\n");
	}
	if (a->sip)
		printf("Telephones: SIP port %d (UDP, TCP)\n", sip_port(a->sip));
	if (a->sip && sip_tls_port(a->sip) >= 0)
		printf("            SIP port %d (TLS)\n", sip_tls_port(a->sip));
	if (a->rtsp)
		printf("Players: rtsp://localhost:%d/rooms/NAME\n", rtsp_port(a->rtsp));
	if (a->password[0])
		printf("\nThe administrator is \"admin\", password %s\n"
		       "This is shown only now; keep it.\n", a->password);
	printf("\nCtrl-C stops the server and finishes recordings.\n");
	fflush(stdout);
	explicit_bzero(a->password, sizeof a->password);
}

void app_run(struct app *a)
{
	int64_t until;

	g_main_loop_run(a->loop);
	log_info(NULL, "stopping");
	until = clock_now_ns(&clock_monotonic) + STOP_TIMEOUT_S * NS_PER_S;
	captures_stop(a->captures);
	uploads_shutdown(a->uploads);
	agenda_stop(a->agenda);
	if (a->finisher)
		finisher_stop(a->finisher);
	if (a->sip)
		sip_shutdown(a->sip);
	if (a->rtsp)
		rtsp_shutdown(a->rtsp);
	conference_shutdown(a->conference);
	front_shutdown(a->front);
	whip_shutdown(a->whip);
	while ((!conference_is_idle(a->conference) || !uploads_is_idle(a->uploads) || (a->sip && !sip_is_idle(a->sip)) ||
		a->gate.movies) &&
	       clock_now_ns(&clock_monotonic) < until) {
		/* So that the loop turns even when nothing happens. */
		usleep(1000);
		for (int i = 0; i < STOP_TURNS && g_main_context_iteration(NULL, FALSE); i++)
			;
	}
	if (conference_is_idle(a->conference))
		return;
	/* Its threads cannot be taken apart; its files are whole at any moment. */
	log_error(NULL, "a room or a recording did not end within %d s: leaving it as it is",
		  STOP_TIMEOUT_S);
	log_stop();
	_exit(EXIT_FAILURE);
}

ON_THREAD(ROLE_CTL) static void free_signaling(struct app *a)
{
	if (a->routes)
		routes_stop(a->routes);
	if (a->accounts)
		accounts_stop(a->accounts);
	if (a->whip)
		whip_shutdown(a->whip);
	rtsp_free(&a->rtsp);
	sip_free(&a->sip);
	if (a->conference)
		dials_use(conference_dials(a->conference), NULL);
	server_free(&a->server, GRACE_MS);
	whip_free(&a->whip);
	front_free(&a->front);
}

void app_free(struct app **app)
{
	struct app *a = *app;

	free_signaling(a);
	if (a->keeper)
		recording_keeper_stop(a->keeper);
	if (a->db)
		db_close(&a->db);
	if (a->volume)
		volume_free(&a->volume);
	volume_free(&a->side);
	if (a->engine_runs)
		engine_stop(&a->engine);
	sprite_free(&a->logo);
	vframe_unref(&a->background);
	if (a->ctl_source) {
		g_source_remove(a->ctl_source);
		g_source_remove(a->sigint);
		g_source_remove(a->sigterm);
		g_source_remove(a->sighup);
	}
	mbox_free(&a->ctl);
	routes_free(&a->routes);
	accounts_free(&a->accounts);
	conference_free(&a->conference);
	agenda_free(&a->agenda);
	finisher_free(&a->finisher);
	prompts_free(&a->prompts);
	uploads_free(&a->uploads);
	captures_free(&a->captures);
	recording_keeper_free(&a->keeper);
	ice_setup_free(&a->ice);
	dtls_identity_free(&a->identity);
	if (a->loop)
		g_main_loop_unref(a->loop);
	free(a);
	*app = NULL;
}
