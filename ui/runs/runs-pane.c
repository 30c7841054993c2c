/* runs-pane.c - see runs-pane.h. */
#include "runs/runs-pane.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "panes/hint.h"
#include "runs/run-row.h"
#include "runs/run-view.h"

#define LIST_WIDTH_PX 250
#define ROWS_PER_TURN 8

struct _CwuRunsPane {
  AdwBin parent_instance;
  CwuRunsWatch *watch;
  GtkWidget *stack; /* "reading", "empty", "work" */
  GtkWidget *list, *right;
  CwuRunView *view;
  CwuRunForm *form;             /* in `right`, or NULL */
  char *wanted;                 /* folder to select as soon as it is listed */
  guint filling;                /* idle that makes more rows */
  bool is_holding, wants_focus; /* wants_focus: once the runs are known */
};

G_DEFINE_TYPE(CwuRunsPane, cwu_runs_pane, ADW_TYPE_BIN)

enum { TOLD, USE, N_SIGNALS };
static guint signals[N_SIGNALS];

CwuRunForm *
cwu_runs_pane_peek_form(CwuRunsPane *self)
{
  return self->form;
}

/* ---- the list --------------------------------------------------------------------------- */

static CwuRunRow *
row_at(CwuRunsPane *self, int i)
{
  GtkListBoxRow *row = gtk_list_box_get_row_at_index(GTK_LIST_BOX(self->list), i);
  return row != NULL ? CWU_RUN_ROW(row) : NULL;
}

static CwuRunRow *
find_row(CwuRunsPane *self, const char *folder)
{
  CwuRunRow *row;
  for (int i = 0; (row = row_at(self, i)) != NULL; i++)
    if (g_strcmp0(cwu_run_row_peek_folder(row), folder) == 0)
      return row;
  return NULL;
}

static void
drop_rows(CwuRunsPane *self)
{
  CwuRunRow *row;
  for (int i = 0; (row = row_at(self, i)) != NULL;)
    if (cwu_runs_watch_find(self->watch, cwu_run_row_peek_folder(row)) == NULL)
      gtk_list_box_remove(GTK_LIST_BOX(self->list), GTK_WIDGET(row));
    else
      i++;
}

/* Rows for the runs, in their order; those that stay keep theirs. Returns whether all are there
 * now: only a few are made at a time. */
static bool
fill_rows(CwuRunsPane *self)
{
  GPtrArray *list = cwu_runs_watch_peek_list(self->watch);
  guint n_made = 0;
  for (guint i = 0; i < list->len; i++) {
    const CwRunFacts *facts = list->pdata[i];
    CwuRunRow *row = row_at(self, (int)i);
    if (row != NULL && strcmp(cwu_run_row_peek_folder(row), facts->folder) == 0) {
      cwu_run_row_set(row, facts);
      continue;
    }
    if (n_made++ == ROWS_PER_TURN)
      return false;
    gtk_list_box_insert(GTK_LIST_BOX(self->list), GTK_WIDGET(cwu_run_row_new(facts)), (int)i);
  }
  return true;
}

/* What was wanted, else what is selected, else the newest. */
static void
select_some(CwuRunsPane *self)
{
  CwuRunRow *row = self->wanted != NULL ? find_row(self, self->wanted) : NULL;
  if (row != NULL)
    g_clear_pointer(&self->wanted, g_free);
  else if (gtk_list_box_get_selected_row(GTK_LIST_BOX(self->list)) == NULL &&
           self->form == NULL)
    row = row_at(self, 0);
  if (row != NULL)
    gtk_list_box_select_row(GTK_LIST_BOX(self->list), GTK_LIST_BOX_ROW(row));
}

static void
show_what_is_there(CwuRunsPane *self)
{
  GPtrArray *list = cwu_runs_watch_peek_list(self->watch);
  bool is_empty = list == NULL || list->len == 0;
  gtk_stack_set_visible_child_name(GTK_STACK(self->stack), !is_empty || self->form != NULL
                                                               ? "work"
                                                           : list == NULL ? "reading"
                                                                          : "empty");
  gtk_stack_set_visible_child_name(GTK_STACK(self->right), self->form != NULL ? "form" : "run");
}

