/* interrupt.h - Ctrl+C (SIGINT) and SIGTERM raise a run's cancel flag. */
#pragma once

#include "cw-base.h"

/* The first signal raises the flag, so that the command stops at its next check and removes
 * what it has not finished; a second one ends the program at once, as without us. One flag per
 * process. */
void cwa_interrupt_install(CwCancel *cancel);
/* The signal that came, or 0. */
int cwa_interrupt_signal(void);
