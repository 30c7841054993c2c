/* runs-support.h - the pane of runs in a window of its own, and what it shows and offers. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

#include "cwu-chart.h"
#include "runs/runs-pane.h"

typedef struct {
  GtkWidget *window;
  CwuRunsPane *pane;
  CwuRunsWatch *watch;
  char *root;
  char *told, *used;
} RunsFixture;

void runs_show(RunsFixture *f, const char *program);
void runs_set_up(RunsFixture *f, gconstpointer data);
void runs_tear_down(RunsFixture *f, gconstpointer data);
void runs_select(RunsFixture *f, const char *folder);
void runs_assert_says(GtkWidget *widget, const char *words, bool is_said);
/* A button that is shown, by the beginning of its tooltip or label; NULL: there is none. */
GtkWidget *runs_find_button(GtkWidget *widget, const char *words);
GtkWidget *runs_head_of(RunsFixture *f);
/* Letters: p pause, r resume, s stop, d delete, u use; those that must be offered. */
void runs_assert_offers(RunsFixture *f, const char *wanted);
/* The chart of that title that is shown, NULL if there is none. */
const CwuChart *runs_find_chart(GtkWidget *widget, const char *title);
