/* The description of the REST interface, signaling/openapi.yaml, as it was when the
 * server was built. A constant. Any thread. */
#ifndef MCU_OPENAPI_H
#define MCU_OPENAPI_H

#include <stddef.h>

const char *openapi_document(size_t *len);

#endif
