/* node-pane.c - see node-pane.h. The upper part is of fixed height; the two lists share what is
 * left, each with its own scrolling, and the pane scrolls only where even three rows of each
 * have no room. */
#include "panes/node-pane.h"

#include <glib/gi18n-lib.h>

#include "panes/key-button.h"
#include "panes/link-list.h"
#include "panes/link-row.h"
#include "panes/node-facts.h"
#include "panes/node-title.h"
#include "panes/note-editor.h"
#include "panes/note-list.h"
#include "picture/node-name.h"
#include "window/action-table.h"

#define LEAST_LIST_PX 96

typedef struct {
  GtkWidget *box, *scroller, *list, *count; /* box: hidden where there is nothing */
} Links;

struct _CwuNodePane {
  GtkBox parent_instance;
  CwuDocument *document;
  CwuInputs *inputs; /* of the graph shown last */
  GtkWidget *title, *place, *pin, *note;
  CwuNoteEditor *note_editor;
  Links sources, targets;
};

G_DEFINE_TYPE(CwuNodePane, cwu_node_pane, GTK_TYPE_BOX)

/* ---- what is said ---------------------------------------------------------------------- */

/* "12 of 840 · 66%": how many edges are listed, and how much of the input they are. */
static char *
dup_count(CwuLinkList *links, bool has_share)
{
  size_t n = cwu_link_list_get_n_listed(links), n_all = cwu_link_list_get_n_all(links);
  g_autofree char *count =
      n == n_all ? g_strdup_printf("%'zu", n) : g_strdup_printf(_("%'zu of %'zu"), n, n_all);
  if (!has_share)
    return g_steal_pointer(&count);
  return g_strdup_printf("%s · %.0f%%", count, 100 * cwu_link_list_get_listed_share(links));
}

/* At least as high as three rows; as those that there are, if there are fewer: they are all
 * seen then, and a scroll bar, seen or not, would ask for more. */
static void
keep_short(Links *links)
{
  GtkScrolledWindow *scroller = GTK_SCROLLED_WINDOW(links->scroller);
  int height;
  gtk_widget_measure(links->list, GTK_ORIENTATION_VERTICAL, -1, NULL, &height, NULL, NULL);
  bool is_short = height <= LEAST_LIST_PX;
  gtk_scrolled_window_set_policy(scroller, GTK_POLICY_NEVER,
                                 is_short ? GTK_POLICY_EXTERNAL : GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_min_content_height(scroller, MIN(height, LEAST_LIST_PX));
}

static void
fill(Links *links, CwuLinkList *model, bool has_share)
{
  g_autofree char *count = dup_count(model, has_share);
  cwu_link_list_view_set_model(links->list, model);
  gtk_label_set_text(GTK_LABEL(links->count), count);
  keep_short(links);
  gtk_widget_set_visible(links->box, g_list_model_get_n_items(G_LIST_MODEL(model)) > 0);
}

static void
update_pin(CwuNodePane *self)
{
  int64_t node = cwu_document_get_selected(self->document);
  const CwDocumentState *state = cwu_document_peek_state(self->document);
  bool is_pinned = node >= 0 && cw_document_state_is_pinned(state, (size_t)node);
  cwu_key_button_set_word(self->pin, is_pinned ? _("Unpin") : _("Pin"));
}

static void
update_links(CwuNodePane *self, size_t node)
{
  const CwPruned *pruned = cwu_document_peek_pruned(self->document);
  g_autoptr(CwuLinkList) sources = cwu_link_list_new_sources(self->inputs, pruned, node);
  g_autoptr(CwuLinkList) targets = cwu_link_list_new_targets(self->inputs, pruned, node);
  fill(&self->sources, sources, true);
  fill(&self->targets, targets, false);
}

static void
update(CwuNodePane *self)
{
  int64_t node = cwu_document_get_selected(self->document);
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (node < 0 || graph == NULL)
    return;
  if (self->inputs == NULL || cwu_inputs_peek_graph(self->inputs) != graph) {
    cwu_inputs_free(self->inputs);
    self->inputs = cwu_inputs_new(graph);
  }
  g_autofree char *place = cwu_node_dup_kind_and_place(graph, (size_t)node);
  gtk_label_set_text(GTK_LABEL(self->place), place);
  gtk_widget_set_tooltip_text(self->place, place);
  update_pin(self);
  update_links(self, (size_t)node);
}

static void
changed_cb(CwuNodePane *self, guint parts)
{
  if (parts & CW_DOCUMENT_GRAPH) { /* Rows must not stand for nodes of another graph. */
    cwu_link_list_view_set_model(self->sources.list, NULL);
    cwu_link_list_view_set_model(self->targets.list, NULL);
  }
  if (parts & CW_DOCUMENT_PINS)
    update_pin(self);
}

void
cwu_node_pane_edit_label(CwuNodePane *self)
{
  cwu_node_title_edit(CWU_NODE_TITLE(self->title));
}

void
cwu_node_pane_edit_note(CwuNodePane *self)
{
  int64_t node = cwu_document_get_selected(self->document);
  cwu_note_editor_open(self->note_editor, self->note, node,
                       cwu_note_find(self->document, node));
}

/* ---- building -------------------------------------------------------------------------- */

static GtkWidget *
icon_button_new(const char *action)
{
  GtkWidget *button = gtk_button_new();
  gtk_widget_add_css_class(button, "flat");
  gtk_widget_add_css_class(button, "small-button");
  cwu_action_bind(button, action);
  return button;
}

static GtkWidget *
header_new(CwuNodePane *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2);
  self->place = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "ellipsize", PANGO_ELLIPSIZE_END,
                             "hexpand", TRUE, NULL);
  gtk_widget_add_css_class(self->place, "dim-label");
  gtk_box_append(GTK_BOX(box), self->place);
  gtk_box_append(GTK_BOX(box), icon_button_new("win.go-back"));
  gtk_box_append(GTK_BOX(box), icon_button_new("win.go-forward"));
  GtkWidget *close = icon_button_new("win.clear-selection");
  gtk_button_set_icon_name(GTK_BUTTON(close), "window-close-symbolic");
  gtk_box_append(GTK_BOX(box), close);
  return box;
}

