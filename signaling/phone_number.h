/* How a phone's number or SIP address is shown. Pure. Any thread. */
#ifndef MCU_SIGNALING_PHONE_NUMBER_H
#define MCU_SIGNALING_PHONE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

enum { PHONE_NUMBER_BYTES = 65 * 4 };

/* Without "sip:", "sips:" or "tel:", parameters and headers; a user part of digits
 * alone stands without its host. Cut between characters where it is too long. */
void phone_number_plain(char out[PHONE_NUMBER_BYTES], const char *uri);
/* For those who may not know it, of what phone_number_plain gives: of a number the
 * first four and the last two digits where four more are hidden between, else the last
 * two, else none ("+4989••••12"); of an address the first letter and the host. */
void phone_number_mask(char out[PHONE_NUMBER_BYTES], const char *plain);
/* Whether a name tells the number (or the address): the number's last seven digits are in
 * it, however they are grouped, or it is itself nothing but a number, in whatever form
 * trunks write theirs. Extensions of up to four digits are no secret. */
bool phone_number_in(const char *name, const char *plain);

#endif
