/* window.c - the window of clew-app: header bar, picture with its status line, side pane. It
 * puts the parts together and tells of files that open or do not; what the parts show they take
 * from the document. */
#include <math.h>

#include "clew-window-resources.h"
#include "panes/link-item.h"
#include "panes/node-pane.h"
#include "panes/overview-pane.h"
#include "window/theme-watch.h"
#include "window/window-private.h"

#define SIDE_WIDTH_PX  360
#define BUSY_AFTER_MS  300
#define STYLE_RESOURCE "/io/github/clew_circuits/Clew/window/style.css"

G_DEFINE_TYPE(CwuWindow, cwu_window, ADW_TYPE_APPLICATION_WINDOW)

/* ---- what is told ---------------------------------------------------------------------- */

void
cwu_window_tell(CwuWindow *self, const char *message)
{
  gtk_label_set_text(GTK_LABEL(self->banner_text), message);
  gtk_revealer_set_reveal_child(GTK_REVEALER(self->banner), TRUE);
}

static void
hide_banner_cb(CwuWindow *self)
{
  gtk_revealer_set_reveal_child(GTK_REVEALER(self->banner), FALSE);
}

static void
append_threshold(GString *out, const char *what, double threshold)
{
  if (!isnan(threshold))
    g_string_append_printf(out, "   %s %.2f", what, threshold);
}

/* "589 of 4,398 nodes · 8,796 edges   nodes 0.80   edges 0.98   replacement 0.61 ..." */
static void
update_status_line(CwuWindow *self)
{
  const CwPruned *pruned = cwu_document_peek_pruned(self->document);
  const CwuDocumentFacts *facts = cwu_document_peek_facts(self->document);
  GString *out = g_string_new(NULL);
  if (pruned->n_kept_nodes < pruned->n_nodes)
    g_string_append_printf(out, "%'zu of %'zu nodes", pruned->n_kept_nodes, pruned->n_nodes);
  else
    g_string_append_printf(out, "%'zu nodes", pruned->n_kept_nodes);
  g_string_append_printf(out, " · %'zu edges", pruned->n_kept_edges);
  append_threshold(out, "node threshold", facts->node_threshold);
  append_threshold(out, "edge threshold", facts->edge_threshold);
  append_threshold(out, "replacement", facts->replacement);
  append_threshold(out, "completeness", facts->completeness);
  gtk_label_set_text(GTK_LABEL(self->status_line), out->str);
  g_string_free(out, TRUE);
}

static void
graph_changed_cb(CwuWindow *self)
{
  update_status_line(self);
  gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "graph");
  gtk_widget_set_visible(self->side_button, TRUE);
  gtk_widget_grab_focus(self->view);
}

static void
selection_changed_cb(CwuWindow *self)
{
  bool has_node = cwu_document_get_selected(self->document) >= 0;
  gtk_stack_set_visible_child_name(GTK_STACK(self->panes), has_node ? "node" : "overview");
}

static void
view_failed_cb(CwuGraphView *view, const char *message, CwuWindow *self)
{
  cwu_window_tell(self, message);
}

/* ---- opening --------------------------------------------------------------------------- */

static gboolean
show_busy_cb(gpointer user_data)
{
  CwuWindow *self = user_data;
  self->loading_timeout = 0;
  if (cwu_document_peek_graph(self->document) == NULL)
    gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "loading");
  else
    gtk_widget_set_cursor_from_name(GTK_WIDGET(self), "progress");
  return G_SOURCE_REMOVE;
}

static void
show_idle(CwuWindow *self)
{
  g_clear_handle_id(&self->loading_timeout, g_source_remove);
  gtk_widget_set_cursor_from_name(GTK_WIDGET(self), NULL);
  if (cwu_document_peek_graph(self->document) == NULL)
    gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "empty");
}

static void
tell_remarks(CwuWindow *self)
{
  const char *const *remarks = cwu_document_peek_remarks(self->document);
  guint n = g_strv_length((char **)remarks);
  if (n == 0)
    return;
  g_autofree char *text = n == 1
                              ? g_strdup(remarks[0])
                              : g_strdup_printf("Opened with %u remarks: see the side pane", n);
  g_autofree char *markup = g_markup_escape_text(text, -1);
  adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(self->toasts), adw_toast_new(markup));
}

