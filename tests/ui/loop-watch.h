/* loop-watch.h - measures how long the main loop does not come round: the longest gap between
 * two turns of a 5 ms timeout, how much of a gap was not spent waiting for a core, and how much
 * of it this thread computed. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
  guint source;
  gint64 last_us, last_wait_ns, last_cpu_ns;
  double worst_ms;     /* longest gap */
  double worst_own_ms; /* longest gap less the time in the run queue: computing and blocking */
  double worst_cpu_ms; /* most computing in a gap */
  guint n_turns;
} LoopWatch;

void loop_watch_start(LoopWatch *watch);
void loop_watch_stop(LoopWatch *watch);

/* A turn takes at most 50 ms on a machine of our own. One that others share takes up to half as
 * long again, and one turn of hundreds may meet all of it: a test tells what is above the goal
 * and fails at twice the goal. Sanitizers make everything some times slower; nothing is judged
 * then. */
#define LOOP_GOAL_MS  50.0
#define LOOP_LIMIT_MS (2 * LOOP_GOAL_MS)
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define LOOP_IS_SLOWED true
#else
#  define LOOP_IS_SLOWED false
#endif

/* Judges the most that one turn of `what` took: computing, or a gap less its wait for a core.
 */
void loop_check_turn(const char *what, double worst_ms);

/* Milliseconds since a moment that the main thread did not spend waiting for a core. */
typedef struct {
  gint64 us, wait_ns;
} LoopMoment;
LoopMoment loop_moment_now(void);
double loop_moment_own_ms(const LoopMoment *since);

/* Turns the default loop for so long. */
void loop_turn_for(guint ms);
/* Turns it until the condition holds; a test that waits too long for it fails. */
#define LOOP_LIMIT_SECONDS 120
#define loop_turn_until(condition)                                                    \
  G_STMT_START                                                                        \
  {                                                                                   \
    gint64 end_us = g_get_monotonic_time() + LOOP_LIMIT_SECONDS * G_USEC_PER_SEC;     \
    while (!(condition)) {                                                            \
      loop_turn_for(1);                                                               \
      if (g_get_monotonic_time() > end_us)                                            \
        g_error("%s:%d: not within %d s: %s", __FILE__, __LINE__, LOOP_LIMIT_SECONDS, \
                #condition);                                                          \
    }                                                                                 \
  }                                                                                   \
  G_STMT_END
