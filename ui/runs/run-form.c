/* run-form.c - see run-form.h. The rows of all settings are some forty and take longer to make
 * than a frame lasts: they are made when they are first asked for, a few for each frame, since
 * it is their first layout that takes the time. */
#include "runs/run-form.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "panes/hint.h"
#include "picture/chart-axis.h"
#include "runs/form-row.h"

#define WIDTH_PX       720
#define ROWS_PER_FRAME 2

struct _CwuRunForm {
  AdwBin parent_instance;
  CwuRunDraft *draft;
  char *root;
  GPtrArray *rows; /* CwuFormRow *, [fields], NULL: not made yet; borrowed */
  GtkWidget *name, *command, *banner, *banner_text;
  GtkWidget *all, *search; /* expander and its first row */
  GtkWidget *scroller;
  guint making;  /* tick callback that makes rows; 0: none */
  bool is_asked; /* Start was pressed: what is missing is told */
};

G_DEFINE_TYPE(CwuRunForm, cwu_run_form, ADW_TYPE_BIN)

enum { START, CANCEL, N_SIGNALS };
static guint signals[N_SIGNALS];

CwuRunDraft *
cwu_run_form_peek_draft(CwuRunForm *self)
{
  return self->draft;
}

static CwuFormRow *
row_at(CwuRunForm *self, size_t i)
{
  return self->rows->pdata[i];
}

/* ---- what is shown ---------------------------------------------------------------------- */

static bool
update_name(CwuRunForm *self)
{
  g_autofree char *error = cwu_run_draft_dup_name_error(self->draft, self->root);
  adw_action_row_set_subtitle(ADW_ACTION_ROW(self->name),
                              error != NULL ? error
                                            : _("Of its folder; empty: Clew finds one"));
  if (error != NULL)
    gtk_widget_add_css_class(self->name, "wrong");
  else
    gtk_widget_remove_css_class(self->name, "wrong");
  return error == NULL;
}

/* How much a training reads, beside its length. */
static void
update_tokens(CwuRunForm *self)
{
  if (cwu_run_draft_get_kind(self->draft) != CW_RUN_TRAINING)
    return;
  double n = cwu_run_draft_get_tokens(self->draft);
  g_autofree char *number = cwu_number_dup_short(n);
  g_autofree char *note =
      isnan(n) ? g_strdup("") : g_strdup_printf(_("%s tokens in all"), number);
  cwu_form_row_set_note(row_at(self, cwu_run_draft_find(self->draft, "total_steps")), note);
}

static void
update_all_row(CwuRunForm *self)
{
  guint n = 0, n_changed = 0;
  for (size_t i = 0; i < self->rows->len; i++) {
    n += !cwu_run_draft_peek_field(self->draft, i)->is_common;
    n_changed += !cwu_run_draft_peek_field(self->draft, i)->is_common &&
                 *cwu_run_draft_peek(self->draft, i) != '\0';
  }
  g_autofree char *changed =
      n_changed > 0
          ? g_strdup_printf(ngettext("%u changed", "%u changed", n_changed), n_changed)
          : g_strdup(_("at their defaults"));
  g_autofree char *text =
      g_strdup_printf(ngettext("%u more, %s", "%u more, %s", n), n, changed);
  adw_expander_row_set_subtitle(ADW_EXPANDER_ROW(self->all), text);
}

/* The first field that is wrong, of the rows that were made or not; -1: none. */
static int
find_wrong(CwuRunForm *self)
{
  for (size_t i = 0; i < self->rows->len; i++) {
    g_autofree char *error = cwu_run_draft_dup_error(self->draft, i);
    if (error != NULL)
      return (int)i;
  }
  return -1;
}

void
cwu_run_form_update(CwuRunForm *self)
{
  g_autofree char *command = cwu_run_draft_dup_command(self->draft, self->root);
  update_tokens(self);
  for (size_t i = 0; i < self->rows->len; i++) {
    if (row_at(self, i) == NULL)
      continue;
    cwu_form_row_update(row_at(self, i), self->is_asked);
    if (cwu_run_draft_peek_field(self->draft, i)->is_common)
      gtk_widget_set_visible(GTK_WIDGET(row_at(self, i)),
                             cwu_run_draft_is_relevant(self->draft, i));
  }
  update_name(self);
  update_all_row(self);
  gtk_label_set_text(GTK_LABEL(self->command), command);
}

