/* node-title.c - see node-title.h. GtkEditableLabel was rejected: it neither wraps a long name
 * nor can be told to begin with another text than it shows. */
#include "panes/node-title.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "panes/hint.h"
#include "picture/node-name.h"

struct _CwuNodeTitle {
  GtkBox parent_instance;
  CwuDocument *document;
  GtkWidget *stack, *button, *name, *entry;
  GtkWidget *own_row, *own_name; /* what the graph calls a node that was called otherwise */
  int64_t editing;               /* the node whose name is typed; -1: none */
};

G_DEFINE_TYPE(CwuNodeTitle, cwu_node_title, GTK_TYPE_BOX)

/* ---- typing ---------------------------------------------------------------------------- */

static void
end_editing(CwuNodeTitle *self, bool keep)
{
  int64_t node = self->editing;
  if (node < 0)
    return;
  self->editing = -1;
  bool had_focus = gtk_widget_get_focus_child(self->entry) != NULL;
  gtk_stack_set_visible_child(GTK_STACK(self->stack), self->button);
  if (had_focus)
    gtk_widget_grab_focus(self->button);
  if (!keep)
    return;
  g_autofree char *text = g_strdup(gtk_editable_get_text(GTK_EDITABLE(self->entry)));
  g_autofree char *now = cwu_document_dup_node_name(self->document, (size_t)node);
  g_strstrip(text);
  if (strcmp(text, now) == 0)
    return;
  g_autofree char *own =
      cwu_node_dup_name(cwu_document_peek_graph(self->document), (size_t)node);
  cw_document_set_label(cwu_document_peek_core(self->document), (size_t)node,
                        strcmp(text, own) == 0 ? NULL : text);
  cwu_document_sync(self->document);
}

static void
keep_cb(CwuNodeTitle *self)
{
  end_editing(self, true);
}

static gboolean
key_cb(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType modifiers,
       CwuNodeTitle *self)
{
  if (key != GDK_KEY_Escape || self->editing < 0)
    return GDK_EVENT_PROPAGATE;
  end_editing(self, false);
  return GDK_EVENT_STOP;
}

void
cwu_node_title_edit(CwuNodeTitle *self)
{
  int64_t node = cwu_document_get_selected(self->document);
  if (node < 0)
    return;
  g_autofree char *name = cwu_document_dup_node_name(self->document, (size_t)node);
  gtk_editable_set_text(GTK_EDITABLE(self->entry), name);
  gtk_stack_set_visible_child(GTK_STACK(self->stack), self->entry);
  gtk_widget_grab_focus(self->entry);
  gtk_editable_select_region(GTK_EDITABLE(self->entry), 0, -1);
  self->editing = node;
}

static void
revert_cb(CwuNodeTitle *self)
{
  int64_t node = cwu_document_get_selected(self->document);
  if (node < 0)
    return;
  cw_document_set_label(cwu_document_peek_core(self->document), (size_t)node, NULL);
  cwu_document_sync(self->document);
}

/* ---- what is shown --------------------------------------------------------------------- */

static void
update(CwuNodeTitle *self)
{
  int64_t node = cwu_document_get_selected(self->document);
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (node < 0 || graph == NULL)
    return;
  const CwDocumentState *state = cwu_document_peek_state(self->document);
  g_autofree char *name = cwu_document_dup_node_name(self->document, (size_t)node);
  g_autofree char *own = cwu_node_dup_name(graph, (size_t)node);
  g_autofree char *words = g_strdup_printf(_("In the graph: %s"), own);
  g_autofree char *tooltip =
      g_strdup_printf(_("%s\nClick to call it something else (L)"), name);
  gtk_label_set_text(GTK_LABEL(self->name), name);
  gtk_widget_set_tooltip_text(self->button, tooltip);
  gtk_label_set_text(GTK_LABEL(self->own_name), words);
  gtk_widget_set_tooltip_text(self->own_name, own);
  gtk_widget_set_visible(self->own_row,
                         cw_document_state_peek_label(state, (size_t)node) != NULL);
}

