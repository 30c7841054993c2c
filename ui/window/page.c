/* page.c - see page.h. */
#include "window/page.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "desktop/settings.h"
#include "graph/type-bin.h"
#include "panes/hint.h"
#include "panes/node-pane.h"
#include "panes/node-table.h"
#include "panes/note-editor.h"
#include "panes/overview-pane.h"
#include "panes/prune-bar.h"
#include "panes/share-slider.h"
#include "panes/width-first.h"
#include "trace/missing-model.h"
#include "trace/trace-control.h"
#include "window/start-page.h"
#include "window/toasts.h"

#define BUSY_AFTER_MS 300
#define HANDLE_PX     12 /* between picture and side pane: style.css */
#define SIDE_PART     6  /* of a wide window */
#define MOST_SIDE_PX  480

struct _CwuPage {
  AdwBin parent_instance;
  CwuContext *context;
  CwuDocument *document;
  CwuAutosave *autosave;
  CwuTraceControl *tracing;
  CwuRecovered *recovering;            /* read at present; NULL: an ordinary file */
  GFile *opening;                      /* the file being read, NULL if none */
  GtkWidget *banner, *banner_text;     /* an error, until it is closed */
  GtkWidget *banner_save_as;           /* where it is one of saving */
  GtkWidget *stack;                    /* "empty", "no-model", "loading", "graph", "runs" */
  CwuRunsPane *runs;                   /* of the page of runs, else NULL */
  GtkWidget *view, *side;              /* side: hidden with F9 */
  GtkWidget *views, *table, *view_bar; /* views: stack of view and table; the bar is above */
  GtkWidget *order;                    /* a tool of the view of forces, in the bar */
  GtkWidget *toasts;                   /* over the views */
  GtkWidget *panes, *node_pane;        /* panes: stack "overview", "node" */
  int side_px; /* what the side pane was made, with its border; 0: not yet */
  guint loading_timeout;
  CwuNoteEditor *note_editor; /* of a note in the picture */
};

G_DEFINE_TYPE(CwuPage, cwu_page, ADW_TYPE_BIN)

enum { PROP_TITLE = 1, PROP_SUBTITLE, N_PROPS };
enum { TOAST, N_SIGNALS };
static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* ---- what is told ---------------------------------------------------------------------- */

static void
show_banner(CwuPage *self, const char *message, gboolean is_unsaved)
{
  if (message != NULL)
    gtk_label_set_text(GTK_LABEL(self->banner_text), message);
  gtk_widget_set_visible(self->banner_save_as, is_unsaved);
  gtk_revealer_set_reveal_child(GTK_REVEALER(self->banner), message != NULL);
}

void
cwu_page_tell(CwuPage *self, const char *message)
{
  show_banner(self, message, FALSE);
}

void
cwu_page_tell_unsaved(CwuPage *self, const char *message)
{
  show_banner(self, message, TRUE);
}

/* Over the picture, where there is one: what is below it has numbers. */
static void
tell_in_passing(CwuPage *self, const char *message, guint seconds)
{
  if (gtk_widget_get_mapped(self->toasts))
    cwu_toasts_tell(self->toasts, message, seconds);
  else
    g_signal_emit(self, signals[TOAST], 0, message, seconds);
}

void
cwu_page_toast(CwuPage *self, const char *message)
{
  tell_in_passing(self, message, CWU_TOAST_SECONDS);
}

void
cwu_page_confirm(CwuPage *self, const char *message)
{
  tell_in_passing(self, message, CWU_CONFIRM_SECONDS);
}

static void
hide_banner_cb(CwuPage *self)
{
  gtk_revealer_set_reveal_child(GTK_REVEALER(self->banner), FALSE);
}

/* The graph, or what there is in its place. */
static void
show_content(CwuPage *self)
{
  const char *name = "empty";
  if (self->runs != NULL)
    name = "runs";
  else if (cwu_document_peek_graph(self->document) != NULL)
    name = "graph";
  else if (cwu_missing_model_is_needed(cwu_context_peek_engine(self->context),
                                       cwu_trace_control_peek_bar(self->tracing)))
    name = "no-model";
  gtk_stack_set_visible_child_name(GTK_STACK(self->stack), name);
}

