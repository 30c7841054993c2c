/* interrupt.c - from a signal to a cancel flag.
 *
 * The handler does two things that are allowed in one: an atomic store, and (by SA_RESETHAND)
 * leave the second signal to the system. A handler has no argument of our own, hence the one
 * pointer of this file. */
#include "interrupt.h"

#include <signal.h>

static CwCancel *interrupted_cancel;
static volatile sig_atomic_t interrupting_signal;

static void
signal_cb(int number)
{
  interrupting_signal = number;
  cw_cancel_trigger(interrupted_cancel);
}

void
cwa_interrupt_install(CwCancel *cancel)
{
  interrupted_cancel = cw_cancel_ref(cancel);
  struct sigaction action = { .sa_handler = signal_cb, .sa_flags = SA_RESETHAND | SA_RESTART };
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

int
cwa_interrupt_signal(void)
{
  return interrupting_signal;
}
