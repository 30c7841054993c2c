/* loop-watch.c - see loop-watch.h. */
#include "loop-watch.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_MS 5

/* Nanoseconds that the main thread has waited for a core; 0 where the system does not say. */
static gint64
queue_wait_ns(void)
{
  g_autofree char *path = g_strdup_printf("/proc/self/task/%d/schedstat", (int)getpid());
  g_autofree char *text = NULL;
  unsigned long long run = 0, wait = 0;
  if (!g_file_get_contents(path, &text, NULL, NULL) ||
      sscanf(text, "%llu %llu", &run, &wait) != 2)
    return 0;
  return (gint64)wait;
}

static gint64
thread_cpu_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static gboolean
tick_cb(gpointer data)
{
  LoopWatch *watch = data;
  gint64 now = g_get_monotonic_time(), wait = queue_wait_ns();
  gint64 cpu = thread_cpu_ns();
  double gap_ms = (double)(now - watch->last_us) / 1e3 - PERIOD_MS;
  double own_ms = gap_ms - (double)(wait - watch->last_wait_ns) / 1e6;
  watch->worst_ms = MAX(watch->worst_ms, gap_ms);
  watch->worst_own_ms = MAX(watch->worst_own_ms, own_ms);
  watch->worst_cpu_ms = MAX(watch->worst_cpu_ms, (double)(cpu - watch->last_cpu_ns) / 1e6);
  watch->last_cpu_ns = cpu;
  watch->last_us = now;
  watch->last_wait_ns = wait;
  watch->n_turns++;
  return G_SOURCE_CONTINUE;
}

void
loop_watch_start(LoopWatch *watch)
{
  *watch = (LoopWatch){ .last_us = g_get_monotonic_time(),
                        .last_wait_ns = queue_wait_ns(),
                        .last_cpu_ns = thread_cpu_ns() };
  watch->source = g_timeout_add_full(G_PRIORITY_HIGH, PERIOD_MS, tick_cb, watch, NULL);
}

void
loop_watch_stop(LoopWatch *watch)
{
  g_clear_handle_id(&watch->source, g_source_remove);
}

void
loop_check_turn(const char *what, double worst_ms)
{
  g_test_message("%s: %.1f ms in the longest turn", what, worst_ms);
  if (!LOOP_IS_SLOWED && worst_ms > LOOP_GOAL_MS)
    g_test_message("%s takes longer than the goal of %.0f ms", what, LOOP_GOAL_MS);
  if (!LOOP_IS_SLOWED && worst_ms > LOOP_LIMIT_MS)
    g_error("The main loop stands still for %.1f ms: %s", worst_ms, what);
}

LoopMoment
loop_moment_now(void)
{
  return (LoopMoment){ g_get_monotonic_time(), queue_wait_ns() };
}

double
loop_moment_own_ms(const LoopMoment *since)
{
  LoopMoment now = loop_moment_now();
  return (double)(now.us - since->us) / 1e3 - (double)(now.wait_ns - since->wait_ns) / 1e6;
}

static gboolean
raise_flag_cb(gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

void
loop_turn_for(guint ms)
{
  gboolean is_over = FALSE;
  g_timeout_add(ms, raise_flag_cb, &is_over);
  while (!is_over)
    g_main_context_iteration(NULL, TRUE);
}
