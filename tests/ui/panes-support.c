/* panes-support.c - see panes-support.h. */
#include "panes-support.h"

#define SETTLE_MS 60000

static void
loaded_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(GError) error = NULL;
  cwu_document_load_finish(CWU_DOCUMENT(source), result, &error);
  g_assert_no_error(error);
  *(bool *)user_data = true;
}

void
panes_open(PanesFixture *f, const char *name)
{
  g_autofree char *path =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "samples", name, NULL);
  panes_open_path(f, path);
}

void
panes_open_path(PanesFixture *f, const char *path)
{
  g_autoptr(GFile) file = g_file_new_for_path(path);
  bool is_done = false;
  f->document = cwu_document_new();
  cwu_document_load_async(f->document, file, loaded_cb, &is_done);
  while (!is_done)
    g_main_context_iteration(NULL, TRUE);
}

void
panes_show(PanesFixture *f, GtkWidget *pane, int width, int height)
{
  f->window = gtk_window_new();
  gtk_window_set_default_size(GTK_WINDOW(f->window), width, height);
  gtk_window_set_child(GTK_WINDOW(f->window), pane);
  gtk_window_present(GTK_WINDOW(f->window));
  panes_settle(f);
}

void
panes_close(PanesFixture *f, gconstpointer data)
{
  panes_settle(f);
  gtk_window_destroy(GTK_WINDOW(f->window));
  g_object_add_weak_pointer(G_OBJECT(f->document), (gpointer *)&f->document);
  g_object_unref(f->document);
  gint64 limit_us = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  while (f->document != NULL && g_get_monotonic_time() < limit_us) {
    while (g_main_context_iteration(NULL, FALSE))
      ;
    g_usleep(500);
  }
  g_assert_null(f->document);
}

static gboolean
is_drawn(GtkWidget *window)
{
  return gtk_widget_get_width(gtk_window_get_child(GTK_WINDOW(window))) > 0;
}

static gboolean
tick_cb(GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  (*(int *)user_data)++;
  return G_SOURCE_CONTINUE;
}

void
panes_drain(PanesFixture *f)
{
  gint64 limit_us = g_get_monotonic_time() + SETTLE_MS * 1000;
  while ((cwu_document_is_pruning(f->document) || g_main_context_pending(NULL)) &&
         g_get_monotonic_time() < limit_us)
    g_main_context_iteration(NULL, TRUE);
}

void
panes_settle(PanesFixture *f)
{
  gint64 limit_us = g_get_monotonic_time() + SETTLE_MS * 1000;
  int n_frames = 0;
  guint tick = gtk_widget_add_tick_callback(f->window, tick_cb, &n_frames, NULL);
  while (cwu_document_is_pruning(f->document) || n_frames < 3 || !is_drawn(f->window)) {
    if (g_get_monotonic_time() > limit_us)
      g_error("nothing settled in %d s", SETTLE_MS / 1000);
    g_main_context_iteration(NULL, TRUE);
  }
  gtk_widget_remove_tick_callback(f->window, tick);
  panes_drain(f);
}

static GtkWidget *
find(GtkWidget *widget, GType type)
{
  if (g_type_is_a(G_OBJECT_TYPE(widget), type))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child)) {
    GtkWidget *found = find(child, type);
    if (found != NULL)
      return found;
  }
  return NULL;
}

GtkWidget *
panes_find(GtkWidget *widget, GType type)
{
  GtkWidget *found = find(widget, type);
  if (found == NULL)
    g_error("there is no %s", g_type_name(type));
  return found;
}

guint
panes_count(GtkWidget *widget, GType type)
{
  guint n = g_type_is_a(G_OBJECT_TYPE(widget), type);
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    n += panes_count(child, type);
  return n;
}

static void
append_words(GtkWidget *widget, GString *out)
{
  if (!gtk_widget_get_child_visible(widget) || !gtk_widget_get_visible(widget))
    return;
  if (GTK_IS_LABEL(widget))
    g_string_append_printf(out, "%s|", gtk_label_get_text(GTK_LABEL(widget)));
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    append_words(child, out);
}

char *
panes_dup_words(GtkWidget *widget)
{
  GString *out = g_string_new(NULL);
  append_words(widget, out);
  return g_string_free(out, FALSE);
}

void
panes_step(PanesFixture *f, int step)
{
  CwDocument *core = cwu_document_peek_core(f->document);
  if (step < 0)
    cw_document_undo(core);
  else
    cw_document_redo(core);
  cwu_document_sync(f->document);
}
