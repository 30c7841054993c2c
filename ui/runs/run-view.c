/* run-view.c - see run-view.h. */
#include "runs/run-view.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "runs/run-charts.h"
#include "runs/run-facts.h"
#include "runs/run-head.h"

#define LOG_HEIGHT_PX 180

struct _CwuRunView {
  AdwBin parent_instance;
  CwuRunsWatch *watch;
  char *folder, *other; /* shown, and beside it; NULL: none */
  CwuRunHead *head;
  CwuRunFactsView *facts;
  CwuRunCharts *charts;
  GtkWidget *body, *log, *log_section, *log_scroller;
  char *log_text; /* as shown */
};

G_DEFINE_TYPE(CwuRunView, cwu_run_view, ADW_TYPE_BIN)

enum { TOLD, USE, N_SIGNALS };
static guint signals[N_SIGNALS];

const char *
cwu_run_view_peek_folder(CwuRunView *self)
{
  return self->folder;
}

/* ---- what is shown ---------------------------------------------------------------------- */

/* Runs of the same kind. */
static void
update_others(CwuRunView *self, const CwRunFacts *facts)
{
  GPtrArray *list = cwu_runs_watch_peek_list(self->watch);
  g_autoptr(GPtrArray) others = g_ptr_array_new();
  for (guint i = 0; facts->state != CW_RUN_DAMAGED && i < list->len; i++) {
    CwRunFacts *other = list->pdata[i];
    if (other->kind == facts->kind && strcmp(other->folder, facts->folder) != 0 &&
        other->state != CW_RUN_DAMAGED)
      g_ptr_array_add(others, other);
  }
  cwu_run_head_set_others(self->head, others, self->other);
}

/* Who reads the end of the log stays there as it grows. */
static void
update_log(CwuRunView *self, const CwuRunDetails *details)
{
  const char *text = details != NULL ? details->log : "";
  GtkAdjustment *at =
      gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(self->log_scroller));
  bool is_at_end = gtk_adjustment_get_value(at) + gtk_adjustment_get_page_size(at) >=
                   gtk_adjustment_get_upper(at) - 2;
  gtk_widget_set_visible(self->log_section, *text != '\0');
  if (g_strcmp0(self->log_text, text) == 0)
    return;
  g_free(self->log_text);
  self->log_text = g_strdup(text);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(self->log));
  GtkTextIter end;
  g_autofree char *shown = g_strchomp(g_strdup(text));
  gtk_text_buffer_set_text(buffer, shown, -1);
  gtk_text_buffer_get_end_iter(buffer, &end);
  GtkTextMark *mark = gtk_text_buffer_get_mark(buffer, "end");
  gtk_text_buffer_move_mark(buffer, mark, &end);
  if (is_at_end)
    gtk_text_view_scroll_mark_onscreen(GTK_TEXT_VIEW(self->log), mark);
}

static void
update_details(CwuRunView *self)
{
  const CwRunFacts *facts = cwu_runs_watch_find(self->watch, self->folder);
  const CwRunFacts *other = cwu_runs_watch_find(self->watch, self->other);
  if (facts == NULL)
    return;
  const CwuRunDetails *details = cwu_runs_watch_peek_details(self->watch, self->folder);
  const CwuRunDetails *beside =
      other != NULL ? cwu_runs_watch_peek_details(self->watch, self->other) : NULL;
  cwu_run_facts_view_set(self->facts, facts, details);
  cwu_run_charts_set(self->charts, facts->name, details, other != NULL ? other->name : NULL,
                     beside);
  update_log(self, details);
}

static void
list_changed_cb(CwuRunView *self)
{
  const CwRunFacts *facts = cwu_runs_watch_find(self->watch, self->folder);
  if (facts == NULL)
    return;
  if (self->other != NULL && cwu_runs_watch_find(self->watch, self->other) == NULL) {
    cwu_run_view_compare(self, NULL);
    return;
  }
  cwu_run_head_set(self->head, facts);
  update_others(self, facts);
  cwu_run_facts_view_set(self->facts, facts,
                         cwu_runs_watch_peek_details(self->watch, self->folder));
}

static void
details_changed_cb(CwuRunsWatch *watch, const char *folder, CwuRunView *self)
{
  if (g_strcmp0(folder, self->folder) == 0 || g_strcmp0(folder, self->other) == 0)
    update_details(self);
}

