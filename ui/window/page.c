/* page.c - see page.h. */
#include "window/page.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "panes/node-pane.h"
#include "panes/overview-pane.h"
#include "window/settings.h"

#define BUSY_AFTER_MS 300

struct _CwuPage {
  GtkBox parent_instance;
  CwuDocument *document;
  GFile *opening;                  /* the file being read, NULL if none */
  GtkWidget *banner, *banner_text; /* an error, until it is closed */
  GtkWidget *stack;                /* "empty", "loading", "graph" */
  GtkWidget *view, *status_line;
  GtkWidget *side, *panes; /* side: hidden with F9; panes: stack "overview", "node" */
  guint loading_timeout;
};

G_DEFINE_TYPE(CwuPage, cwu_page, GTK_TYPE_BOX)

enum { PROP_TITLE = 1, PROP_SUBTITLE, N_PROPS };
enum { TOAST, N_SIGNALS };
static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* ---- what is told ---------------------------------------------------------------------- */

void
cwu_page_tell(CwuPage *self, const char *message)
{
  gtk_label_set_text(GTK_LABEL(self->banner_text), message);
  gtk_revealer_set_reveal_child(GTK_REVEALER(self->banner), TRUE);
}

void
cwu_page_toast(CwuPage *self, const char *message)
{
  g_signal_emit(self, signals[TOAST], 0, message);
}

static void
hide_banner_cb(CwuPage *self)
{
  gtk_revealer_set_reveal_child(GTK_REVEALER(self->banner), FALSE);
}

/* "589 of 4,398 nodes · 8,796 edges   replacement 0.61   completeness 0.86" */
static void
update_status_line(CwuPage *self)
{
  const CwPruned *pruned = cwu_document_peek_pruned(self->document);
  CwScores scores = cwu_document_get_scores(self->document);
  GString *out = g_string_new(NULL);
  if (pruned->n_kept_nodes < pruned->n_nodes)
    g_string_append_printf(out, _("%'zu of %'zu nodes"), pruned->n_kept_nodes, pruned->n_nodes);
  else
    g_string_append_printf(out, ngettext("%'zu node", "%'zu nodes", pruned->n_nodes),
                           pruned->n_nodes);
  g_string_append(out, " · ");
  g_string_append_printf(out, ngettext("%'zu edge", "%'zu edges", pruned->n_kept_edges),
                         pruned->n_kept_edges);
  g_string_append(out, " · ");
  g_string_append_printf(out, _("replacement %.2f · completeness %.2f"), scores.replacement,
                         scores.completeness);
  gtk_label_set_text(GTK_LABEL(self->status_line), out->str);
  g_string_free(out, TRUE);
}

static void
graph_changed_cb(CwuPage *self)
{
  if (cwu_document_peek_graph(self->document) == NULL) {
    gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "empty");
    return;
  }
  update_status_line(self);
  gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "graph");
}

static void
selection_changed_cb(CwuPage *self)
{
  bool has_node = cwu_document_get_selected(self->document) >= 0;
  gtk_stack_set_visible_child_name(GTK_STACK(self->panes), has_node ? "node" : "overview");
}

static void
view_failed_cb(CwuGraphView *view, const char *message, CwuPage *self)
{
  cwu_page_tell(self, message);
}

static void
title_changed_cb(CwuPage *self, GParamSpec *pspec)
{
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_TITLE]);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_SUBTITLE]);
}

/* ---- opening --------------------------------------------------------------------------- */

static gboolean
show_busy_cb(gpointer user_data)
{
  CwuPage *self = user_data;
  self->loading_timeout = 0;
  if (cwu_document_peek_graph(self->document) == NULL)
    gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "loading");
  else
    gtk_widget_set_cursor_from_name(GTK_WIDGET(self), "progress");
  return G_SOURCE_REMOVE;
}

static void
show_idle(CwuPage *self)
{
  g_clear_handle_id(&self->loading_timeout, g_source_remove);
  gtk_widget_set_cursor_from_name(GTK_WIDGET(self), NULL);
  if (cwu_document_peek_graph(self->document) == NULL)
    gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "empty");
}

static void
tell_remarks(CwuPage *self)
{
  const char *const *remarks = cwu_document_peek_remarks(self->document);
  guint n = g_strv_length((char **)remarks);
  if (n == 1)
    cwu_page_toast(self, remarks[0]);
  if (n < 2)
    return;
  g_autofree char *text =
      g_strdup_printf(ngettext("Opened with %u remark: see the side pane",
                               "Opened with %u remarks: see the side pane", n),
                      n);
  cwu_page_toast(self, text);
}