/* What can be traced has changed: a file that is being read stays announced. */
static void
prompt_changed_cb(CwuPage *self)
{
  if (self->opening == NULL)
    show_content(self);
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
    show_content(self);
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

/* The start page lists it; a recovered document is kept on as it was. */
static void
remember_file(CwuPage *self)
{
  if (self->recovering != NULL) {
    cwu_document_set_recovered(self->document, self->recovering->file);
    cwu_autosave_free(self->autosave);
    self->autosave = cwu_autosave_new(cwu_context_peek_store(self->context), self->document,
                                      self->recovering->copy);
    cwu_page_toast(self, _("Unsaved changes of an earlier run are back"));
    g_clear_pointer(&self->recovering, cwu_recovered_free);
    return;
  }
  g_autofree char *uri = g_file_get_uri(cwu_document_peek_file(self->document));
  gtk_recent_manager_add_item(gtk_recent_manager_get_default(), uri);
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
    g_clear_pointer(&self->recovering, cwu_recovered_free);
    cwu_page_tell(self, error->message);
    return;
  }
  remember_file(self);
  tell_remarks(self);
  gtk_widget_grab_focus(self->view);
}

static void
start_loading(CwuPage *self, GFile *file)
{
  g_set_object(&self->opening, file);
  hide_banner_cb(self);
  g_clear_handle_id(&self->loading_timeout, g_source_remove);
  self->loading_timeout = g_timeout_add(BUSY_AFTER_MS, show_busy_cb, self);
  cwu_document_load_async(self->document, file, loaded_cb, g_object_ref(self));
  title_changed_cb(self, NULL);
}

void
cwu_page_open(CwuPage *self, GFile *file)
{
  g_clear_pointer(&self->recovering, cwu_recovered_free);
  start_loading(self, file);
}

void
cwu_page_recover(CwuPage *self, const CwuRecovered *recovered)
{
  g_clear_pointer(&self->recovering, cwu_recovered_free);
  self->recovering = g_new0(CwuRecovered, 1);
  self->recovering->copy = g_object_ref(recovered->copy);
  g_set_object(&self->recovering->file, recovered->file);
  start_loading(self, recovered->copy);
}

gboolean
cwu_page_is_unsaved(CwuPage *self)
{
  return cwu_document_peek_graph(self->document) != NULL &&
         !cwu_document_is_saved(self->document);
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
  const char *typed = cwu_prompt_bar_peek_text(cwu_trace_control_peek_bar(self->tracing));
  return self->runs == NULL && self->opening == NULL &&
         cwu_document_peek_graph(self->document) == NULL &&
         *cw_document_state_peek_prompt(state) == '\0' && *typed == '\0';
}

/* ---- runs ------------------------------------------------------------------------------ */

CwuRunsPane *
cwu_page_peek_runs(CwuPage *self)
{
  return self->runs;
}

/* All tabs trace with it from now on; a new one waits for a prompt. */
static void
use_transcoder_cb(CwuPage *self, const char *path)
{
  g_settings_set_string(cwu_settings_peek(), "transcoder-path", path);
  cwu_page_toast(self, _("Prompts are traced with this transcoder now"));
  gtk_widget_activate_action(GTK_WIDGET(self), "win.new-prompt", NULL);
}

void
cwu_page_show_runs(CwuPage *self)
{
  if (self->runs != NULL)
    return;
  self->runs = cwu_runs_pane_new(cwu_context_peek_runs(self->context));
  g_signal_connect_swapped(self->runs, "told", G_CALLBACK(cwu_page_toast), self);
  g_signal_connect_swapped(self->runs, "use", G_CALLBACK(use_transcoder_cb), self);
  gtk_widget_set_visible(GTK_WIDGET(cwu_trace_control_peek_bar(self->tracing)), FALSE);
  gtk_stack_add_named(GTK_STACK(self->stack), GTK_WIDGET(self->runs), "runs");
  show_content(self);
  title_changed_cb(self, NULL);
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
  cwu_hint_set(close, _("Close"));
  g_signal_connect_swapped(close, "clicked", G_CALLBACK(hide_banner_cb), self);
  self->banner_save_as = gtk_button_new_with_mnemonic(_("Save _As…"));
  gtk_actionable_set_action_name(GTK_ACTIONABLE(self->banner_save_as), "win.save-as");
  gtk_widget_set_valign(self->banner_save_as, GTK_ALIGN_CENTER);
  gtk_widget_set_visible(self->banner_save_as, FALSE);
  gtk_box_append(GTK_BOX(box), icon);
  gtk_box_append(GTK_BOX(box), self->banner_text);
  gtk_box_append(GTK_BOX(box), self->banner_save_as);
  gtk_box_append(GTK_BOX(box), close);
  gtk_revealer_set_child(GTK_REVEALER(self->banner), box);
  return self->banner;
}