static void
want(CwuRunView *self, char **place, const char *folder)
{
  g_autofree char *before = g_steal_pointer(place);
  *place = g_strdup(folder);
  if (folder != NULL)
    cwu_runs_watch_want(self->watch, folder);
  if (before != NULL)
    cwu_runs_watch_unwant(self->watch, before);
}

void
cwu_run_view_compare(CwuRunView *self, const char *folder)
{
  want(self, &self->other, folder);
  list_changed_cb(self);
  update_details(self);
}

void
cwu_run_view_set_folder(CwuRunView *self, const char *folder)
{
  if (g_strcmp0(folder, self->folder) == 0)
    return;
  want(self, &self->folder, folder);
  want(self, &self->other, NULL);
  gtk_widget_set_visible(self->body, cwu_runs_watch_find(self->watch, folder) != NULL);
  list_changed_cb(self);
  update_details(self);
}

/* ---- orders ----------------------------------------------------------------------------- */

static void ask_delete_for_good(CwuRunView *self, const char *folder, const char *why);

typedef struct {
  CwuRunView *view;
  CwuRunsOrder order;
  char *folder;
} Ordered;

static void
ordered_free(Ordered *ordered)
{
  g_object_unref(ordered->view);
  g_free(ordered->folder);
  g_free(ordered);
}

static void
ordered_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Ordered *ordered = user_data;
  g_autoptr(GError) error = NULL;
  if (!cwu_runs_watch_order_finish(result, &error)) {
    if (ordered->order == CWU_RUNS_DELETE)
      ask_delete_for_good(ordered->view, ordered->folder, error->message);
    else
      g_signal_emit(ordered->view, signals[TOLD], 0, error->message);
  }
  ordered_free(ordered);
}

static void
order(CwuRunView *self, CwuRunsOrder what, const char *folder)
{
  Ordered *ordered = g_new(Ordered, 1);
  *ordered = (Ordered){ g_object_ref(self), what, g_strdup(folder) };
  cwu_runs_watch_order_async(self->watch, what, folder, ordered_cb, ordered);
}

static void
delete_response_cb(AdwMessageDialog *dialog, const char *response, CwuRunView *self)
{
  const char *folder = g_object_get_data(G_OBJECT(dialog), "folder");
  if (strcmp(response, "delete") == 0)
    order(self, CWU_RUNS_DELETE, folder);
  else if (strcmp(response, "for-good") == 0)
    order(self, CWU_RUNS_DELETE_FOR_GOOD, folder);
}

static void
ask(CwuRunView *self, const char *folder, const char *heading, const char *body,
    const char *response, const char *label)
{
  GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(self));
  GtkWidget *dialog = adw_message_dialog_new(GTK_WINDOW(root), heading, body);
  adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), response,
                                   label, NULL);
  adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), response,
                                             ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  g_object_set_data_full(G_OBJECT(dialog), "folder", g_strdup(folder), g_free);
  g_signal_connect_object(dialog, "response", G_CALLBACK(delete_response_cb), self, 0);
  gtk_window_present(GTK_WINDOW(dialog));
}

static void
ask_delete(CwuRunView *self, const CwRunFacts *facts)
{
  g_autofree char *heading = g_strdup_printf(_("Delete “%s”?"), facts->name);
  const char *body = facts->is_added
                         ? _("It is only taken off the list; its folder stays where it is.")
                         : _("Its folder goes to the trash, with all that the run has made.");
  ask(self, facts->folder, heading, body, "delete", _("_Delete"));
}

static void
ask_delete_for_good(CwuRunView *self, const char *folder, const char *why)
{
  g_autofree char *body = g_strdup_printf(_("It cannot go to the trash: %s"), why);
  if (gtk_widget_get_root(GTK_WIDGET(self)) != NULL)
    ask(self, folder, _("Delete for good?"), body, "for-good", _("_Delete for Good"));
}

static void
order_cb(CwuRunHead *head, int what, CwuRunView *self)
{
  const CwRunFacts *facts = cwu_runs_watch_find(self->watch, self->folder);
  if (facts == NULL)
    return;
  if (what == CWU_RUNS_DELETE)
    ask_delete(self, facts);
  else
    order(self, (CwuRunsOrder)what, self->folder);
}