static void
loaded_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(CwuPage) self = user_data;
  g_autoptr(GError) error = NULL;
  bool ok = cwu_document_load_finish(CWU_DOCUMENT(source), result, &error);
  if (!ok && g_error_matches(error, CW_ERROR, CW_ERROR_CANCELLED))
    return; /* A newer load tells how it ends. */
  g_clear_object(&self->opening);
  show_idle(self);
  if (!ok) {
    cwu_page_tell(self, error->message);
    return;
  }
  tell_remarks(self);
  gtk_widget_grab_focus(self->view);
}

void
cwu_page_open(CwuPage *self, GFile *file)
{
  g_set_object(&self->opening, file);
  hide_banner_cb(self);
  g_clear_handle_id(&self->loading_timeout, g_source_remove);
  self->loading_timeout = g_timeout_add(BUSY_AFTER_MS, show_busy_cb, self);
  cwu_document_load_async(self->document, file, loaded_cb, g_object_ref(self));
  title_changed_cb(self, NULL);
}

GFile *
cwu_page_peek_file(CwuPage *self)
{
  return self->opening != NULL ? self->opening : cwu_document_peek_file(self->document);
}

gboolean
cwu_page_is_blank(CwuPage *self)
{
  CwDocumentState *state = cwu_document_peek_state(self->document);
  return self->opening == NULL && cwu_document_peek_graph(self->document) == NULL &&
         *cw_document_state_peek_prompt(state) == '\0';
}

/* ---- building -------------------------------------------------------------------------- */

static GtkWidget *
banner_new(CwuPage *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *icon = gtk_image_new_from_icon_name("dialog-error-symbolic");
  GtkWidget *close = gtk_button_new_from_icon_name("window-close-symbolic");
  self->banner = gtk_revealer_new();
  self->banner_text =
      g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                   PANGO_WRAP_WORD_CHAR, "hexpand", TRUE, "selectable", TRUE, NULL);
  gtk_widget_add_css_class(box, "error-banner");
  gtk_widget_add_css_class(close, "flat");
  gtk_widget_set_valign(close, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text(close, _("Close"));
  g_signal_connect_swapped(close, "clicked", G_CALLBACK(hide_banner_cb), self);
  gtk_box_append(GTK_BOX(box), icon);
  gtk_box_append(GTK_BOX(box), self->banner_text);
  gtk_box_append(GTK_BOX(box), close);
  gtk_revealer_set_child(GTK_REVEALER(self->banner), box);
  return self->banner;
}

static GtkWidget *
empty_page_new(void)
{
  GtkWidget *button = gtk_button_new_with_mnemonic(_("_Open a Graph…"));
  GtkWidget *status = adw_status_page_new();
  adw_status_page_set_icon_name(ADW_STATUS_PAGE(status),
                                "io.github.clew_circuits.Clew-symbolic");
  adw_status_page_set_title(ADW_STATUS_PAGE(status), _("No Graph"));
  adw_status_page_set_description(
      ADW_STATUS_PAGE(status),
      _("Open or drop a .clew document, or a graph .json of circuit-tracer, Neuronpedia or "
        "Anthropic."));
  gtk_widget_add_css_class(button, "suggested-action");
  gtk_widget_add_css_class(button, "pill");
  gtk_widget_set_halign(button, GTK_ALIGN_CENTER);
  gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "win.open");
  adw_status_page_set_child(ADW_STATUS_PAGE(status), button);
  return status;
}

static GtkWidget *
loading_page_new(void)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12), *spinner = gtk_spinner_new();
  gtk_widget_set_size_request(spinner, 32, 32);
  gtk_spinner_start(GTK_SPINNER(spinner));
  gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
  gtk_box_append(GTK_BOX(box), spinner);
  gtk_box_append(GTK_BOX(box), gtk_label_new(_("Reading the graph")));
  return box;
}

static GtkWidget *
picture_card_new(CwuPage *self)
{
  GtkWidget *card = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  self->view = GTK_WIDGET(cwu_graph_view_new());
  self->status_line =
      g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
  cwu_graph_view_set_document(CWU_GRAPH_VIEW(self->view), self->document);
  g_signal_connect(self->view, "failed", G_CALLBACK(view_failed_cb), self);
  gtk_widget_add_css_class(card, "surface");
  gtk_widget_add_css_class(self->status_line, "status-line");
  gtk_widget_set_overflow(card, GTK_OVERFLOW_HIDDEN);
  gtk_box_append(GTK_BOX(card), self->view);
  gtk_box_append(GTK_BOX(card), self->status_line);
  return card;
}

