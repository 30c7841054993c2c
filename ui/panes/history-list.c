/* history-list.c - see history-list.h. The core tells what was done and to what; here it is put
 * into words. The list is a list of numbers: rows name the steps that are seen. */
#include "panes/history-list.h"

#include <glib/gi18n-lib.h>

#define MAX_SUBJECT_CHARS 40
#define LIST_WIDTH_PX     300
#define LIST_HEIGHT_PX    420

/* ---- names ----------------------------------------------------------------------------- */

/* What is done to a subject (%s: it), and to more than one thing or to something unnamed. */
static const struct {
  const char *named, *unnamed;
} names[CW_N_EDITS] = {
  [CW_EDIT_OPEN] = { N_("Open"), N_("Open") },
  [CW_EDIT_TRACE] = { N_("Trace “%s”"), N_("Trace the prompt") },
  [CW_EDIT_PROMPT] = { N_("Type “%s”"), N_("Empty the prompt") },
  [CW_EDIT_THRESHOLDS] = { N_("Move the thresholds"), N_("Move the thresholds") },
  [CW_EDIT_GRAVITY] = { N_("Change the order"), N_("Change the order") },
  [CW_EDIT_PIN] = { N_("Pin “%s”"), N_("Pin nodes") },
  [CW_EDIT_UNPIN] = { N_("Unpin “%s”"), N_("Unpin nodes") },
  [CW_EDIT_LABEL] = { N_("Call it “%s”"), N_("Call a node what the graph does") },
  [CW_EDIT_GROUP] = { N_("Group “%s”"), N_("Group nodes") },
  [CW_EDIT_RENAME_GROUP] = { N_("Call the group “%s”"), N_("Rename the group") },
  [CW_EDIT_CHANGE_GROUP] = { N_("Change the group “%s”"), N_("Change the group") },
  [CW_EDIT_UNGROUP] = { N_("Dissolve the group “%s”"), N_("Dissolve the group") },
  [CW_EDIT_ADD_NOTE] = { N_("Note “%s”"), N_("Add a note") },
  [CW_EDIT_CHANGE_NOTE] = { N_("Change the note “%s”"), N_("Change a note") },
  [CW_EDIT_MOVE_NOTE] = { N_("Move the note “%s”"), N_("Move a note") },
  [CW_EDIT_REMOVE_NOTE] = { N_("Remove the note “%s”"), N_("Remove a note") },
  [CW_EDIT_PLACE] = { N_("Move “%s”"), N_("Move a node") },
  [CW_EDIT_FREE_PLACES] = { N_("Free nodes that were moved"),
                            N_("Free nodes that were moved") },
};

/* One line of bounded length; without the mark of a name made of tokens. */
static char *
dup_subject(const char *subject)
{
  g_autofree char *valid =
      g_utf8_make_valid(g_str_has_prefix(subject, "~ ") ? subject + 2 : subject, -1);
  g_strdelimit(g_strstrip(valid), "\n\r\t", ' ');
  if (g_utf8_strlen(valid, -1) <= MAX_SUBJECT_CHARS)
    return g_steal_pointer(&valid);
  g_autofree char *begin = g_utf8_substring(valid, 0, MAX_SUBJECT_CHARS - 1);
  return g_strconcat(begin, "…", NULL);
}

char *
cwu_step_dup_name(CwDocumentStep step)
{
  g_return_val_if_fail((unsigned)step.edit < CW_N_EDITS, NULL);
  g_autofree char *subject = dup_subject(step.subject);
  if (*subject == '\0')
    return g_strdup(_(names[step.edit].unnamed));
  g_auto(GStrv) parts = g_strsplit(_(names[step.edit].named), "%s", 2);
  return parts[1] != NULL ? g_strconcat(parts[0], subject, parts[1], NULL) : g_strdup(parts[0]);
}

/* ---- the list -------------------------------------------------------------------------- */

struct _CwuHistoryList {
  GtkBox parent_instance;
  CwuDocument *document;
  GListStore *rows; /* one object a step: what it is goes by its position */
  GtkWidget *view;
};

G_DEFINE_TYPE(CwuHistoryList, cwu_history_list, GTK_TYPE_BOX)

/* Row 0 is the newest step. */
static size_t
step_of(CwuHistoryList *self, guint row)
{
  return cw_document_get_n_steps(cwu_document_peek_core(self->document)) - 1 - row;
}

static GtkWidget *
row_new(void)
{
  GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *mark = gtk_image_new_from_icon_name("object-select-symbolic");
  GtkWidget *label = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "ellipsize",
                                  PANGO_ELLIPSIZE_END, "hexpand", TRUE, NULL);
  gtk_box_append(GTK_BOX(row), mark);
  gtk_box_append(GTK_BOX(row), label);
  return row;
}

static void
setup_cb(GtkSignalListItemFactory *factory, GtkListItem *item, CwuHistoryList *self)
{
  gtk_list_item_set_child(item, row_new());
}

