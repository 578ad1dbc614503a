/* A member that may be absent. */
#ifndef MCU_SIGNALING_TRISTATE_H
#define MCU_SIGNALING_TRISTATE_H

enum tristate { TRISTATE_UNSET, TRISTATE_FALSE, TRISTATE_TRUE };

#endif