static gboolean
fill_cb(gpointer user_data)
{
  CwuRunsPane *self = user_data;
  self->filling = 0;
  if (!fill_rows(self))
    self->filling = g_idle_add_full(G_PRIORITY_LOW, fill_cb, self, NULL);
  select_some(self);
  return G_SOURCE_REMOVE;
}

static void
list_changed_cb(CwuRunsPane *self)
{
  g_clear_handle_id(&self->filling, g_source_remove);
  drop_rows(self);
  fill_cb(self);
  show_what_is_there(self);
  if (self->wants_focus)
    gtk_widget_grab_focus(GTK_WIDGET(self));
}

static void
selected_cb(GtkListBox *list, GtkListBoxRow *row, CwuRunsPane *self)
{
  if (row == NULL) {
    cwu_run_view_set_folder(self->view, NULL);
    return;
  }
  cwu_run_view_set_folder(self->view, cwu_run_row_peek_folder(CWU_RUN_ROW(row)));
}

static void
close_form(CwuRunsPane *self)
{
  if (self->form == NULL)
    return;
  gtk_stack_remove(GTK_STACK(self->right), GTK_WIDGET(self->form));
  self->form = NULL;
  show_what_is_there(self);
}

/* A click goes to the run, also where its row is selected and a form is before it. */
static void
activated_cb(GtkListBox *list, GtkListBoxRow *row, CwuRunsPane *self)
{
  close_form(self);
}

void
cwu_runs_pane_select(CwuRunsPane *self, const char *folder)
{
  g_free(self->wanted);
  self->wanted = g_strdup(folder);
  if (cwu_runs_watch_peek_list(self->watch) != NULL)
    select_some(self);
}

/* ---- new runs --------------------------------------------------------------------------- */

static void
started_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(CwuRunsPane) self = user_data;
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = cwu_runs_watch_start_finish(result, &error);
  if (folder == NULL) {
    if (self->form != NULL)
      cwu_run_form_tell(self->form, error->message);
    return;
  }
  close_form(self);
  cwu_runs_pane_select(self, folder);
}

static void
start_cb(CwuRunForm *form, CwuRunsPane *self)
{
  CwuRunDraft *draft = cwu_run_form_peek_draft(form);
  g_auto(GStrv) arguments = cwu_run_draft_dup_arguments(draft);
  cwu_runs_watch_start_async(self->watch, cwu_run_draft_get_kind(draft),
                             cwu_run_draft_peek_name(draft), (const char *const *)arguments,
                             started_cb, g_object_ref(self));
}

/* What finished runs of a kind have made, newest first; of the one that is shown before others.
 */
static GStrv
list_results(CwuRunsPane *self, CwRunKind kind)
{
  GPtrArray *list = cwu_runs_watch_peek_list(self->watch);
  g_autoptr(GStrvBuilder) results = g_strv_builder_new();
  const char *shown = cwu_run_view_peek_folder(self->view);
  for (int pass = 0; pass < 2; pass++)
    for (guint i = 0; list != NULL && i < list->len; i++) {
      const CwRunFacts *facts = list->pdata[i];
      bool is_shown = g_strcmp0(facts->folder, shown) == 0;
      if (facts->kind == kind && facts->result != NULL && facts->state == CW_RUN_FINISHED &&
          is_shown == (pass == 0))
        g_strv_builder_add(results, facts->result);
    }
  return g_strv_builder_end(results);
}

static void
offer(CwuRunsPane *self, const char *key, CwRunKind kind)
{
  g_auto(GStrv) results = list_results(self, kind);
  CwuRunDraft *draft = cwu_run_form_peek_draft(self->form);
  cwu_run_form_set_suggestions(self->form, key, (const char *const *)results);
  if (results[0] != NULL)
    cwu_run_draft_set(draft, cwu_run_draft_find(draft, key), results[0]);
}