static GtkWidget *
side_card_new(CwuPage *self)
{
  self->side = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  self->panes = gtk_stack_new();
  gtk_stack_add_named(GTK_STACK(self->panes), cwu_overview_pane_new(self->document),
                      "overview");
  gtk_stack_add_named(GTK_STACK(self->panes), cwu_node_pane_new(self->document), "node");
  gtk_box_append(GTK_BOX(self->side), self->panes);
  gtk_widget_add_css_class(self->side, "surface");
  gtk_widget_set_overflow(self->side, GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_size_request(self->side, 300, -1);
  g_settings_bind(cwu_settings_peek(), "side-pane-visible", self->side, "visible",
                  G_SETTINGS_BIND_DEFAULT);
  return self->side;
}

static GtkWidget *
graph_page_new(CwuPage *self)
{
  GtkWidget *paned = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
  gtk_paned_set_start_child(GTK_PANED(paned), picture_card_new(self));
  gtk_paned_set_end_child(GTK_PANED(paned), side_card_new(self));
  gtk_paned_set_resize_start_child(GTK_PANED(paned), TRUE);
  gtk_paned_set_resize_end_child(GTK_PANED(paned), FALSE);
  gtk_paned_set_shrink_start_child(GTK_PANED(paned), FALSE);
  gtk_paned_set_shrink_end_child(GTK_PANED(paned), FALSE);
  gtk_widget_add_css_class(paned, "work");
  return paned;
}

static void
build(CwuPage *self)
{
  self->stack = gtk_stack_new();
  gtk_stack_add_named(GTK_STACK(self->stack), empty_page_new(), "empty");
  gtk_stack_add_named(GTK_STACK(self->stack), loading_page_new(), "loading");
  gtk_stack_add_named(GTK_STACK(self->stack), graph_page_new(self), "graph");
  gtk_widget_set_vexpand(self->stack, TRUE);
  gtk_box_append(GTK_BOX(self), banner_new(self));
  gtk_box_append(GTK_BOX(self), self->stack);
}

static void
follow_document(CwuPage *self)
{
  CwuDocument *document = self->document;
  g_signal_connect_object(document, "graph-changed", G_CALLBACK(graph_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "selection-changed", G_CALLBACK(selection_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "notify::title", G_CALLBACK(title_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "notify::subtitle", G_CALLBACK(title_changed_cb), self,
                          G_CONNECT_SWAPPED);
}

/* ---- the object ------------------------------------------------------------------------ */

CwuDocument *
cwu_page_peek_document(CwuPage *self)
{
  return self->document;
}

CwuGraphView *
cwu_page_peek_view(CwuPage *self)
{
  return CWU_GRAPH_VIEW(self->view);
}

GtkWidget *
cwu_page_peek_side(CwuPage *self)
{
  return self->side;
}

static char *
dup_title(CwuPage *self)
{
  const char *title = cwu_document_peek_title(self->document);
  GFile *file = cwu_page_peek_file(self);
  if (*title != '\0')
    return g_strdup(title);
  if (file == NULL)
    return g_strdup(_("New Prompt"));
  g_autofree char *name = g_file_get_basename(file);
  return g_filename_display_name(name);
}

static void
cwu_page_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CwuPage *self = CWU_PAGE(object);
  if (id == PROP_TITLE)
    g_value_take_string(value, dup_title(self));
  else if (id == PROP_SUBTITLE)
    g_object_get_property(G_OBJECT(self->document), "subtitle", value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void
cwu_page_dispose(GObject *object)
{
  CwuPage *self = CWU_PAGE(object);
  g_clear_handle_id(&self->loading_timeout, g_source_remove);
  if (self->document != NULL)
    cwu_document_cancel_loading(self->document);
  g_clear_object(&self->opening);
  G_OBJECT_CLASS(cwu_page_parent_class)->dispose(object);
}

static void
cwu_page_finalize(GObject *object)
{
  g_object_unref(CWU_PAGE(object)->document);
  G_OBJECT_CLASS(cwu_page_parent_class)->finalize(object);
}

static void
cwu_page_class_init(CwuPageClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS(class);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->get_property = cwu_page_get_property;
  object_class->dispose = cwu_page_dispose;
  object_class->finalize = cwu_page_finalize;
  properties[PROP_TITLE] = g_param_spec_string("title", NULL, NULL, "", flags);
  properties[PROP_SUBTITLE] = g_param_spec_string("subtitle", NULL, NULL, "", flags);
  g_object_class_install_properties(object_class, N_PROPS, properties);
  signals[TOAST] = g_signal_new("toast", CWU_TYPE_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
cwu_page_init(CwuPage *self)
{
  gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
  self->document = cwu_document_new();
  build(self);
  follow_document(self);
}

CwuPage *
cwu_page_new(void)
{
  return g_object_new(CWU_TYPE_PAGE, NULL);
}
