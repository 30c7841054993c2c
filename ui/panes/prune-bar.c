/* prune-bar.c - see prune-bar.h. Sliders ask for thresholds at once; the counts tell what the
 * masks hold, which follow on a thread. */
#include "panes/prune-bar.h"

#include <glib/gi18n-lib.h>

#include "panes/key-button.h"
#include "panes/share-slider.h"
#include "panes/wrap-layout.h"

struct _CwuPruneBar {
  GtkWidget parent_instance;
  CwuDocument *document;
  GtkWidget *counts;
  GtkWidget *room; /* never seen: as wide as the counts can be */
};

G_DEFINE_TYPE(CwuPruneBar, cwu_prune_bar, GTK_TYPE_WIDGET)

static char *
dup_counts(const CwPruned *pruned, size_t n_nodes, size_t n_edges, CwScores scores)
{
  GString *out = g_string_new(NULL);
  if (n_nodes < pruned->n_nodes)
    g_string_append_printf(out, _("%'zu of %'zu nodes"), n_nodes, pruned->n_nodes);
  else
    g_string_append_printf(out, ngettext("%'zu node", "%'zu nodes", n_nodes), n_nodes);
  g_string_append(out, " · ");
  g_string_append_printf(out, ngettext("%'zu edge", "%'zu edges", n_edges), n_edges);
  g_string_append(out, " · ");
  g_string_append_printf(out, _("replacement %.2f · completeness %.2f"), scores.replacement,
                         scores.completeness);
  return g_string_free(out, FALSE);
}

char *
cwu_prune_dup_counts(CwuDocument *document)
{
  const CwPruned *pruned = cwu_document_peek_pruned(document);
  return dup_counts(pruned, pruned->n_kept_nodes, pruned->n_kept_edges,
                    cwu_document_get_scores(document));
}

/* The room is that of the longest text there can be: a slider must not move under the hand
 * because a count has grown by a digit. */
static void
update_counts(CwuPruneBar *self)
{
  if (cwu_document_peek_graph(self->document) == NULL)
    return;
  const CwPruned *pruned = cwu_document_peek_pruned(self->document);
  g_autofree char *text = cwu_prune_dup_counts(self->document);
  g_autofree char *longest =
      dup_counts(pruned, pruned->n_nodes - 1, pruned->n_edges, (CwScores){ 1, 1 });
  gtk_label_set_text(GTK_LABEL(self->counts), text);
  gtk_label_set_text(GTK_LABEL(self->room), longest);
}

static void
add(CwuPruneBar *self, GtkWidget *child)
{
  gtk_widget_set_parent(child, GTK_WIDGET(self));
}

static void
build(CwuPruneBar *self)
{
  GtkWidget *stack = gtk_stack_new();
  self->counts = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "accessible-role",
                              GTK_ACCESSIBLE_ROLE_STATUS, NULL);
  self->room = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, NULL);
  gtk_stack_add_child(GTK_STACK(stack), self->counts);
  gtk_stack_add_child(GTK_STACK(stack), self->room);
  gtk_widget_add_css_class(stack, "counts");
  gtk_widget_set_tooltip_text(
      self->counts,
      _("Replacement: the share of influence that runs through features, not errors.\n"
        "Completeness: the share of the nodes' inputs that features and tokens explain."));
  add(self, cwu_share_slider_new(self->document, CWU_SHARE_NODES));
  add(self, cwu_share_slider_new(self->document, CWU_SHARE_EDGES));
  add(self, stack);
}

static void
cwu_prune_bar_dispose(GObject *object)
{
  CwuPruneBar *self = CWU_PRUNE_BAR(object);
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child(GTK_WIDGET(self))) != NULL)
    gtk_widget_unparent(child);
  g_clear_object(&self->document);
  G_OBJECT_CLASS(cwu_prune_bar_parent_class)->dispose(object);
}

static void
cwu_prune_bar_class_init(CwuPruneBarClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_prune_bar_dispose;
  gtk_widget_class_set_css_name(GTK_WIDGET_CLASS(class), "prunebar");
}

static void
cwu_prune_bar_init(CwuPruneBar *self)
{
  gtk_widget_set_layout_manager(GTK_WIDGET(self), cwu_wrap_layout_new(24, 4));
}

GtkWidget *
cwu_prune_bar_new(CwuDocument *document)
{
  CwuPruneBar *self = g_object_new(CWU_TYPE_PRUNE_BAR, NULL);
  self->document = g_object_ref(document);
  build(self);
  update_counts(self);
  g_signal_connect_object(document, "graph-changed", G_CALLBACK(update_counts), self,
                          G_CONNECT_SWAPPED);
  return GTK_WIDGET(self);
}

/* ---- the views ------------------------------------------------------------------------- */

GtkWidget *
cwu_view_switcher_new(void)
{
  GtkWidget *box = g_object_new(GTK_TYPE_BOX, "accessible-role", GTK_ACCESSIBLE_ROLE_GROUP,
                                "valign", GTK_ALIGN_CENTER, NULL);
  gtk_widget_add_css_class(box, "linked");
  gtk_accessible_update_property(GTK_ACCESSIBLE(box), GTK_ACCESSIBLE_PROPERTY_LABEL, _("View"),
                                 -1);
  gtk_box_append(GTK_BOX(box), cwu_key_button_new(_("Layers"), "win.view::layers", TRUE));
  gtk_box_append(GTK_BOX(box), cwu_key_button_new(_("Force"), "win.view::force", TRUE));
  gtk_box_append(GTK_BOX(box), cwu_key_button_new(_("Table"), "win.view::table", TRUE));
  return box;
}
