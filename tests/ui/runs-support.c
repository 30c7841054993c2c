/* runs-support.c - see runs-support.h. */
#include "runs-support.h"

#include <string.h>

#include "loop-watch.h"
#include "panes-support.h"
#include "runs/chart-view.h"
#include "runs/run-head.h"
#include "test-support.h"

static void
keep_cb(CwuRunsPane *pane, const char *text, char **place)
{
  g_free(*place);
  *place = g_strdup(text);
}

void
runs_show(RunsFixture *f, const char *program)
{
  f->watch = cwu_runs_watch_new(f->root, program);
  f->pane = cwu_runs_pane_new(f->watch);
  f->window = adw_window_new();
  adw_window_set_content(ADW_WINDOW(f->window), GTK_WIDGET(f->pane));
  gtk_window_set_default_size(GTK_WINDOW(f->window), 1024, 600);
  g_signal_connect(f->pane, "told", G_CALLBACK(keep_cb), &f->told);
  g_signal_connect(f->pane, "use", G_CALLBACK(keep_cb), &f->used);
  gtk_window_present(GTK_WINDOW(f->window));
  loop_turn_until(cwu_runs_watch_peek_list(f->watch) != NULL);
}

void
runs_set_up(RunsFixture *f, gconstpointer data)
{
  f->root = test_temp_dir();
}

void
runs_tear_down(RunsFixture *f, gconstpointer data)
{
  g_object_add_weak_pointer(G_OBJECT(f->pane), (gpointer *)&f->pane);
  gtk_window_destroy(GTK_WINDOW(f->window));
  loop_turn_for(20);
  g_assert_null(f->pane);
  g_assert_finalize_object(f->watch);
  test_remove_tree(f->root);
  g_free(f->root);
  g_free(f->told);
  g_free(f->used);
}

void
runs_select(RunsFixture *f, const char *folder)
{
  cwu_runs_pane_select(f->pane, folder);
  loop_turn_until(cwu_runs_watch_peek_details(f->watch, folder) != NULL);
  loop_turn_for(50);
}

void
runs_assert_says(GtkWidget *widget, const char *words, bool is_said)
{
  g_autofree char *all = panes_dup_words(widget);
  if ((strstr(all, words) != NULL) != is_said)
    g_error("\"%s\" is %ssaid: %s", words, is_said ? "not " : "", all);
}

/* A button that is shown, by the beginning of its tooltip or label; NULL: there is none. */
GtkWidget *
runs_find_button(GtkWidget *widget, const char *words)
{
  if (!gtk_widget_get_visible(widget))
    return NULL;
  if (GTK_IS_BUTTON(widget)) {
    const char *tooltip = gtk_widget_get_tooltip_text(widget);
    const char *label = gtk_button_get_label(GTK_BUTTON(widget));
    if ((tooltip != NULL && g_str_has_prefix(tooltip, words)) ||
        (label != NULL && g_str_has_prefix(label, words)))
      return widget;
  }
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child)) {
    GtkWidget *found = runs_find_button(child, words);
    if (found != NULL)
      return found;
  }
  return NULL;
}

GtkWidget *
runs_head_of(RunsFixture *f)
{
  return panes_find(GTK_WIDGET(f->pane), CWU_TYPE_RUN_HEAD);
}

/* Letters: p pause, r resume, s stop, d delete, u use; those that must be offered. */
void
runs_assert_offers(RunsFixture *f, const char *wanted)
{
  static const struct {
    char letter;
    const char *words;
  } rows[] = {
    { 'p', "Pause" }, { 'r', "Go on" }, { 's', "Stop" }, { 'd', "Delete" }, { 'u', "_Use" }
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    if ((runs_find_button(runs_head_of(f), rows[i].words) != NULL) !=
        (strchr(wanted, rows[i].letter) != NULL))
      g_error("\"%s\" and \"%s\"", rows[i].words, wanted);
}

/* The chart of that title that is shown, NULL if there is none. */
const CwuChart *
runs_find_chart(GtkWidget *widget, const char *title)
{
  if (!gtk_widget_get_visible(widget))
    return NULL;
  if (CWU_IS_CHART_VIEW(widget)) {
    const CwuChart *chart = cwu_chart_view_peek(CWU_CHART_VIEW(widget));
    return strcmp(chart->title, title) == 0 ? chart : NULL;
  }
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child)) {
    const CwuChart *found = runs_find_chart(child, title);
    if (found != NULL)
      return found;
  }
  return NULL;
}