void
cwu_run_form_tell(CwuRunForm *self, const char *message)
{
  if (message != NULL)
    gtk_label_set_text(GTK_LABEL(self->banner_text), message);
  gtk_revealer_set_reveal_child(GTK_REVEALER(self->banner), message != NULL);
}

/* ---- rows ------------------------------------------------------------------------------- */

static void
filter_cb(CwuRunForm *self)
{
  const char *words = gtk_editable_get_text(GTK_EDITABLE(self->search));
  for (size_t i = 0; i < self->rows->len; i++)
    if (row_at(self, i) != NULL && !cwu_run_draft_peek_field(self->draft, i)->is_common)
      gtk_widget_set_visible(GTK_WIDGET(row_at(self, i)),
                             cwu_form_row_matches(row_at(self, i), words));
}

static void
start_cb(CwuRunForm *self)
{
  self->is_asked = true;
  cwu_run_form_tell(self, NULL);
  cwu_run_form_update(self);
  int wrong = find_wrong(self);
  bool is_named = update_name(self);
  if (wrong < 0 && is_named) {
    g_signal_emit(self, signals[START], 0);
    return;
  }
  if (wrong >= 0 && !cwu_run_draft_peek_field(self->draft, (size_t)wrong)->is_common)
    adw_expander_row_set_expanded(ADW_EXPANDER_ROW(self->all), TRUE);
  GtkWidget *row = wrong >= 0 ? GTK_WIDGET(row_at(self, (size_t)wrong)) : self->name;
  if (row != NULL)
    gtk_widget_child_focus(row, GTK_DIR_TAB_FORWARD);
}

static CwuFormRow *
make_row(CwuRunForm *self, size_t i)
{
  CwuFormRow *row = cwu_form_row_new(self->draft, i);
  self->rows->pdata[i] = row;
  g_signal_connect_swapped(row, "changed", G_CALLBACK(cwu_run_form_update), self);
  g_signal_connect_swapped(row, "activate-form", G_CALLBACK(start_cb), self);
  return row;
}

static gboolean
make_rows_cb(GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  CwuRunForm *self = CWU_RUN_FORM(widget);
  size_t n_made = 0;
  for (size_t i = 0; i < self->rows->len; i++) {
    if (row_at(self, i) != NULL)
      continue;
    if (n_made++ == ROWS_PER_FRAME)
      return G_SOURCE_CONTINUE;
    adw_expander_row_add_row(ADW_EXPANDER_ROW(self->all), GTK_WIDGET(make_row(self, i)));
    cwu_form_row_update(row_at(self, i), self->is_asked);
  }
  self->making = 0;
  filter_cb(self);
  return G_SOURCE_REMOVE;
}

static void
expanded_cb(CwuRunForm *self)
{
  if (self->making == 0)
    self->making = gtk_widget_add_tick_callback(GTK_WIDGET(self), make_rows_cb, NULL, NULL);
}

static void
name_cb(CwuRunForm *self, GtkEditable *entry)
{
  cwu_run_draft_set_name(self->draft, gtk_editable_get_text(entry));
  cwu_run_form_update(self);
}

void
cwu_run_form_set_suggestions(CwuRunForm *self, const char *key, const char *const *paths)
{
  CwuFormRow *row = row_at(self, cwu_run_draft_find(self->draft, key));
  if (row != NULL)
    cwu_form_row_set_suggestions(row, paths);
}

void
cwu_run_form_focus(CwuRunForm *self)
{
  int wrong = find_wrong(self);
  GtkWidget *row = wrong >= 0 ? GTK_WIDGET(row_at(self, (size_t)wrong)) : self->name;
  if (row != NULL)
    gtk_widget_child_focus(row, GTK_DIR_TAB_FORWARD);
}

/* ---- building --------------------------------------------------------------------------- */

static void
cancel_cb(CwuRunForm *self)
{
  g_signal_emit(self, signals[CANCEL], 0);
}

