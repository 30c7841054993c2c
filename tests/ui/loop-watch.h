/* loop-watch.h - measures how long the main loop does not come round: the longest gap between
 * two turns of a 5 ms timeout, and how much of that gap this thread merely waited for a core.
 */
#pragma once

#include <glib.h>

typedef struct {
  guint source;
  gint64 last_us, last_wait_ns;
  double worst_ms;     /* longest gap */
  double worst_own_ms; /* longest gap less the time in the run queue: what we did ourselves */
  guint n_turns;
} LoopWatch;

void loop_watch_start(LoopWatch *watch);
void loop_watch_stop(LoopWatch *watch);

/* Milliseconds since a moment that the main thread did not spend waiting for a core. */
typedef struct {
  gint64 us, wait_ns;
} LoopMoment;
LoopMoment loop_moment_now(void);
double loop_moment_own_ms(const LoopMoment *since);
