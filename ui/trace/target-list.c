/* target-list.c - see target-list.h. A list of any length always ends with one empty entry. */
#include "trace/target-list.h"

#include <glib/gi18n-lib.h>
#include <string.h>

struct _CwuTargetList {
  GtkWidget parent_instance;
  bool is_difference;
  GtkWidget *box;
  CwuEngine *engine;
  bool is_filling;
};

G_DEFINE_TYPE(CwuTargetList, cwu_target_list, GTK_TYPE_WIDGET)

static guint changed_signal;

/* A row is a box of an entry and what is said of its text. */
static GtkWidget *
entry_of(GtkWidget *row)
{
  return gtk_widget_get_first_child(row);
}

static const char *
text_of(GtkWidget *row)
{
  return gtk_editable_get_text(GTK_EDITABLE(entry_of(row)));
}

static void
check_row(CwuTargetList *self, GtkWidget *row)
{
  GtkWidget *entry = entry_of(row), *note = gtk_widget_get_last_child(row);
  const char *text = text_of(row);
  g_autoptr(GError) error = NULL;
  g_autofree char *piece = NULL, *said = NULL;
  int32_t id = 0;
  bool is_wrong = false;
  if (*text != '\0' && self->engine != NULL) {
    is_wrong = !cwu_engine_resolve_target(self->engine, text, &id, &piece, &error);
    g_autofree char *quoted = piece != NULL ? cw_escape_dup(piece, true) : NULL;
    /* Translators: a token as written and its number in the vocabulary. */
    said = is_wrong ? g_strdup(error->message) : g_strdup_printf(_("%s, token %d"), quoted, id);
  }
  gtk_label_set_text(GTK_LABEL(note), said != NULL ? said : "");
  gtk_widget_set_visible(note, said != NULL);
  if (is_wrong)
    gtk_widget_add_css_class(row, "cwu-wrong");
  else
    gtk_widget_remove_css_class(row, "cwu-wrong");
  gtk_accessible_update_state(
      GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_STATE_INVALID,
      is_wrong ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
}

static void
check_all(CwuTargetList *self)
{
  for (GtkWidget *row = gtk_widget_get_first_child(self->box); row != NULL;
       row = gtk_widget_get_next_sibling(row))
    check_row(self, row);
}

static void append_row(CwuTargetList *self, const char *text);

/* Ends a list of any length with one empty entry, and only one. */
static void
keep_one_empty(CwuTargetList *self)
{
  GtkWidget *last = gtk_widget_get_last_child(self->box);
  if (self->is_difference)
    return;
  if (last == NULL || *text_of(last) != '\0') {
    append_row(self, "");
    return;
  }
  GtkWidget *before = gtk_widget_get_prev_sibling(last);
  if (before != NULL && *text_of(before) == '\0')
    gtk_box_remove(GTK_BOX(self->box), last);
}

static void
entry_changed_cb(GtkEditable *entry, CwuTargetList *self)
{
  if (self->is_filling)
    return;
  check_row(self, gtk_widget_get_parent(GTK_WIDGET(entry)));
  keep_one_empty(self);
  g_signal_emit(self, changed_signal, 0);
}

static const char *
placeholder_of(CwuTargetList *self, bool is_first)
{
  if (!self->is_difference)
    return is_first ? _("A token, such as “ Paris”") : _("Another token");
  return is_first ? _("The logit of this token") : _("less that of this one");
}

static void
append_row(CwuTargetList *self, const char *text)
{
  bool is_first = gtk_widget_get_first_child(self->box) == NULL;
  const char *placeholder = placeholder_of(self, is_first);
  GtkWidget *row = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2), *entry = gtk_entry_new();
  GtkWidget *note = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                                 PANGO_WRAP_WORD_CHAR, "max-width-chars", 30, NULL);
  gtk_entry_set_placeholder_text(GTK_ENTRY(entry), placeholder);
  gtk_editable_set_text(GTK_EDITABLE(entry), text);
  gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 placeholder, -1);
  gtk_accessible_update_relation(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_RELATION_DESCRIBED_BY,
                                 note, NULL, -1);
  gtk_widget_set_tooltip_text(
      entry, _("The text of exactly one token: most words begin with a space. Or id:504."));
  gtk_widget_add_css_class(note, "caption");
  gtk_widget_add_css_class(note, "cwu-note");
  gtk_box_append(GTK_BOX(row), entry);
  gtk_box_append(GTK_BOX(row), note);
  gtk_box_append(GTK_BOX(self->box), row);
  check_row(self, row);
  g_signal_connect(entry, "changed", G_CALLBACK(entry_changed_cb), self);
}

char **
cwu_target_list_dup_texts(CwuTargetList *self)
{
  g_autoptr(GStrvBuilder) texts = g_strv_builder_new();
  for (GtkWidget *row = gtk_widget_get_first_child(self->box); row != NULL;
       row = gtk_widget_get_next_sibling(row))
    if (self->is_difference || *text_of(row) != '\0')
      g_strv_builder_add(texts, text_of(row));
  return g_strv_builder_end(texts);
}

void
cwu_target_list_set_texts(CwuTargetList *self, const char *const *texts)
{
  g_return_if_fail(CWU_IS_TARGET_LIST(self));
  g_auto(GStrv) shown = cwu_target_list_dup_texts(self);
  size_t n = g_strv_length((char **)texts);
  if (g_strv_equal((const char *const *)shown, texts) &&
      gtk_widget_get_first_child(self->box) != NULL)
    return;
  self->is_filling = true;
  GtkWidget *row;
  while ((row = gtk_widget_get_first_child(self->box)) != NULL)
    gtk_box_remove(GTK_BOX(self->box), row);
  if (self->is_difference)
    for (size_t i = 0; i < 2; i++)
      append_row(self, i < n ? texts[i] : "");
  else
    for (size_t i = 0; i < n; i++)
      append_row(self, texts[i]);
  keep_one_empty(self);
  self->is_filling = false;
}

void
cwu_target_list_set_engine(CwuTargetList *self, CwuEngine *engine)
{
  if (self->engine != NULL)
    g_signal_handlers_disconnect_by_data(self->engine, self);
  g_set_object(&self->engine, engine);
  if (engine != NULL)
    g_signal_connect_object(engine, "notify::state", G_CALLBACK(check_all), self,
                            G_CONNECT_SWAPPED);
  check_all(self);
}

static void
dispose(GObject *object)
{
  CwuTargetList *self = CWU_TARGET_LIST(object);
  g_clear_pointer(&self->box, gtk_widget_unparent);
  g_clear_object(&self->engine);
  G_OBJECT_CLASS(cwu_target_list_parent_class)->dispose(object);
}

static void
cwu_target_list_class_init(CwuTargetListClass *class)
{
  G_OBJECT_CLASS(class)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
  changed_signal = g_signal_new("changed", CWU_TYPE_TARGET_LIST, G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 0);
}

static void
cwu_target_list_init(CwuTargetList *self)
{
  self->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
  gtk_widget_set_parent(self->box, GTK_WIDGET(self));
}

CwuTargetList *
cwu_target_list_new(bool is_difference)
{
  static const char *const none[] = { NULL };
  CwuTargetList *self = g_object_new(CWU_TYPE_TARGET_LIST, NULL);
  self->is_difference = is_difference;
  cwu_target_list_set_texts(self, none);
  return self;
}