static GtkWidget *
buttons_new(CwuNodePane *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
  gtk_box_set_homogeneous(GTK_BOX(box), TRUE);
  gtk_widget_add_css_class(box, "node-buttons");
  self->pin = cwu_key_button_new(_("Pin"), "win.pin", FALSE);
  self->note = cwu_key_button_new(_("Note"), "win.note", FALSE);
  gtk_box_append(GTK_BOX(box), self->pin);
  gtk_box_append(GTK_BOX(box), cwu_key_button_new(_("Label"), "win.label", FALSE));
  gtk_box_append(GTK_BOX(box), self->note);
  self->note_editor = cwu_note_editor_new(self->document, GTK_BOX(box));
  return box;
}

static GtkWidget *
links_new(CwuNodePane *self, const char *title, Links *links)
{
  GtkWidget *heading = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *label =
      g_object_new(GTK_TYPE_LABEL, "label", title, "xalign", 0.0f, "hexpand", TRUE, NULL);
  GtkWidget *scroller = links->scroller = gtk_scrolled_window_new();
  links->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
  links->count = gtk_label_new(NULL);
  links->list = cwu_link_list_view_new(self->document, title);
  gtk_widget_add_css_class(label, "heading");
  gtk_widget_add_css_class(links->count, "dim-label");
  gtk_widget_add_css_class(links->count, "numeric");
  gtk_widget_add_css_class(links->box, "link-section");
  gtk_box_append(GTK_BOX(heading), label);
  gtk_box_append(GTK_BOX(heading), links->count);
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), links->list);
  gtk_box_append(GTK_BOX(links->box), heading);
  gtk_box_append(GTK_BOX(links->box), scroller);
  return links->box;
}

static GtkWidget *
content_new(CwuNodePane *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
  self->title = cwu_node_title_new(self->document);
  gtk_widget_add_css_class(box, "pane");
  gtk_box_append(GTK_BOX(box), header_new(self));
  gtk_box_append(GTK_BOX(box), self->title);
  gtk_box_append(GTK_BOX(box), buttons_new(self));
  gtk_box_append(GTK_BOX(box), cwu_node_facts_new(self->document));
  gtk_box_append(GTK_BOX(box), cwu_note_list_new(self->document, CWU_NOTES_OF_NODE));
  gtk_box_append(GTK_BOX(box), links_new(self, _("Fed by"), &self->sources));
  gtk_box_append(GTK_BOX(box), links_new(self, _("Feeds"), &self->targets));
  gtk_widget_set_tooltip_text(self->sources.count,
                              _("Edges shown, of all there are, and their share of the input"));
  return box;
}

static void
cwu_node_pane_dispose(GObject *object)
{
  CwuNodePane *self = CWU_NODE_PANE(object);
  g_clear_pointer(&self->inputs, cwu_inputs_free);
  g_clear_object(&self->document);
  G_OBJECT_CLASS(cwu_node_pane_parent_class)->dispose(object);
}

static void
cwu_node_pane_class_init(CwuNodePaneClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_node_pane_dispose;
}

static void
cwu_node_pane_init(CwuNodePane *self)
{
}

GtkWidget *
cwu_node_pane_new(CwuDocument *document)
{
  CwuNodePane *self = g_object_new(CWU_TYPE_NODE_PANE, NULL);
  GtkWidget *scroller = gtk_scrolled_window_new();
  self->document = g_object_ref(document);
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), content_new(self));
  gtk_widget_set_hexpand(scroller, TRUE);
  gtk_widget_set_vexpand(scroller, TRUE);
  gtk_box_append(GTK_BOX(self), scroller);
  g_signal_connect_object(document, "selection-changed", G_CALLBACK(update), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "graph-changed", G_CALLBACK(update), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "changed", G_CALLBACK(changed_cb), self, G_CONNECT_SWAPPED);
  update(self);
  return GTK_WIDGET(self);
}
