/* progress.c - draws progress on stderr.
 *
 * On a terminal one line is redrawn at most ten times a second: bar, share, rate and time left,
 * the last two from the mean rate of the phase so far. Elsewhere (a log file, a batch job) a
 * phase prints a line when it ends, unless it was short, and every five seconds while it lasts.
 */
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_INTERVAL_US     (G_USEC_PER_SEC / 10)
#define LINE_INTERVAL_US       (5 * G_USEC_PER_SEC)
#define SHORTEST_PHASE_SECONDS 0.5 /* a shorter one is not worth a line */
#define BAR_WIDTH              30

struct _CwaProgress {
  CwaProgressStyle style;
  char *phase; /* NULL before the first */
  gint64 phase_start_us, last_shown_us;
  bool is_line_open; /* a bar is on the screen */
};

CwaProgressStyle
cwa_progress_style_for_stderr(bool is_quiet)
{
  if (is_quiet)
    return CWA_PROGRESS_NONE;
  const char *terminal = g_getenv("TERM");
  bool can_redraw = isatty(STDERR_FILENO) && g_strcmp0(terminal, "dumb") != 0;
  return can_redraw ? CWA_PROGRESS_BAR : CWA_PROGRESS_LINES;
}

CwaProgress *
cwa_progress_new(CwaProgressStyle style)
{
  CwaProgress *progress = g_new0(CwaProgress, 1);
  progress->style = style;
  return progress;
}

void
cwa_progress_free(CwaProgress *progress)
{
  if (progress == NULL)
    return;
  g_free(progress->phase);
  g_free(progress);
}

char *
cwa_progress_dup_text(const char *phase, double fraction, double seconds)
{
  GString *text = g_string_new(NULL);
  double share = CLAMP(fraction, 0.0, 1.0);
  g_string_append_printf(text, "%-9s %3.0f %%", phase, 100 * share);
  if (share > 0 && seconds > 0.05) {
    double rate = share / seconds;
    double left = ceil((1 - share) / rate);
    g_string_append_printf(text, ", %.3g %%/s", 100 * rate);
    if (left < 360000)
      g_string_append_printf(text, ", %d:%02d left", (int)left / 60, (int)left % 60);
  }
  return g_string_free(text, FALSE);
}

static int
terminal_columns(void)
{
  struct winsize size;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

static void
draw_bar(CwaProgress *progress, double fraction, double seconds)
{
  g_autofree char *text = cwa_progress_dup_text(progress->phase, fraction, seconds);
  int room = terminal_columns() - (int)strlen(text) - 4;
  int width = CLAMP(room, 0, BAR_WIDTH);
  int filled = (int)lround(CLAMP(fraction, 0.0, 1.0) * width);
  char bar[BAR_WIDTH + 1];
  memset(bar, '-', sizeof bar);
  memset(bar, '#', (size_t)filled);
  bar[width] = '\0';
  /* Back to the first column, draw, erase what an earlier, longer text left. */
  if (width >= 5)
    fprintf(stderr, "\r[%s] %s\033[K", bar, text);
  else
    fprintf(stderr, "\r%.*s\033[K", MAX(terminal_columns() - 1, 0), text);
  fflush(stderr);
  progress->is_line_open = true;
}

static double
seconds_since(gint64 start_us, gint64 now_us)
{
  return (double)(now_us - start_us) / G_USEC_PER_SEC;
}

static void
end_phase(CwaProgress *progress, gint64 now_us)
{
  double seconds = seconds_since(progress->phase_start_us, now_us);
  if (progress->phase != NULL && progress->style == CWA_PROGRESS_LINES &&
      seconds >= SHORTEST_PHASE_SECONDS)
    fprintf(stderr, "%-9s done in %.1f s\n", progress->phase, seconds);
  g_clear_pointer(&progress->phase, g_free);
}

static void
begin_phase(CwaProgress *progress, const char *phase, gint64 now_us)
{
  end_phase(progress, now_us);
  progress->phase = g_strdup(phase);
  progress->phase_start_us = now_us;
  progress->last_shown_us = progress->style == CWA_PROGRESS_LINES ? now_us : 0;
}

void
cwa_progress_report_cb(const char *phase, double fraction, gpointer user_data)
{
  CwaProgress *progress = user_data;
  if (progress->style == CWA_PROGRESS_NONE)
    return;
  gint64 now_us = g_get_monotonic_time();
  if (g_strcmp0(phase, progress->phase) != 0)
    begin_phase(progress, phase, now_us);
  bool is_bar = progress->style == CWA_PROGRESS_BAR;
  if (now_us - progress->last_shown_us < (is_bar ? REDRAW_INTERVAL_US : LINE_INTERVAL_US))
    return;
  progress->last_shown_us = now_us;
  double seconds = seconds_since(progress->phase_start_us, now_us);
  if (is_bar) {
    draw_bar(progress, fraction, seconds);
    return;
  }
  g_autofree char *text = cwa_progress_dup_text(phase, fraction, seconds);
  fprintf(stderr, "%s\n", text);
}

void
cwa_progress_finish(CwaProgress *progress)
{
  end_phase(progress, g_get_monotonic_time());
  if (!progress->is_line_open)
    return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
  progress->is_line_open = false;
}
