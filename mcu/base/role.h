/* Thread roles: which kind of thread may call a function.
 *
 * ON_THREAD(ROLE_X) on a declaration lets clang's thread-safety analysis reject
 * a call from the wrong thread (make lint); it is nothing under gcc. At the
 * entry points of a thread (its main function, and every callback that a
 * library makes) role_assert(ROLE_ID_X) checks the same at run time and tells
 * the analysis so.
 *
 *   CTL   the control loop: HTTP, WebSocket, state machines of rooms and legs
 *   NET   a network shard: ICE, DTLS, SRTP, RTP and RTCP of its legs
 *   MIXA  an audio worker: decode, mix and encode sound
 *   MIXV  a job of a video strand: decode, compose, encode pictures
 *   STO   a storage thread: SQLite, or the files of one volume
 */
#ifndef MCU_BASE_ROLE_H
#define MCU_BASE_ROLE_H

#if defined(__clang__)
#define TSA(x) __attribute__((x))
#else
#define TSA(x)
#endif

struct TSA(capability("role")) thread_role {
	char unused;
};

extern struct thread_role ROLE_CTL, ROLE_NET, ROLE_MIXA, ROLE_MIXV, ROLE_STO;

#define ON_THREAD(r) TSA(requires_capability(r))

enum role_id { ROLE_ID_NONE, ROLE_ID_CTL, ROLE_ID_NET, ROLE_ID_MIXA, ROLE_ID_MIXV, ROLE_ID_STO };

/* Declares what the calling thread is, once at its start. A unit test that
 * plays several roles in one thread passes ROLE_ID_NONE: every check passes. */
void role_enter(enum role_id id);
enum role_id role_current(void);

/* Abort with a message when the calling thread has another role. They also
 * tell the static analysis that the capability is held from here on. */
void role_assert_ctl(void) TSA(assert_capability(ROLE_CTL));
void role_assert_net(void) TSA(assert_capability(ROLE_NET));
void role_assert_mixa(void) TSA(assert_capability(ROLE_MIXA));
void role_assert_mixv(void) TSA(assert_capability(ROLE_MIXV));
void role_assert_sto(void) TSA(assert_capability(ROLE_STO));

#endif
