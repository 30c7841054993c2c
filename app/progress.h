/* progress.h - how far a command is, on stderr: a bar on a terminal, plain lines elsewhere. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum { CWA_PROGRESS_NONE, CWA_PROGRESS_LINES, CWA_PROGRESS_BAR } CwaProgressStyle;

typedef struct _CwaProgress CwaProgress;

/* The style that fits stderr; quiet gives CWA_PROGRESS_NONE. */
CwaProgressStyle cwa_progress_style_for_stderr(bool is_quiet);
CwaProgress *cwa_progress_new(CwaProgressStyle style);
void cwa_progress_free(CwaProgress *progress);

/* A CwProgressCb: user_data is the CwaProgress. */
void cwa_progress_report_cb(const char *phase, double fraction, gpointer user_data);
/* Takes the bar away, or ends the last phase's lines; before anything else is printed. */
void cwa_progress_finish(CwaProgress *progress);

/* "rows  43 %, 8.6 %/s, 0:07 left" for a phase that began `seconds` ago. Transfer full. */
char *cwa_progress_dup_text(const char *phase, double fraction, double seconds);