static void
loaded_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(CwuWindow) self = user_data;
  g_autoptr(GError) error = NULL;
  bool ok = cwu_document_load_finish(CWU_DOCUMENT(source), result, &error);
  if (!ok && g_error_matches(error, CW_ERROR, CW_ERROR_CANCELLED))
    return; /* A newer load tells how it ends. */
  g_clear_object(&self->opening);
  show_idle(self);
  if (!ok)
    cwu_window_tell(self, error->message);
  else
    tell_remarks(self);
}

void
cwu_window_open(CwuWindow *self, GFile *file)
{
  g_set_object(&self->opening, file);
  hide_banner_cb(self);
  g_clear_handle_id(&self->loading_timeout, g_source_remove);
  self->loading_timeout = g_timeout_add(BUSY_AFTER_MS, show_busy_cb, self);
  cwu_document_load_async(self->document, file, loaded_cb, g_object_ref(self));
}

GFile *
cwu_window_peek_file(CwuWindow *self)
{
  return self->opening != NULL ? self->opening : cwu_document_peek_file(self->document);
}

static gboolean
drop_cb(GtkDropTarget *target, const GValue *value, double x, double y, CwuWindow *self)
{
  GSList *files = g_value_get_boxed(value);
  if (files == NULL)
    return FALSE;
  cwu_window_open(self, files->data);
  return TRUE;
}

/* ---- building -------------------------------------------------------------------------- */

static GtkWidget *
header_new(CwuWindow *self)
{
  g_autoptr(GMenu) menu = g_menu_new();
  GtkWidget *header = adw_header_bar_new(), *menu_button = gtk_menu_button_new();
  GtkWidget *fit = gtk_button_new_from_icon_name("zoom-fit-best-symbolic");
  g_menu_append(menu, "_Export Picture…", "win.export");
  g_menu_append(menu, "Zoom _In", "win.zoom-in");
  g_menu_append(menu, "Zoom _Out", "win.zoom-out");
  g_menu_append(menu, "_About Clew", "win.about");
  self->title = adw_window_title_new("Clew", NULL);
  self->open_button = gtk_button_new_with_mnemonic("_Open");
  self->side_button = gtk_toggle_button_new();
  gtk_button_set_icon_name(GTK_BUTTON(self->side_button), "sidebar-show-right-symbolic");
  gtk_widget_set_visible(self->side_button, FALSE);
  gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(menu_button), "open-menu-symbolic");
  gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(menu_button), G_MENU_MODEL(menu));
  gtk_menu_button_set_primary(GTK_MENU_BUTTON(menu_button), TRUE);
  gtk_widget_set_tooltip_text(menu_button, "Menu (F10)");
  gtk_widget_set_tooltip_text(self->open_button, "Open a graph (Ctrl+O)");
  gtk_widget_set_tooltip_text(fit, "Show everything (Ctrl+0)");
  gtk_widget_set_tooltip_text(self->side_button, "Side pane (F9)");
  gtk_actionable_set_action_name(GTK_ACTIONABLE(self->open_button), "win.open");
  gtk_actionable_set_action_name(GTK_ACTIONABLE(fit), "win.zoom-fit");
  gtk_actionable_set_action_name(GTK_ACTIONABLE(self->side_button), "win.side-pane");
  adw_header_bar_set_title_widget(ADW_HEADER_BAR(header), self->title);
  adw_header_bar_pack_start(ADW_HEADER_BAR(header), self->open_button);
  adw_header_bar_pack_end(ADW_HEADER_BAR(header), menu_button);
  adw_header_bar_pack_end(ADW_HEADER_BAR(header), self->side_button);
  adw_header_bar_pack_end(ADW_HEADER_BAR(header), fit);
  return header;
}

static GtkWidget *
banner_new(CwuWindow *self)
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
  gtk_widget_set_tooltip_text(close, "Close");
  g_signal_connect_swapped(close, "clicked", G_CALLBACK(hide_banner_cb), self);
  gtk_box_append(GTK_BOX(box), icon);
  gtk_box_append(GTK_BOX(box), self->banner_text);
  gtk_box_append(GTK_BOX(box), close);
  gtk_revealer_set_child(GTK_REVEALER(self->banner), box);
  return self->banner;
}