static void
changed_cb(CwuNodeTitle *self, guint parts)
{
  if (parts & CW_DOCUMENT_GRAPH)
    end_editing(self, false);
  if (parts & CW_DOCUMENT_LABELS)
    update(self);
}

/* Another node: what was being typed is kept, as wherever the focus leaves a field. */
static void
selection_changed_cb(CwuNodeTitle *self)
{
  end_editing(self, true);
  update(self);
}

/* ---- building -------------------------------------------------------------------------- */

static GtkWidget *
button_new(CwuNodeTitle *self)
{
  GtkWidget *button = gtk_button_new();
  self->name =
      g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                   PANGO_WRAP_WORD_CHAR, "ellipsize", PANGO_ELLIPSIZE_END, "lines", 3, NULL);
  gtk_button_set_child(GTK_BUTTON(button), self->name);
  gtk_widget_add_css_class(button, "flat");
  gtk_widget_add_css_class(button, "node-name");
  g_signal_connect_swapped(button, "clicked", G_CALLBACK(cwu_node_title_edit), self);
  return button;
}

static GtkWidget *
entry_new(CwuNodeTitle *self)
{
  GtkWidget *entry = gtk_entry_new();
  GtkEventController *key = gtk_event_controller_key_new();
  GtkEventController *focus = gtk_event_controller_focus_new();
  gtk_event_controller_set_propagation_phase(key, GTK_PHASE_CAPTURE);
  g_signal_connect(key, "key-pressed", G_CALLBACK(key_cb), self);
  g_signal_connect_swapped(focus, "leave", G_CALLBACK(keep_cb), self);
  g_signal_connect_swapped(entry, "activate", G_CALLBACK(keep_cb), self);
  gtk_widget_add_controller(entry, key);
  gtk_widget_add_controller(entry, focus);
  gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Name of the node"), -1);
  return entry;
}

static GtkWidget *
own_row_new(CwuNodeTitle *self)
{
  GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
  GtkWidget *back = gtk_button_new_from_icon_name("edit-undo-symbolic");
  self->own_name =
      g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
  gtk_widget_add_css_class(self->own_name, "dim-label");
  gtk_widget_add_css_class(back, "flat");
  gtk_widget_add_css_class(back, "small-button");
  cwu_hint_set(back, _("Call it that again"));
  g_signal_connect_swapped(back, "clicked", G_CALLBACK(revert_cb), self);
  gtk_box_append(GTK_BOX(row), self->own_name);
  gtk_box_append(GTK_BOX(row), back);
  return row;
}

static void
cwu_node_title_dispose(GObject *object)
{
  g_clear_object(&CWU_NODE_TITLE(object)->document);
  G_OBJECT_CLASS(cwu_node_title_parent_class)->dispose(object);
}

static void
cwu_node_title_class_init(CwuNodeTitleClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_node_title_dispose;
}

static void
cwu_node_title_init(CwuNodeTitle *self)
{
  gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
  self->editing = -1;
  self->stack = gtk_stack_new();
  self->button = button_new(self);
  self->entry = entry_new(self);
  self->own_row = own_row_new(self);
  gtk_stack_set_vhomogeneous(GTK_STACK(self->stack), FALSE);
  gtk_stack_add_child(GTK_STACK(self->stack), self->button);
  gtk_stack_add_child(GTK_STACK(self->stack), self->entry);
  gtk_box_append(GTK_BOX(self), self->stack);
  gtk_box_append(GTK_BOX(self), self->own_row);
}

GtkWidget *
cwu_node_title_new(CwuDocument *document)
{
  CwuNodeTitle *self = g_object_new(CWU_TYPE_NODE_TITLE, NULL);
  self->document = g_object_ref(document);
  g_signal_connect_object(document, "selection-changed", G_CALLBACK(selection_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "changed", G_CALLBACK(changed_cb), self, G_CONNECT_SWAPPED);
  update(self);
  return GTK_WIDGET(self);
}
