/* The server put together: made from a configuration, run until it is told to
 * stop, taken apart in the reverse order. The main thread is CTL. */
#ifndef MCU_APP_H
#define MCU_APP_H

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/config.h"

struct app;

/* c: borrowed for its life. Everything listens and runs when it returns. 0 or
 * -errno with *why. */
int app_new(struct app **out, const struct config *c, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Addresses, and at the very first start the administrator's password. */
void app_print_welcome(struct app *a) ON_THREAD(ROLE_CTL);
/* Until SIGINT or SIGTERM; then everybody is told, recordings are finished. */
void app_run(struct app *a) ON_THREAD(ROLE_CTL);
void app_free(struct app **a) ON_THREAD(ROLE_CTL);

#endif
