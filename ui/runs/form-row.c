/* form-row.c - see form-row.h. */
#include "runs/form-row.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "panes/hint.h"
#include "runs/path-picker.h"

#define CONTROL_PX 150 /* of entries and choices, so that they stand in a column */

struct _CwuFormRow {
  AdwActionRow parent_instance;
  CwuRunDraft *draft;
  size_t field;
  GtkWidget *control; /* GtkEntry, GtkSwitch, GtkDropDown or CwuPathPicker */
  GtkWidget *reset;   /* back to the default; NULL: the control can do that itself */
  char *note;
  bool is_filling;
};

G_DEFINE_TYPE(CwuFormRow, cwu_form_row, ADW_TYPE_ACTION_ROW)

enum { CHANGED, ACTIVATE_FORM, N_SIGNALS };
static guint signals[N_SIGNALS];

static const CwuField *
field_of(CwuFormRow *self)
{
  return cwu_run_draft_peek_field(self->draft, self->field);
}

size_t
cwu_form_row_get_field(CwuFormRow *self)
{
  return self->field;
}

/* ---- from the control ------------------------------------------------------------------- */

static void
take(CwuFormRow *self, const char *text)
{
  if (self->is_filling)
    return;
  cwu_run_draft_set(self->draft, self->field, text);
  g_signal_emit(self, signals[CHANGED], 0);
}

static void
text_cb(GtkEditable *editable, CwuFormRow *self)
{
  take(self, gtk_editable_get_text(editable));
}

/* The default said by hand is the default: presets that come later may change it. */
static void
take_unless_initial(CwuFormRow *self, const char *text)
{
  g_autofree char *initial = cwu_run_draft_dup_initial(self->draft, self->field);
  take(self, strcmp(text, initial) == 0 ? "" : text);
}

static void
switch_cb(CwuFormRow *self)
{
  take_unless_initial(self,
                      gtk_switch_get_active(GTK_SWITCH(self->control)) ? "true" : "false");
}

static void
choice_cb(CwuFormRow *self)
{
  guint i = gtk_drop_down_get_selected(GTK_DROP_DOWN(self->control));
  if (i != GTK_INVALID_LIST_POSITION)
    take_unless_initial(self, field_of(self)->choices[i]);
}

static void
paths_cb(CwuFormRow *self)
{
  take(self, cwu_path_picker_peek_text(CWU_PATH_PICKER(self->control)));
}

static void
reset_cb(CwuFormRow *self)
{
  take(self, "");
}

static void
activate_cb(CwuFormRow *self)
{
  g_signal_emit(self, signals[ACTIVATE_FORM], 0);
}

/* ---- to the control --------------------------------------------------------------------- */

/* A space at the end is being typed: the text stays as it is. */
static bool
differs(const char *shown, const char *text)
{
  g_autofree char *stripped = g_strstrip(g_strdup(shown));
  return strcmp(stripped, text) != 0;
}

static void
fill(CwuFormRow *self)
{
  const CwuField *field = field_of(self);
  const char *text = cwu_run_draft_peek(self->draft, self->field);
  g_autofree char *initial = cwu_run_draft_dup_initial(self->draft, self->field);
  const char *value = *text != '\0' ? text : initial;
  self->is_filling = true;
  if (GTK_IS_SWITCH(self->control)) {
    gtk_switch_set_active(GTK_SWITCH(self->control), strcmp(value, "true") == 0);
  } else if (GTK_IS_DROP_DOWN(self->control)) {
    for (guint i = 0; field->choices[i] != NULL; i++)
      if (strcmp(field->choices[i], value) == 0)
        gtk_drop_down_set_selected(GTK_DROP_DOWN(self->control), i);
  } else if (CWU_IS_PATH_PICKER(self->control)) {
    if (differs(cwu_path_picker_peek_text(CWU_PATH_PICKER(self->control)), text))
      cwu_path_picker_set_text(CWU_PATH_PICKER(self->control), text);
  } else {
    if (differs(gtk_editable_get_text(GTK_EDITABLE(self->control)), text))
      gtk_editable_set_text(GTK_EDITABLE(self->control), text);
    gtk_entry_set_placeholder_text(GTK_ENTRY(self->control), initial);
  }
  self->is_filling = false;
  gtk_widget_set_opacity(self->reset, *text != '\0');
  gtk_widget_set_sensitive(self->reset, *text != '\0');
}

static void
show_message(CwuFormRow *self, const char *error)
{
  const CwuField *field = field_of(self);
  const char *more = *self->note != '\0' ? self->note : field->unit;
  bool has_more = more != NULL && *more != '\0';
  g_autofree char *help =
      has_more ? g_strdup_printf("%s · %s", field->help, more) : g_strdup(field->help);
  g_autofree char *markup = g_markup_escape_text(error != NULL ? error : help, -1);
  adw_action_row_set_subtitle(ADW_ACTION_ROW(self), markup);
  if (error != NULL)
    gtk_widget_add_css_class(GTK_WIDGET(self), "wrong");
  else
    gtk_widget_remove_css_class(GTK_WIDGET(self), "wrong");
  gtk_accessible_update_state(
      GTK_ACCESSIBLE(self->control), GTK_ACCESSIBLE_STATE_INVALID,
      error != NULL ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->control),
                                 GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                 error != NULL ? error : help, -1);
}