static void
bind_cb(GtkSignalListItemFactory *factory, GtkListItem *item, CwuHistoryList *self)
{
  CwDocument *core = cwu_document_peek_core(self->document);
  size_t step = step_of(self, gtk_list_item_get_position(item));
  size_t position = cw_document_get_position(core);
  GtkWidget *row = gtk_list_item_get_child(item);
  GtkWidget *mark = gtk_widget_get_first_child(row), *label = gtk_widget_get_last_child(row);
  if (step >= cw_document_get_n_steps(core))
    return; /* About to go. */
  g_autofree char *name = cwu_step_dup_name(cw_document_get_step(core, step));
  gtk_label_set_text(GTK_LABEL(label), name);
  gtk_widget_set_opacity(mark, step == position);
  gtk_widget_remove_css_class(label, "dim-label");
  gtk_widget_remove_css_class(label, "present-step");
  if (step == position)
    gtk_widget_add_css_class(label, "present-step");
  if (step > position)
    gtk_widget_add_css_class(label, "dim-label");
}

static void
activate_cb(GtkListView *view, guint row, CwuHistoryList *self)
{
  GtkWidget *popover = gtk_widget_get_ancestor(GTK_WIDGET(self), GTK_TYPE_POPOVER);
  cw_document_go_to(cwu_document_peek_core(self->document), step_of(self, row));
  cwu_document_sync(self->document);
  if (popover != NULL)
    gtk_popover_popdown(GTK_POPOVER(popover));
}

/* All rows anew: any may be the present one now. */
static void
update(CwuHistoryList *self)
{
  size_t n = self->document != NULL && gtk_widget_get_mapped(GTK_WIDGET(self))
                 ? cw_document_get_n_steps(cwu_document_peek_core(self->document))
                 : 0;
  g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_object_unref);
  for (size_t i = 0; i < n; i++)
    g_ptr_array_add(rows, g_object_new(G_TYPE_OBJECT, NULL));
  g_list_store_splice(self->rows, 0, g_list_model_get_n_items(G_LIST_MODEL(self->rows)),
                      rows->pdata, rows->len);
}

static void
cwu_history_list_map(GtkWidget *widget)
{
  CwuHistoryList *self = CWU_HISTORY_LIST(widget);
  GTK_WIDGET_CLASS(cwu_history_list_parent_class)->map(widget);
  update(self);
  if (self->document == NULL)
    return;
  CwDocument *core = cwu_document_peek_core(self->document);
  guint row = (guint)(cw_document_get_n_steps(core) - 1 - cw_document_get_position(core));
  gtk_widget_activate_action(self->view, "list.scroll-to-item", "u", row);
}

void
cwu_history_list_set_document(CwuHistoryList *self, CwuDocument *document)
{
  if (self->document == document)
    return;
  if (self->document != NULL)
    g_signal_handlers_disconnect_by_data(self->document, self);
  g_list_store_remove_all(self->rows);
  g_set_object(&self->document, document);
  if (document != NULL)
    g_signal_connect_object(document, "history-changed", G_CALLBACK(update), self,
                            G_CONNECT_SWAPPED);
  update(self);
}

static void
cwu_history_list_dispose(GObject *object)
{
  CwuHistoryList *self = CWU_HISTORY_LIST(object);
  if (self->document != NULL)
    g_signal_handlers_disconnect_by_data(self->document, self);
  if (self->rows != NULL)
    g_list_store_remove_all(self->rows);
  g_clear_object(&self->rows);
  g_clear_object(&self->document);
  G_OBJECT_CLASS(cwu_history_list_parent_class)->dispose(object);
}

static void
cwu_history_list_class_init(CwuHistoryListClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_history_list_dispose;
  GTK_WIDGET_CLASS(class)->map = cwu_history_list_map;
}

static void
cwu_history_list_init(CwuHistoryList *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new();
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
  self->rows = g_list_store_new(G_TYPE_OBJECT);
  GtkNoSelection *selection = gtk_no_selection_new(g_object_ref(G_LIST_MODEL(self->rows)));
  g_signal_connect(factory, "setup", G_CALLBACK(setup_cb), self);
  g_signal_connect(factory, "bind", G_CALLBACK(bind_cb), self);
  self->view = gtk_list_view_new(GTK_SELECTION_MODEL(selection), factory);
  gtk_list_view_set_single_click_activate(GTK_LIST_VIEW(self->view), TRUE);
  gtk_widget_add_css_class(self->view, "history");
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("History of changes"), -1);
  g_signal_connect(self->view, "activate", G_CALLBACK(activate_cb), self);
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scroller), LIST_HEIGHT_PX);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), self->view);
  gtk_widget_set_size_request(scroller, LIST_WIDTH_PX, -1);
  gtk_box_append(GTK_BOX(self), scroller);
}

CwuHistoryList *
cwu_history_list_new(void)
{
  return g_object_new(CWU_TYPE_HISTORY_LIST, NULL);
}
