/* session-watch.c - see session-watch.h. A poll function of our own sees where a turn of the
 * main loop begins and ends. */
#include "session-watch.h"

#include <fcntl.h>
#include <gtk/gtk.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loop-watch.h"

#define WAIT_SECONDS 120
#define WAKE_MS      5
#define N_TOLD       8 /* slowest steps that are named */

typedef struct {
  double ms;     /* computing in one turn */
  double own_ms; /* of one turn, less the time in the run queue: computing, blocking */
} Worst;

typedef struct {
  char *name;
  Worst now;      /* in the session that runs */
  GArray *worsts; /* of Worst, of those that are over; slowest last */
} Step;

static struct {
  GPtrArray *steps; /* of Step */
  Step *step;       /* NULL: not watched */
  bool is_turning;
  gint64 cpu_ns, turn_cpu_ns; /* at the begin of a piece of the turn; of the turn so far */
  gint64 own_ns, turn_own_ns; /* the same */
} watch;

bool
session_is_slowed(void)
{
  return LOOP_IS_SLOWED;
}

/* ---- the watch -------------------------------------------------------------------------- */

static gint64
clock_ns(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The time that goes on while the main thread does not wait for a core. */
static gint64
own_ns(void)
{
  char path[64], text[128];
  unsigned long long run, wait = 0;
  g_snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", (int)getpid());
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = file >= 0 ? read(file, text, sizeof text - 1) : 0;
  if (file >= 0)
    close(file);
  text[MAX(n, 0)] = '\0';
  if (sscanf(text, "%llu %llu", &run, &wait) != 2)
    wait = 0;
  return clock_ns(CLOCK_MONOTONIC) - (gint64)wait;
}

static void
piece_begins(void)
{
  watch.own_ns = own_ns();
  watch.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void
piece_ends(void)
{
  watch.turn_cpu_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - watch.cpu_ns;
  watch.turn_own_ns += own_ns() - watch.own_ns;
}

static void
turn_ends(void)
{
  Step *step = watch.step;
  if (step != NULL) {
    step->now.ms = MAX(step->now.ms, (double)watch.turn_cpu_ns / 1e6);
    step->now.own_ms = MAX(step->now.own_ms, (double)watch.turn_own_ns / 1e6);
  }
  watch.turn_cpu_ns = watch.turn_own_ns = 0;
}

/* A turn of the loop lasts from one poll to the next. What the test does between two calls of
 * the loop is not in it. */
static int
poll_cb(GPollFD *files, guint n_files, int timeout_ms)
{
  if (watch.is_turning)
    piece_ends();
  turn_ends();
  int n = g_poll(files, n_files, timeout_ms);
  if (watch.is_turning)
    piece_begins();
  return n;
}

void
session_turn(void)
{
  watch.is_turning = true;
  piece_begins();
  g_main_context_iteration(NULL, TRUE);
  piece_ends();
  watch.is_turning = false;
}

static void
step_free(gpointer data)
{
  Step *step = data;
  g_array_unref(step->worsts);
  g_free(step->name);
  g_free(step);
}

void
session_step(const char *name)
{
  watch.step = NULL;
  if (name == NULL)
    return;
  if (watch.steps == NULL)
    watch.steps = g_ptr_array_new_with_free_func(step_free);
  for (guint i = 0; i < watch.steps->len && watch.step == NULL; i++)
    if (g_str_equal(((Step *)watch.steps->pdata[i])->name, name))
      watch.step = watch.steps->pdata[i];
  if (watch.step != NULL)
    return;
  watch.step = g_new0(Step, 1);
  watch.step->name = g_strdup(name);
  watch.step->worsts = g_array_new(FALSE, FALSE, sizeof(Worst));
  g_ptr_array_add(watch.steps, watch.step);
}

static int
compare_worsts(gconstpointer a, gconstpointer b)
{
  const Worst *left = a, *right = b;
  return (left->ms > right->ms) - (left->ms < right->ms);
}

void
session_watch_end_session(void)
{
  session_step(NULL);
  for (guint i = 0; watch.steps != NULL && i < watch.steps->len; i++) {
    Step *step = watch.steps->pdata[i];
    if (step->now.ms > 0)
      g_array_append_val(step->worsts, step->now);
    g_array_sort(step->worsts, compare_worsts);
    step->now = (Worst){ 0, 0 };
  }
}

/* One session's worst can be another program's doing: caches and cores are shared. */
static const Worst *
median_of(const Step *step)
{
  return &g_array_index(step->worsts, Worst, (step->worsts->len - 1) / 2);
}

static int
compare_steps(gconstpointer a, gconstpointer b)
{
  const Step *left = *(Step *const *)a, *right = *(Step *const *)b;
  return compare_worsts(median_of(right), median_of(left));
}

/* Some are over before the loop turns. */
static void
drop_unmeasured(void)
{
  for (guint i = watch.steps->len; i-- > 0;)
    if (((Step *)watch.steps->pdata[i])->worsts->len == 0)
      g_ptr_array_remove_index_fast(watch.steps, i);
}

void
session_check_stalls(void)
{
  g_assert_nonnull(watch.steps);
  drop_unmeasured();
  g_assert_cmpuint(watch.steps->len, >, 0);
  g_ptr_array_sort(watch.steps, compare_steps);
  for (guint i = 0; i < MIN(watch.steps->len, N_TOLD); i++) {
    const Step *step = watch.steps->pdata[i];
    const Worst *last = &g_array_index(step->worsts, Worst, step->worsts->len - 1);
    g_test_message("%s: in one turn %.1f ms computing, in the worst session %.1f ms, with "
                   "blocking %.1f ms",
                   step->name, median_of(step)->ms, last->ms, last->own_ms);
  }
  const Step *slowest = watch.steps->pdata[0];
  loop_check_turn(slowest->name, median_of(slowest)->ms);
  g_clear_pointer(&watch.steps, g_ptr_array_unref);
}

/* ---- waiting ---------------------------------------------------------------------------- */

static gboolean
wake_cb(gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static gboolean
raise_cb(gpointer data)
{
  *(bool *)data = true;
  return G_SOURCE_REMOVE;
}

void
session_turn_for(guint ms)
{
  bool is_over = false;
  g_timeout_add(ms, raise_cb, &is_over);
  while (!is_over)
    session_turn();
}

/* Where keys would go: each window, whether it is active, its focus. */
static char *
dup_focus(void)
{
  GListModel *windows = gtk_window_get_toplevels();
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < g_list_model_get_n_items(windows); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(windows, i);
    GtkWidget *focus = gtk_window_get_focus(window);
    g_string_append_printf(out, "; %s%s%s, focus %s", G_OBJECT_TYPE_NAME(window),
                           gtk_widget_get_mapped(GTK_WIDGET(window)) ? "" : " hidden",
                           gtk_window_is_active(window) ? " active" : "",
                           focus != NULL ? G_OBJECT_TYPE_NAME(focus) : "nowhere");
  }
  return g_string_free(out, FALSE);
}

void
session_turn_since(gint64 since_us, const char *condition)
{
  session_turn();
  if (g_get_monotonic_time() <= since_us + WAIT_SECONDS * G_USEC_PER_SEC)
    return;
  g_autofree char *focus = dup_focus();
  g_error("not within %d s: %s (%s%s)", WAIT_SECONDS, condition,
          watch.step != NULL ? watch.step->name : "between steps", focus);
}

void
session_watch_start(void)
{
  g_main_context_set_poll_func(NULL, poll_cb);
  g_timeout_add(WAKE_MS, wake_cb, NULL);
}