bool
cwu_form_row_update(CwuFormRow *self, bool is_asked)
{
  bool is_empty = *cwu_run_draft_peek(self->draft, self->field) == '\0';
  g_autofree char *error = cwu_run_draft_dup_error(self->draft, self->field);
  fill(self);
  show_message(self, is_empty && !is_asked ? NULL : error);
  return error == NULL;
}

void
cwu_form_row_set_note(CwuFormRow *self, const char *note)
{
  g_free(self->note);
  self->note = g_strdup(note);
}

void
cwu_form_row_set_suggestions(CwuFormRow *self, const char *const *paths)
{
  g_return_if_fail(CWU_IS_PATH_PICKER(self->control));
  cwu_path_picker_set_suggestions(CWU_PATH_PICKER(self->control), paths);
}

bool
cwu_form_row_matches(CwuFormRow *self, const char *words)
{
  const CwuField *field = field_of(self);
  g_autofree char *all = g_strjoin(" ", field->key, field->title, field->help, NULL);
  g_autofree char *folded = g_utf8_casefold(all, -1);
  g_autofree char *wanted = g_utf8_casefold(words, -1);
  g_auto(GStrv) parts = g_strsplit_set(wanted, " _-", -1);
  for (char **part = parts; *part != NULL; part++)
    if (strstr(folded, *part) == NULL)
      return false;
  return true;
}

/* ---- building --------------------------------------------------------------------------- */

static GtkWidget *
entry_new(CwuFormRow *self)
{
  GtkWidget *entry = gtk_entry_new();
  bool is_text = field_of(self)->kind == CWU_FIELD_TEXT;
  gtk_editable_set_width_chars(GTK_EDITABLE(entry), 1);
  gtk_editable_set_max_width_chars(GTK_EDITABLE(entry), 1);
  gtk_widget_set_size_request(entry, CONTROL_PX, -1);
  gtk_editable_set_alignment(GTK_EDITABLE(entry), is_text ? 0 : 1);
  g_signal_connect(entry, "changed", G_CALLBACK(text_cb), self);
  g_signal_connect_swapped(entry, "activate", G_CALLBACK(activate_cb), self);
  return entry;
}

static GtkWidget *
control_new(CwuFormRow *self)
{
  const CwuField *field = field_of(self);
  GtkWidget *control;
  switch (field->kind) {
  case CWU_FIELD_FLAG:
    control = gtk_switch_new();
    g_signal_connect_swapped(control, "notify::active", G_CALLBACK(switch_cb), self);
    return control;
  case CWU_FIELD_CHOICE:
    control = gtk_drop_down_new_from_strings(field->choices);
    gtk_widget_set_size_request(control, CONTROL_PX, -1);
    g_signal_connect_swapped(control, "notify::selected", G_CALLBACK(choice_cb), self);
    return control;
  case CWU_FIELD_PATH:
  case CWU_FIELD_PATHS:
    control = GTK_WIDGET(cwu_path_picker_new(field->title, field->kind == CWU_FIELD_PATHS));
    g_signal_connect_swapped(control, "changed", G_CALLBACK(paths_cb), self);
    g_signal_connect_swapped(control, "activate", G_CALLBACK(activate_cb), self);
    return control;
  case CWU_FIELD_INTEGER:
  case CWU_FIELD_NUMBER:
  case CWU_FIELD_TEXT:
  default:
    return entry_new(self);
  }
}

static void
cwu_form_row_finalize(GObject *object)
{
  g_free(CWU_FORM_ROW(object)->note);
  G_OBJECT_CLASS(cwu_form_row_parent_class)->finalize(object);
}

static void
cwu_form_row_class_init(CwuFormRowClass *class)
{
  G_OBJECT_CLASS(class)->finalize = cwu_form_row_finalize;
  signals[CHANGED] = g_signal_new("changed", CWU_TYPE_FORM_ROW, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
  signals[ACTIVATE_FORM] = g_signal_new("activate-form", CWU_TYPE_FORM_ROW, G_SIGNAL_RUN_LAST,
                                        0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
cwu_form_row_init(CwuFormRow *self)
{
  self->note = g_strdup("");
  gtk_widget_add_css_class(GTK_WIDGET(self), "form-row");
  gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(self), FALSE);
  gtk_widget_set_focusable(GTK_WIDGET(self), FALSE);
}

CwuFormRow *
cwu_form_row_new(CwuRunDraft *draft, size_t field)
{
  CwuFormRow *self = g_object_new(CWU_TYPE_FORM_ROW, NULL);
  self->draft = draft;
  self->field = field;
  const char *title = field_of(self)->title;
  self->control = control_new(self);
  self->reset = gtk_button_new_from_icon_name("edit-undo-symbolic");
  cwu_hint_set(self->reset, _("Back to the default"));
  gtk_widget_add_css_class(self->reset, "flat");
  gtk_widget_set_valign(self->reset, GTK_ALIGN_CENTER);
  gtk_widget_set_valign(self->control, GTK_ALIGN_CENTER);
  g_signal_connect_swapped(self->reset, "clicked", G_CALLBACK(reset_cb), self);
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self), title);
  adw_action_row_add_suffix(ADW_ACTION_ROW(self), self->control);
  adw_action_row_add_suffix(ADW_ACTION_ROW(self), self->reset);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->control), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 title, -1);
  cwu_form_row_update(self, false);
  return self;
}
