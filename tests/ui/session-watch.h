/* session-watch.h - turns the main loop for a scripted session, and measures how long each turn
 * takes. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* From here on turns are measured. */
void session_watch_start(void);
/* What was measured so far belongs to a session that is over. */
void session_watch_end_session(void);
/* Whether a sanitizer or another tool slows the program several times. */
bool session_is_slowed(void);

/* One turn of the main loop. All waiting goes through it. */
void session_turn(void);
void session_turn_for(guint ms);
#define session_until(condition)                                 \
  for (gint64 until_us_ = g_get_monotonic_time(); !(condition);) \
  session_turn_since(until_us_, G_STRLOC ": " #condition)
/* Fails with the condition's words where that lasts too long. */
void session_turn_since(gint64 since_us, const char *condition);

/* What happens from here on has this name: in messages, screenshots and the watch. NULL: what
 * the test does itself, which is not watched. */
void session_step(const char *name);
/* Says which steps took the main thread longest between two polls, and which of them longer
 * than the goal; fails where the median of all sessions is over twice the goal (not under
 * sanitizers). Computing is counted, waiting for a core is not. */
void session_check_stalls(void);