void
cwu_runs_pane_begin(CwuRunsPane *self, CwRunKind kind)
{
  if (self->form != NULL && cwu_run_draft_get_kind(cwu_run_form_peek_draft(self->form)) != kind)
    close_form(self);
  if (self->form == NULL) {
    self->form = cwu_run_form_new(kind, cwu_runs_watch_peek_root(self->watch));
    g_signal_connect(self->form, "start", G_CALLBACK(start_cb), self);
    g_signal_connect_swapped(self->form, "cancel", G_CALLBACK(close_form), self);
    if (kind != CW_RUN_CACHE)
      offer(self, "activations", CW_RUN_CACHE);
    if (kind == CW_RUN_EVALUATION)
      offer(self, "transcoder", CW_RUN_TRAINING);
    cwu_run_form_update(self->form);
    gtk_stack_add_named(GTK_STACK(self->right), GTK_WIDGET(self->form), "form");
  }
  show_what_is_there(self);
  cwu_run_form_focus(self->form);
}

static void
new_cb(GtkWidget *widget, const char *action, GVariant *parameter)
{
  const char *name = g_variant_get_string(parameter, NULL);
  for (int kind = CW_RUN_CACHE; kind <= CW_RUN_EVALUATION; kind++)
    if (strcmp(cw_run_kind_name((CwRunKind)kind), name) == 0)
      cwu_runs_pane_begin(CWU_RUNS_PANE(widget), (CwRunKind)kind);
}

/* ---- runs elsewhere --------------------------------------------------------------------- */

static void
added_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(CwuRunsPane) self = user_data;
  g_autoptr(GError) error = NULL;
  if (!cwu_runs_watch_order_finish(result, &error))
    g_signal_emit(self, signals[TOLD], 0, error->message);
}

static void
folder_cb(GtkNativeDialog *dialog, int response, CwuRunsPane *self)
{
  g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
  g_autofree char *path = file != NULL ? g_file_get_path(file) : NULL;
  if (response == GTK_RESPONSE_ACCEPT && path != NULL)
    cwu_runs_watch_order_async(self->watch, CWU_RUNS_ADD, path, added_cb, g_object_ref(self));
  g_object_unref(dialog);
}

static void
add_cb(GtkWidget *widget, const char *action, GVariant *parameter)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
      _("Add a Run"), GTK_WINDOW(gtk_widget_get_root(widget)),
      GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Add"), _("_Cancel"));
  g_signal_connect_object(dialog, "response", G_CALLBACK(folder_cb), widget, 0);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* ---- building --------------------------------------------------------------------------- */

static void
told_cb(CwuRunView *view, const char *message, CwuRunsPane *self)
{
  g_signal_emit(self, signals[TOLD], 0, message);
}

static void
use_cb(CwuRunView *view, const char *path, CwuRunsPane *self)
{
  g_signal_emit(self, signals[USE], 0, path);
}

static GMenu *
new_menu(void)
{
  GMenu *menu = g_menu_new();
  g_autoptr(GMenu) kinds = g_menu_new(), others = g_menu_new();
  g_menu_append(kinds, _("_Cache of Activations…"), "runs.new::cache");
  g_menu_append(kinds, _("_Training…"), "runs.new::train");
  g_menu_append(kinds, _("_Evaluation…"), "runs.new::eval");
  g_menu_append(others, _("_Add a Run Folder…"), "runs.add");
  g_menu_append_section(menu, NULL, G_MENU_MODEL(kinds));
  g_menu_append_section(menu, NULL, G_MENU_MODEL(others));
  return menu;
}