static GtkWidget *
head_new(CwuRunForm *self)
{
  static const char *const titles[] = { [CW_RUN_CACHE] = N_("New Cache"),
                                        [CW_RUN_TRAINING] = N_("New Training"),
                                        [CW_RUN_EVALUATION] = N_("New Evaluation") };
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *title =
      g_object_new(GTK_TYPE_LABEL, "label", _(titles[cwu_run_draft_get_kind(self->draft)]),
                   "xalign", 0.0f, "hexpand", TRUE, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
  GtkWidget *cancel = gtk_button_new_with_mnemonic(_("_Cancel"));
  GtkWidget *start = gtk_button_new_with_mnemonic(_("_Start"));
  gtk_widget_add_css_class(title, "title-4");
  gtk_widget_add_css_class(start, "suggested-action");
  gtk_widget_add_css_class(box, "pane-head");
  g_signal_connect_swapped(cancel, "clicked", G_CALLBACK(cancel_cb), self);
  g_signal_connect_swapped(start, "clicked", G_CALLBACK(start_cb), self);
  gtk_box_append(GTK_BOX(box), title);
  gtk_box_append(GTK_BOX(box), cancel);
  gtk_box_append(GTK_BOX(box), start);
  return box;
}

static GtkWidget *
banner_new(CwuRunForm *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  self->banner = gtk_revealer_new();
  self->banner_text =
      g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                   PANGO_WRAP_WORD_CHAR, "hexpand", TRUE, "selectable", TRUE, NULL);
  gtk_widget_add_css_class(box, "error-banner");
  gtk_box_append(GTK_BOX(box), gtk_image_new_from_icon_name("dialog-error-symbolic"));
  gtk_box_append(GTK_BOX(box), self->banner_text);
  gtk_revealer_set_child(GTK_REVEALER(self->banner), box);
  return self->banner;
}

static GtkWidget *
name_row_new(CwuRunForm *self)
{
  GtkWidget *entry = gtk_entry_new();
  self->name = adw_action_row_new();
  gtk_widget_add_css_class(self->name, "form-row");
  gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(self->name), FALSE);
  gtk_widget_set_focusable(self->name, FALSE);
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self->name), _("Name"));
  gtk_widget_add_css_class(entry, "name-entry");
  gtk_widget_set_valign(entry, GTK_ALIGN_CENTER);
  gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Name"), -1);
  g_signal_connect_swapped(entry, "changed", G_CALLBACK(name_cb), self);
  g_signal_connect_swapped(entry, "activate", G_CALLBACK(start_cb), self);
  adw_action_row_add_suffix(ADW_ACTION_ROW(self->name), entry);
  return self->name;
}

static GtkWidget *
common_group_new(CwuRunForm *self)
{
  GtkWidget *group = adw_preferences_group_new();
  bool is_named = false;
  for (size_t i = 0; i < self->rows->len; i++) {
    if (!cwu_run_draft_peek_field(self->draft, i)->is_common)
      continue;
    adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), GTK_WIDGET(make_row(self, i)));
    /* Behind what it is about. */
    if (!is_named)
      adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), name_row_new(self));
    is_named = true;
  }
  return group;
}

static GtkWidget *
all_group_new(CwuRunForm *self)
{
  GtkWidget *group = adw_preferences_group_new(), *row = gtk_list_box_row_new();
  self->all = adw_expander_row_new();
  self->search = gtk_search_entry_new();
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self->all), _("All settings"));
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->all), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("All settings"), -1);
  gtk_widget_set_margin_top(self->search, 8);
  gtk_widget_set_margin_bottom(self->search, 8);
  gtk_widget_set_margin_start(self->search, 12);
  gtk_widget_set_margin_end(self->search, 12);
  g_object_set(self->search, "placeholder-text", _("Find a setting"), NULL);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->search), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Find a setting"), -1);
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), self->search);
  gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
  gtk_widget_set_focusable(row, FALSE);
  adw_expander_row_add_row(ADW_EXPANDER_ROW(self->all), row);
  g_signal_connect_swapped(self->search, "search-changed", G_CALLBACK(filter_cb), self);
  g_signal_connect_swapped(self->all, "notify::expanded", G_CALLBACK(expanded_cb), self);
  adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), self->all);
  return group;
}