static void
start_open_cb(CwuPage *self, GFile *file)
{
  cwu_page_open(self, file);
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

static void
edit_note_cb(CwuGraphView *view, guint64 note, CwuPage *self)
{
  GdkRectangle card;
  cwu_note_editor_open(self->note_editor, self->view, -1, note);
  if (cwu_graph_view_locate_note(view, note, &card))
    gtk_popover_set_pointing_to(GTK_POPOVER(self->note_editor), &card);
}

/* The table in the place of the picture; a view's tools stand beside the view switcher. */
static void
view_changed_cb(CwuPage *self)
{
  const char *view = cwu_document_peek_view(self->document);
  bool is_table = strcmp(view, "table") == 0;
  GtkWidget *tools = cwu_node_table_peek_tools(CWU_NODE_TABLE(self->table));
  bool had_focus = gtk_widget_get_focus_child(self->views) != NULL;
  gtk_widget_set_visible(tools, is_table);
  gtk_widget_set_visible(self->order, strcmp(view, "force") == 0);
  gtk_widget_set_halign(self->view_bar, is_table ? GTK_ALIGN_FILL : GTK_ALIGN_START);
  gtk_stack_set_visible_child_name(GTK_STACK(self->views), is_table ? "table" : "picture");
  if (had_focus)
    gtk_widget_grab_focus(is_table ? self->table : self->view);
}

/* Views, and above them a bar: the picture leaves room for it, the table begins below it. */
static GtkWidget *
views_new(CwuPage *self)
{
  GtkWidget *overlay = gtk_overlay_new(), *room = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *below = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  g_autoptr(GtkSizeGroup) heights = gtk_size_group_new(GTK_SIZE_GROUP_VERTICAL);
  self->view_bar = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  self->table = GTK_WIDGET(cwu_node_table_new(self->document));
  self->views = gtk_stack_new();
  gtk_widget_add_css_class(self->view_bar, "view-bar");
  gtk_widget_set_valign(self->view_bar, GTK_ALIGN_START);
  GtkWidget *switcher = cwu_view_switcher_new();
  cwu_graph_view_set_cover(CWU_GRAPH_VIEW(self->view), switcher);
  gtk_box_append(GTK_BOX(self->view_bar), switcher);
  gtk_box_append(GTK_BOX(self->view_bar),
                 cwu_node_table_peek_tools(CWU_NODE_TABLE(self->table)));
  self->order = cwu_share_slider_new(self->document, CWU_SHARE_GRAVITY);
  gtk_box_append(GTK_BOX(self->view_bar), self->order);
  gtk_size_group_add_widget(heights, self->view_bar);
  gtk_size_group_add_widget(heights, room);
  gtk_box_append(GTK_BOX(below), room);
  gtk_box_append(GTK_BOX(below), self->table);
  gtk_stack_add_named(GTK_STACK(self->views), cwu_type_bin_new(self->view), "picture");
  gtk_stack_add_named(GTK_STACK(self->views), below, "table");
  gtk_overlay_set_child(GTK_OVERLAY(overlay), self->views);
  gtk_overlay_add_overlay(GTK_OVERLAY(overlay), self->view_bar);
  return overlay;
}

static GtkWidget *
picture_card_new(CwuPage *self)
{
  GtkWidget *card = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  self->view = GTK_WIDGET(cwu_graph_view_new());
  cwu_graph_view_set_document(CWU_GRAPH_VIEW(self->view), self->document);
  g_signal_connect(self->view, "failed", G_CALLBACK(view_failed_cb), self);
  g_signal_connect(self->view, "edit-note", G_CALLBACK(edit_note_cb), self);
  gtk_widget_add_css_class(card, "surface");
  gtk_widget_set_overflow(card, GTK_OVERFLOW_HIDDEN);
  self->toasts = cwu_toasts_new(views_new(self));
  gtk_box_append(GTK_BOX(card), self->toasts);
  gtk_box_append(GTK_BOX(card), cwu_prune_bar_new(self->document));
  self->note_editor = cwu_note_editor_new(self->document, GTK_BOX(card));
  view_changed_cb(self);
  return card;
}

static GtkWidget *
side_card_new(CwuPage *self)
{
  self->side = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  self->panes = gtk_stack_new();
  gtk_stack_add_named(GTK_STACK(self->panes), cwu_overview_pane_new(self->document),
                      "overview");
  self->node_pane = cwu_node_pane_new(self->document);
  gtk_stack_add_named(GTK_STACK(self->panes), self->node_pane, "node");
  gtk_box_append(GTK_BOX(self->side), self->panes);
  gtk_widget_add_css_class(self->side, "surface");
  gtk_widget_set_overflow(self->side, GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_size_request(self->side, 300, -1);
  g_settings_bind(cwu_settings_peek(), "side-pane-visible", self->side, "visible",
                  G_SETTINGS_BIND_DEFAULT);
  return self->side;
}

/* As wide as somebody left it; until somebody drags its edge, more than usual in a very wide
 * window: most names fit into its lists then. */
static int
side_width(int window_width)
{
  GSettings *settings = cwu_settings_peek();
  g_autoptr(GVariant) left = g_settings_get_user_value(settings, "side-pane-width");
  int usual = g_settings_get_int(settings, "side-pane-width");
  return left != NULL ? usual : CLAMP(window_width / SIDE_PART, usual, MOST_SIDE_PX);
}

/* With its border, as it was set: its own width is less by that. */
static int
side_width_now(CwuPage *self)
{
  return gtk_widget_get_width(self->side) + 2;
}

/* What the pane can be made: large type needs more, a narrow window has less. */
static int
side_width_there_is(GtkPaned *paned, int wanted)
{
  int least_picture, most_picture, room = gtk_widget_get_width(GTK_WIDGET(paned)) - HANDLE_PX;
  g_object_get(paned, "min-position", &least_picture, "max-position", &most_picture, NULL);
  return MAX(MIN(wanted, room - least_picture), room - most_picture);
}

/* Wider or narrower than it was made: so somebody wants it. */
static void
keep_dragged_width(CwuPage *self)
{
  bool is_seen = self->side_px != 0 && gtk_widget_get_width(self->side) > 0;
  if (is_seen && side_width_now(self) != self->side_px)
    g_settings_set_int(cwu_settings_peek(), "side-pane-width", side_width_now(self));
}

/* The picture takes what a larger window gives, after what the pane does. */
static void
paned_sized_cb(GtkPaned *paned, GParamSpec *pspec, CwuPage *self)
{
  int width = gtk_widget_get_width(GTK_WIDGET(paned));
  if (width <= 0)
    return;
  keep_dragged_width(self);
  self->side_px = side_width_there_is(paned, side_width(width));
  gtk_paned_set_position(paned, width - HANDLE_PX - self->side_px);
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
  g_signal_connect(paned, "notify::max-position", G_CALLBACK(paned_sized_cb), self);
  g_signal_connect_swapped(paned, "unmap", G_CALLBACK(keep_dragged_width), self);
  return paned;
}

/* What comes next is walking about the new graph, so keys go there. */
static void
traced_cb(gpointer user_data)
{
  CwuPage *self = user_data;
  if (gtk_widget_get_mapped(self->view))
    gtk_widget_grab_focus(self->view);
}

static void
build(CwuPage *self)
{
  GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *start = cwu_start_page_new(cwu_context_peek_places(self->context)->samples);
  g_signal_connect_swapped(start, "open", G_CALLBACK(start_open_cb), self);
  self->stack = gtk_stack_new();
  /* What is hidden is not measured: it is as large as what is seen, or unseen. */
  gtk_stack_set_hhomogeneous(GTK_STACK(self->stack), FALSE);
  gtk_stack_set_vhomogeneous(GTK_STACK(self->stack), FALSE);
  gtk_stack_add_named(GTK_STACK(self->stack), start, "empty");
  gtk_stack_add_named(GTK_STACK(self->stack), loading_page_new(), "loading");
  gtk_stack_add_named(GTK_STACK(self->stack), graph_page_new(self), "graph");
  gtk_widget_set_vexpand(self->stack, TRUE);
  CwuEngine *engine = cwu_context_peek_engine(self->context);
  self->tracing = cwu_trace_control_new(self->document, engine, traced_cb, self);
  GtkWidget *bar = GTK_WIDGET(cwu_trace_control_peek_bar(self->tracing));
  gtk_stack_add_named(GTK_STACK(self->stack),
                      cwu_missing_model_new(engine, CWU_PROMPT_BAR(bar)), "no-model");
  gtk_box_append(GTK_BOX(column), banner_new(self));
  gtk_widget_set_margin_top(bar, 12);
  gtk_widget_set_margin_start(bar, 12);
  gtk_widget_set_margin_end(bar, 12);
  gtk_box_append(GTK_BOX(column), bar);
  gtk_box_append(GTK_BOX(column), self->stack);
  adw_bin_set_child(ADW_BIN(self), column);
}

static void
follow_document(CwuPage *self)
{
  CwuDocument *document = self->document;
  g_signal_connect_object(document, "graph-changed", G_CALLBACK(show_content), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "selection-changed", G_CALLBACK(selection_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "notify::view", G_CALLBACK(view_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "notify::title", G_CALLBACK(title_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "notify::subtitle", G_CALLBACK(title_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(cwu_context_peek_engine(self->context), "notify::state",
                          G_CALLBACK(prompt_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object(cwu_trace_control_peek_bar(self->tracing), "notify::text",
                          G_CALLBACK(prompt_changed_cb), self, G_CONNECT_SWAPPED);
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

gboolean
cwu_page_cancel_trace(CwuPage *self)
{
  return cwu_trace_control_cancel(self->tracing);
}

void
cwu_page_edit_prompt(CwuPage *self)
{
  cwu_prompt_bar_edit(cwu_trace_control_peek_bar(self->tracing));
}

GtkWidget *
cwu_page_peek_side(CwuPage *self)
{
  return self->side;
}

static void
show_side(void)
{
  g_settings_set_boolean(cwu_settings_peek(), "side-pane-visible", TRUE);
}

void
cwu_page_edit_label(CwuPage *self)
{
  show_side();
  cwu_node_pane_edit_label(CWU_NODE_PANE(self->node_pane));
}

void
cwu_page_edit_note(CwuPage *self)
{
  show_side();
  cwu_node_pane_edit_note(CWU_NODE_PANE(self->node_pane));
}

static char *
dup_title(CwuPage *self)
{
  const char *title = cwu_document_peek_title(self->document);
  GFile *file = cwu_page_peek_file(self);
  if (self->runs != NULL)
    return g_strdup(_("Runs"));
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
  g_clear_pointer(&self->recovering, cwu_recovered_free);
  g_clear_pointer(&self->autosave, cwu_autosave_free);
  g_clear_pointer(&self->tracing, cwu_trace_control_free);
  G_OBJECT_CLASS(cwu_page_parent_class)->dispose(object);
}

static void
cwu_page_finalize(GObject *object)
{
  g_object_unref(CWU_PAGE(object)->document);
  g_clear_object(&CWU_PAGE(object)->context);
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
                                G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_UINT);
}

static void
cwu_page_init(CwuPage *self)
{
  gtk_widget_set_layout_manager(GTK_WIDGET(self), cwu_width_first_layout_new());
  self->document = cwu_document_new();
}

CwuPage *
cwu_page_new(CwuContext *context)
{
  CwuPage *self = g_object_new(CWU_TYPE_PAGE, NULL);
  self->context = g_object_ref(context);
  self->autosave = cwu_autosave_new(cwu_context_peek_store(context), self->document, NULL);
  build(self);
  follow_document(self);
  return self;
}