static void
use_cb(CwuRunView *self)
{
  const CwRunFacts *facts = cwu_runs_watch_find(self->watch, self->folder);
  if (facts != NULL && facts->result != NULL)
    g_signal_emit(self, signals[USE], 0, facts->result);
}

static void
compare_cb(CwuRunHead *head, const char *folder, CwuRunView *self)
{
  cwu_run_view_compare(self, folder);
}

/* ---- building --------------------------------------------------------------------------- */

static GtkWidget *
log_new(CwuRunView *self)
{
  GtkTextIter end;
  GtkWidget *title = g_object_new(GTK_TYPE_LABEL, "label", _("Log"), "xalign", 0.0f, NULL);
  self->log_section = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
  self->log = g_object_new(GTK_TYPE_TEXT_VIEW, "editable", FALSE, "cursor-visible", FALSE,
                           "monospace", TRUE, "wrap-mode", GTK_WRAP_WORD_CHAR, NULL);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(self->log));
  gtk_text_buffer_get_end_iter(buffer, &end);
  gtk_text_buffer_create_mark(buffer, "end", &end, FALSE);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->log), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Log"), -1);
  gtk_widget_add_css_class(title, "heading");
  gtk_widget_add_css_class(self->log, "log-text");
  self->log_scroller = gtk_scrolled_window_new();
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(self->log_scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC); /* Its lines are wrapped. */
  gtk_scrolled_window_set_min_content_height(GTK_SCROLLED_WINDOW(self->log_scroller),
                                             LOG_HEIGHT_PX);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(self->log_scroller), self->log);
  gtk_widget_add_css_class(self->log_scroller, "log");
  gtk_box_append(GTK_BOX(self->log_section), title);
  gtk_box_append(GTK_BOX(self->log_section), self->log_scroller);
  return self->log_section;
}

static GtkWidget *
body_new(CwuRunView *self)
{
  GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *sections = gtk_box_new(GTK_ORIENTATION_VERTICAL, 20);
  GtkWidget *scroller = gtk_scrolled_window_new();
  self->head = cwu_run_head_new();
  self->facts = cwu_run_facts_view_new();
  self->charts = cwu_run_charts_new();
  gtk_widget_add_css_class(sections, "run-body");
  gtk_box_append(GTK_BOX(sections), GTK_WIDGET(self->facts));
  gtk_box_append(GTK_BOX(sections), GTK_WIDGET(self->charts));
  gtk_box_append(GTK_BOX(sections), log_new(self));
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), sections);
  gtk_widget_set_vexpand(scroller, TRUE);
  gtk_box_append(GTK_BOX(column), GTK_WIDGET(self->head));
  gtk_box_append(GTK_BOX(column), scroller);
  g_signal_connect(self->head, "order", G_CALLBACK(order_cb), self);
  g_signal_connect(self->head, "compare", G_CALLBACK(compare_cb), self);
  g_signal_connect_swapped(self->head, "use", G_CALLBACK(use_cb), self);
  return column;
}

static void
cwu_run_view_dispose(GObject *object)
{
  CwuRunView *self = CWU_RUN_VIEW(object);
  if (self->watch != NULL) {
    g_signal_handlers_disconnect_by_data(self->watch, self);
    want(self, &self->folder, NULL);
    want(self, &self->other, NULL);
  }
  g_clear_object(&self->watch);
  g_clear_pointer(&self->log_text, g_free);
  G_OBJECT_CLASS(cwu_run_view_parent_class)->dispose(object);
}

static void
cwu_run_view_class_init(CwuRunViewClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_run_view_dispose;
  signals[TOLD] = g_signal_new("told", CWU_TYPE_RUN_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[USE] = g_signal_new("use", CWU_TYPE_RUN_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                              G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
cwu_run_view_init(CwuRunView *self)
{
  self->body = body_new(self);
  gtk_widget_set_visible(self->body, FALSE);
  adw_bin_set_child(ADW_BIN(self), self->body);
}

CwuRunView *
cwu_run_view_new(CwuRunsWatch *watch)
{
  CwuRunView *self = g_object_new(CWU_TYPE_RUN_VIEW, NULL);
  self->watch = g_object_ref(watch);
  g_signal_connect_swapped(watch, "list-changed", G_CALLBACK(list_changed_cb), self);
  g_signal_connect(watch, "details-changed", G_CALLBACK(details_changed_cb), self);
  return self;
}