static GtkWidget *
list_card_new(CwuRunsPane *self)
{
  GtkWidget *card = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *head = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *title =
      g_object_new(GTK_TYPE_LABEL, "label", _("Runs"), "xalign", 0.0f, "hexpand", TRUE, NULL);
  GtkWidget *menu_button = gtk_menu_button_new(), *scroller = gtk_scrolled_window_new();
  g_autoptr(GMenu) menu = new_menu();
  gtk_menu_button_set_label(GTK_MENU_BUTTON(menu_button), _("_New"));
  gtk_menu_button_set_use_underline(GTK_MENU_BUTTON(menu_button), TRUE);
  gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(menu_button), G_MENU_MODEL(menu));
  cwu_hint_set(menu_button, _("New run"));
  self->list = gtk_list_box_new();
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Runs"), -1);
  g_signal_connect(self->list, "row-selected", G_CALLBACK(selected_cb), self);
  g_signal_connect(self->list, "row-activated", G_CALLBACK(activated_cb), self);
  gtk_widget_add_css_class(title, "title-4");
  gtk_widget_add_css_class(head, "pane-head");
  gtk_widget_add_css_class(self->list, "runs-list");
  gtk_widget_add_css_class(card, "surface");
  gtk_widget_set_overflow(card, GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_size_request(card, LIST_WIDTH_PX, -1);
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), self->list);
  gtk_widget_set_vexpand(scroller, TRUE);
  gtk_box_append(GTK_BOX(head), title);
  gtk_box_append(GTK_BOX(head), menu_button);
  gtk_box_append(GTK_BOX(card), head);
  gtk_box_append(GTK_BOX(card), scroller);
  return card;
}

static GtkWidget *
work_new(CwuRunsPane *self)
{
  GtkWidget *paned = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL), *card = adw_bin_new();
  self->right = gtk_stack_new();
  gtk_stack_set_hhomogeneous(GTK_STACK(self->right), FALSE);
  gtk_stack_set_vhomogeneous(GTK_STACK(self->right), FALSE);
  gtk_stack_add_named(GTK_STACK(self->right), GTK_WIDGET(self->view), "run");
  adw_bin_set_child(ADW_BIN(card), self->right);
  gtk_widget_add_css_class(card, "surface");
  gtk_widget_set_overflow(card, GTK_OVERFLOW_HIDDEN);
  gtk_paned_set_start_child(GTK_PANED(paned), list_card_new(self));
  gtk_paned_set_end_child(GTK_PANED(paned), card);
  gtk_paned_set_resize_start_child(GTK_PANED(paned), FALSE);
  gtk_paned_set_shrink_start_child(GTK_PANED(paned), FALSE);
  gtk_paned_set_shrink_end_child(GTK_PANED(paned), FALSE);
  gtk_widget_add_css_class(paned, "work");
  return paned;
}

static GtkWidget *
start_button_new(const char *label, const char *kind, bool is_first)
{
  GtkWidget *button = gtk_button_new_with_mnemonic(label);
  gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "runs.new");
  gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "s", kind);
  gtk_widget_add_css_class(button, "pill");
  if (is_first)
    gtk_widget_add_css_class(button, "suggested-action");
  return button;
}

static GtkWidget *
empty_new(void)
{
  GtkWidget *page = adw_status_page_new();
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  adw_status_page_set_icon_name(ADW_STATUS_PAGE(page), "io.github.clew_circuits.Clew-symbolic");
  adw_status_page_set_title(ADW_STATUS_PAGE(page), _("Train a Transcoder"));
  adw_status_page_set_description(
      ADW_STATUS_PAGE(page),
      _("A cache keeps what a model's layers read and write over your text. A training learns "
        "a "
        "transcoder from it, and an evaluation says how good it is. Runs go on when the window "
        "is closed."));
  gtk_widget_set_halign(box, GTK_ALIGN_CENTER);
  gtk_box_append(GTK_BOX(box), start_button_new(_("New _Cache…"), "cache", true));
  gtk_box_append(GTK_BOX(box), start_button_new(_("New _Training…"), "train", false));
  gtk_box_append(GTK_BOX(box), start_button_new(_("New _Evaluation…"), "eval", false));
  adw_status_page_set_child(ADW_STATUS_PAGE(page), box);
  return page;
}

/* Runs are read while the pane is seen. */
static void
set_holding(CwuRunsPane *self, bool is_holding)
{
  if (self->is_holding == is_holding)
    return;
  self->is_holding = is_holding;
  if (is_holding)
    cwu_runs_watch_hold(self->watch);
  else
    cwu_runs_watch_release(self->watch);
}

