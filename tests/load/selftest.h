/* Two of the bot's own media connections against each other, without a server:
 * small ICE and EVP on one side, libnice and libsrtp2 on the other, both SRTP
 * profiles, with and without loss. */
#ifndef TESTS_LOAD_SELFTEST_H
#define TESTS_LOAD_SELFTEST_H

/* The exit status. */
int selftest_run(void);

#endif