static GtkWidget *
empty_page_new(CwuWindow *self)
{
  GtkWidget *button = gtk_button_new_with_mnemonic("_Open a Graph…");
  self->empty = adw_status_page_new();
  adw_status_page_set_icon_name(ADW_STATUS_PAGE(self->empty),
                                "io.github.clew_circuits.Clew-symbolic");
  adw_status_page_set_title(ADW_STATUS_PAGE(self->empty), "No Graph");
  adw_status_page_set_description(
      ADW_STATUS_PAGE(self->empty),
      "Open or drop a .clew document, or a graph .json of circuit-tracer, Neuronpedia or "
      "Anthropic.");
  gtk_widget_add_css_class(button, "suggested-action");
  gtk_widget_add_css_class(button, "pill");
  gtk_widget_set_halign(button, GTK_ALIGN_CENTER);
  gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "win.open");
  adw_status_page_set_child(ADW_STATUS_PAGE(self->empty), button);
  return self->empty;
}

static GtkWidget *
loading_page_new(void)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12), *spinner = gtk_spinner_new();
  gtk_widget_set_size_request(spinner, 32, 32);
  gtk_spinner_start(GTK_SPINNER(spinner));
  gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
  gtk_box_append(GTK_BOX(box), spinner);
  gtk_box_append(GTK_BOX(box), gtk_label_new("Reading the graph"));
  return box;
}

static GtkWidget *
picture_card_new(CwuWindow *self)
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
side_card_new(CwuWindow *self)
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
  return self->side;
}

static GtkWidget *
graph_page_new(CwuWindow *self)
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
build(CwuWindow *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *header = header_new(self);
  self->toasts = adw_toast_overlay_new();
  self->stack = gtk_stack_new();
  gtk_stack_add_named(GTK_STACK(self->stack), empty_page_new(self), "empty");
  gtk_stack_add_named(GTK_STACK(self->stack), loading_page_new(), "loading");
  gtk_stack_add_named(GTK_STACK(self->stack), graph_page_new(self), "graph");
  gtk_widget_set_vexpand(self->stack, TRUE);
  adw_toast_overlay_set_child(ADW_TOAST_OVERLAY(self->toasts), self->stack);
  gtk_box_append(GTK_BOX(box), header);
  gtk_box_append(GTK_BOX(box), banner_new(self));
  gtk_box_append(GTK_BOX(box), self->toasts);
  adw_application_window_set_content(ADW_APPLICATION_WINDOW(self), box);
}

static void
follow_document(CwuWindow *self)
{
  GObject *document = G_OBJECT(self->document);
  g_signal_connect_object(document, "graph-changed", G_CALLBACK(graph_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "selection-changed", G_CALLBACK(selection_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_object_bind_property(document, "title", self->title, "title", G_BINDING_DEFAULT);
  g_object_bind_property(document, "subtitle", self->title, "subtitle", G_BINDING_DEFAULT);
  g_object_bind_property(document, "title", self, "title", G_BINDING_DEFAULT);
}

static void
add_style(void)
{
  static gsize once = 0;
  if (!g_once_init_enter(&once))
    return;
  g_resources_register(clew_window_get_resource());
  g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
  gtk_css_provider_load_from_resource(provider, STYLE_RESOURCE);
  gtk_style_context_add_provider_for_display(gdk_display_get_default(),
                                             GTK_STYLE_PROVIDER(provider),
                                             GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  cwu_theme_define_colours();
  g_once_init_leave(&once, 1);
}

static void
cwu_window_dispose(GObject *object)
{
  CwuWindow *self = CWU_WINDOW(object);
  g_clear_handle_id(&self->loading_timeout, g_source_remove);
  if (self->document != NULL)
    cwu_document_cancel_loading(self->document);
  g_clear_object(&self->opening);
  g_clear_object(&self->document);
  G_OBJECT_CLASS(cwu_window_parent_class)->dispose(object);
}

static void
cwu_window_class_init(CwuWindowClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_window_dispose;
}

static void
cwu_window_init(CwuWindow *self)
{
  GtkDropTarget *drop = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
  add_style();
  self->document = cwu_document_new();
  build(self);
  follow_document(self);
  cwu_window_actions_init(self);
  g_signal_connect(drop, "drop", G_CALLBACK(drop_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drop));
  gtk_window_set_default_size(GTK_WINDOW(self), 1440, 900);
  gtk_window_set_title(GTK_WINDOW(self), "Clew");
  gtk_widget_set_size_request(GTK_WIDGET(self), 720, 420);
}

CwuWindow *
cwu_window_new(AdwApplication *application)
{
  return g_object_new(CWU_TYPE_WINDOW, "application", application, NULL);
}