static void
cwu_runs_pane_map(GtkWidget *widget)
{
  GTK_WIDGET_CLASS(cwu_runs_pane_parent_class)->map(widget);
  set_holding(CWU_RUNS_PANE(widget), true);
}

static void
cwu_runs_pane_unmap(GtkWidget *widget)
{
  set_holding(CWU_RUNS_PANE(widget), false);
  GTK_WIDGET_CLASS(cwu_runs_pane_parent_class)->unmap(widget);
}

/* To the form, else to the run that is shown, else to what the page offers. */
static gboolean
cwu_runs_pane_grab_focus(GtkWidget *widget)
{
  CwuRunsPane *self = CWU_RUNS_PANE(widget);
  self->wants_focus = cwu_runs_watch_peek_list(self->watch) == NULL && self->form == NULL;
  if (self->wants_focus)
    return TRUE;
  GtkListBoxRow *row = gtk_list_box_get_selected_row(GTK_LIST_BOX(self->list));
  if (self->form == NULL && row != NULL)
    return gtk_widget_grab_focus(GTK_WIDGET(row));
  GtkWidget *place = self->form != NULL ? GTK_WIDGET(self->form)
                                        : gtk_stack_get_visible_child(GTK_STACK(self->stack));
  return gtk_widget_child_focus(place, GTK_DIR_TAB_FORWARD);
}

static void
cwu_runs_pane_dispose(GObject *object)
{
  CwuRunsPane *self = CWU_RUNS_PANE(object);
  g_clear_handle_id(&self->filling, g_source_remove);
  if (self->watch != NULL) {
    g_signal_handlers_disconnect_by_data(self->watch, self);
    set_holding(self, false);
  }
  /* Rows that go are no change of the selection. */
  if (self->list != NULL)
    g_signal_handlers_disconnect_by_data(self->list, self);
  self->list = NULL;
  g_clear_object(&self->watch);
  g_clear_pointer(&self->wanted, g_free);
  G_OBJECT_CLASS(cwu_runs_pane_parent_class)->dispose(object);
}

static void
cwu_runs_pane_class_init(CwuRunsPaneClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = cwu_runs_pane_dispose;
  widget_class->map = cwu_runs_pane_map;
  widget_class->unmap = cwu_runs_pane_unmap;
  widget_class->grab_focus = cwu_runs_pane_grab_focus;
  gtk_widget_class_install_action(widget_class, "runs.new", "s", new_cb);
  gtk_widget_class_install_action(widget_class, "runs.add", NULL, add_cb);
  signals[TOLD] = g_signal_new("told", CWU_TYPE_RUNS_PANE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[USE] = g_signal_new("use", CWU_TYPE_RUNS_PANE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                              G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
cwu_runs_pane_init(CwuRunsPane *self)
{
}

CwuRunsPane *
cwu_runs_pane_new(CwuRunsWatch *watch)
{
  CwuRunsPane *self = g_object_new(CWU_TYPE_RUNS_PANE, NULL);
  self->watch = g_object_ref(watch);
  self->view = cwu_run_view_new(watch);
  self->stack = gtk_stack_new();
  gtk_stack_add_named(GTK_STACK(self->stack), gtk_box_new(GTK_ORIENTATION_VERTICAL, 0),
                      "reading");
  gtk_stack_add_named(GTK_STACK(self->stack), empty_new(), "empty");
  gtk_stack_add_named(GTK_STACK(self->stack), work_new(self), "work");
  adw_bin_set_child(ADW_BIN(self), self->stack);
  g_signal_connect(self->view, "told", G_CALLBACK(told_cb), self);
  g_signal_connect(self->view, "use", G_CALLBACK(use_cb), self);
  g_signal_connect_swapped(watch, "list-changed", G_CALLBACK(list_changed_cb), self);
  if (cwu_runs_watch_peek_list(watch) != NULL)
    list_changed_cb(self);
  return self;
}