static void
copy_cb(CwuRunForm *self)
{
  gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)),
                         gtk_label_get_text(GTK_LABEL(self->command)));
}

static GtkWidget *
command_group_new(CwuRunForm *self)
{
  GtkWidget *group = adw_preferences_group_new();
  GtkWidget *copy = gtk_button_new_from_icon_name("edit-copy-symbolic");
  adw_preferences_group_set_title(ADW_PREFERENCES_GROUP(group), _("Command line"));
  gtk_widget_add_css_class(copy, "flat");
  cwu_hint_set(copy, _("Copy the command line"));
  g_signal_connect_swapped(copy, "clicked", G_CALLBACK(copy_cb), self);
  adw_preferences_group_set_header_suffix(ADW_PREFERENCES_GROUP(group), copy);
  self->command = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                               PANGO_WRAP_WORD_CHAR, "selectable", TRUE, NULL);
  gtk_widget_add_css_class(self->command, "command-line");
  adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), self->command);
  return group;
}

static void
build(CwuRunForm *self)
{
  GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *clamp = adw_clamp_new();
  GtkWidget *groups = gtk_box_new(GTK_ORIENTATION_VERTICAL, 24);
  gtk_widget_add_css_class(groups, "form");
  gtk_box_append(GTK_BOX(groups), common_group_new(self));
  gtk_box_append(GTK_BOX(groups), all_group_new(self));
  gtk_box_append(GTK_BOX(groups), command_group_new(self));
  adw_clamp_set_maximum_size(ADW_CLAMP(clamp), WIDTH_PX);
  adw_clamp_set_child(ADW_CLAMP(clamp), groups);
  self->scroller = gtk_scrolled_window_new();
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(self->scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(self->scroller), clamp);
  gtk_widget_set_vexpand(self->scroller, TRUE);
  gtk_box_append(GTK_BOX(column), head_new(self));
  gtk_box_append(GTK_BOX(column), banner_new(self));
  gtk_box_append(GTK_BOX(column), self->scroller);
  adw_bin_set_child(ADW_BIN(self), column);
}

static gboolean
escape_cb(GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  cancel_cb(CWU_RUN_FORM(widget));
  return TRUE;
}

static void
cwu_run_form_dispose(GObject *object)
{
  CwuRunForm *self = CWU_RUN_FORM(object);
  if (self->making != 0)
    gtk_widget_remove_tick_callback(GTK_WIDGET(self), self->making);
  self->making = 0;
  G_OBJECT_CLASS(cwu_run_form_parent_class)->dispose(object);
}

static void
cwu_run_form_finalize(GObject *object)
{
  CwuRunForm *self = CWU_RUN_FORM(object);
  g_ptr_array_unref(self->rows);
  cwu_run_draft_free(self->draft);
  g_free(self->root);
  G_OBJECT_CLASS(cwu_run_form_parent_class)->finalize(object);
}

static void
cwu_run_form_class_init(CwuRunFormClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_run_form_dispose;
  G_OBJECT_CLASS(class)->finalize = cwu_run_form_finalize;
  gtk_widget_class_add_binding(GTK_WIDGET_CLASS(class), GDK_KEY_Escape, 0, escape_cb, NULL);
  signals[START] = g_signal_new("start", CWU_TYPE_RUN_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
  signals[CANCEL] = g_signal_new("cancel", CWU_TYPE_RUN_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 0);
}

static void
cwu_run_form_init(CwuRunForm *self)
{
}

CwuRunForm *
cwu_run_form_new(CwRunKind kind, const char *root)
{
  CwuRunForm *self = g_object_new(CWU_TYPE_RUN_FORM, NULL);
  self->draft = cwu_run_draft_new(kind);
  self->root = g_strdup(root);
  self->rows = g_ptr_array_new();
  g_ptr_array_set_size(self->rows, (int)cwu_run_draft_get_n_fields(self->draft));
  build(self);
  cwu_run_form_update(self);
  return self;
}
