/* window-actions.c - everything the user can do, as actions "win.…"; buttons, menus and keys
 * only name them. */
#include <glib/gi18n-lib.h>

#include "cwu-picture.h"
#include "window/action-table.h"
#include "window/theme-watch.h"
#include "window/window-private.h"

#define ZOOM_STEP 1.5

static GtkFileFilter *
filter_new(const char *name, const char *const *suffixes)
{
  GtkFileFilter *filter = gtk_file_filter_new();
  gtk_file_filter_set_name(filter, name);
  for (; *suffixes != NULL; suffixes++)
    gtk_file_filter_add_suffix(filter, *suffixes);
  return filter;
}

static void
open_response_cb(GtkNativeDialog *dialog, int response, CwuWindow *self)
{
  if (response == GTK_RESPONSE_ACCEPT) {
    g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
    cwu_window_open(self, file);
  }
  g_object_unref(dialog);
}

static void
open_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  static const char *const graphs[] = { "clew", "json", NULL };
  CwuWindow *self = user_data;
  GtkFileChooserNative *dialog =
      gtk_file_chooser_native_new(_("Open a Graph"), GTK_WINDOW(self),
                                  GTK_FILE_CHOOSER_ACTION_OPEN, _("_Open"), _("_Cancel"));
  g_autoptr(GtkFileFilter) filter = filter_new(_("Attribution graphs"), graphs);
  gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), filter);
  GFile *shown = cwu_document_peek_file(self->document);
  g_autoptr(GFile) folder = shown != NULL ? g_file_get_parent(shown) : NULL;
  if (folder != NULL)
    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), folder, NULL);
  g_signal_connect_object(dialog, "response", G_CALLBACK(open_response_cb), self, 0);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* ---- export, on a thread --------------------------------------------------------------- */

typedef struct {
  CwGraph *graph;
  CwPruned masks; /* own copies of what the export reads */
  CwuPictureOptions options;
  char *path;
} ExportJob;

static void
export_job_free(gpointer data)
{
  ExportJob *job = data;
  cw_graph_unref(job->graph);
  g_free(job->masks.node_mask);
  g_free(job->masks.edge_mask);
  g_free(job->masks.cumulative_share);
  g_free(job->path);
  g_free(job);
}

static void
export_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ExportJob *job = data;
  GError *error = NULL;
  if (cwu_picture_export(job->graph, &job->masks, &job->options, job->path, &error))
    g_task_return_boolean(task, TRUE);
  else
    g_task_return_error(task, error);
}

static void
export_done_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  CwuWindow *self = CWU_WINDOW(source);
  ExportJob *job = g_task_get_task_data(G_TASK(result));
  g_autoptr(GError) error = NULL;
  if (!g_task_propagate_boolean(G_TASK(result), &error)) {
    cwu_window_tell(self, error->message);
    return;
  }
  g_autofree char *name = g_path_get_basename(job->path);
  g_autofree char *shown = g_filename_display_name(name);
  g_autofree char *text = g_strdup_printf(_("Picture saved as %s"), shown);
  g_autofree char *markup = g_markup_escape_text(text, -1);
  adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(self->toasts), adw_toast_new(markup));
}

static void
export_response_cb(GtkNativeDialog *dialog, int response, CwuWindow *self)
{
  const CwPruned *pruned = cwu_document_peek_pruned(self->document);
  g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
  char *path = file != NULL ? g_file_get_path(file) : NULL;
  if (response == GTK_RESPONSE_ACCEPT && path != NULL && pruned != NULL) {
    g_autoptr(GTask) task = g_task_new(self, NULL, export_done_cb, NULL);
    ExportJob *job = g_new0(ExportJob, 1);
    job->graph = cw_graph_ref(cwu_document_peek_graph(self->document));
    job->masks.n_nodes = pruned->n_nodes;
    job->masks.n_edges = pruned->n_edges;
    job->masks.node_mask = g_memdup2(pruned->node_mask, pruned->n_nodes);
    job->masks.edge_mask = g_memdup2(pruned->edge_mask, pruned->n_edges);
    job->masks.cumulative_share =
        g_memdup2(pruned->cumulative_share, pruned->n_nodes * sizeof(float));
    cwu_picture_options_init(&job->options);
    job->options.scale = 2;
    job->options.theme = cwu_theme_kind_now();
    job->options.selected = cwu_document_get_selected(self->document);
    job->path = g_steal_pointer(&path);
    g_task_set_task_data(task, job, export_job_free);
    g_task_run_in_thread(task, export_thread);
  }
  g_free(path);
  g_object_unref(dialog);
}

static void
export_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  static const char *const pictures[] = { "png", "svg", "pdf", NULL };
  CwuWindow *self = user_data;
  GtkFileChooserNative *dialog =
      gtk_file_chooser_native_new(_("Export the Picture"), GTK_WINDOW(self),
                                  GTK_FILE_CHOOSER_ACTION_SAVE, _("_Export"), _("_Cancel"));
  g_autoptr(GtkFileFilter) filter = filter_new(_("Pictures: PNG, SVG, PDF"), pictures);
  g_autofree char *file = g_file_get_basename(cwu_document_peek_file(self->document));
  char *dot = strrchr(file, '.');
  g_autofree char *stem = dot != NULL ? g_strndup(file, (gsize)(dot - file)) : g_strdup(file);
  g_autofree char *name = g_strconcat(stem, ".pdf", NULL);
  gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), filter);
  gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), name);
  g_signal_connect_object(dialog, "response", G_CALLBACK(export_response_cb), self, 0);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* ---- the view -------------------------------------------------------------------------- */

static void
zoom_in_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_graph_view_zoom(CWU_GRAPH_VIEW(CWU_WINDOW(user_data)->view), ZOOM_STEP);
}

static void
zoom_out_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_graph_view_zoom(CWU_GRAPH_VIEW(CWU_WINDOW(user_data)->view), 1 / ZOOM_STEP);
}

static void
zoom_fit_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_document_set_viewpoint(CWU_WINDOW(user_data)->document, &CWU_VIEWPOINT_ALL);
}

static void
clear_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_document_set_selected(CWU_WINDOW(user_data)->document, -1);
}

static void
about_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  adw_show_about_window(GTK_WINDOW(user_data), "application-name", "Clew", "application-icon",
                        "io.github.clew_circuits.Clew", "version", CLEW_VERSION, "comments",
                        _("Takes a language model apart into readable circuits."),
                        "license-type", GTK_LICENSE_MIT_X11, NULL);
}

static void
close_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  gtk_window_close(GTK_WINDOW(user_data));
}

static void
shortcuts_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  gtk_window_present(cwu_shortcuts_window_new(GTK_APPLICATION_WINDOW(user_data)));
}

/* ---- the table ------------------------------------------------------------------------- */

static const GActionEntry entries[] = {
  { "open", open_cb, NULL, NULL, NULL, { 0 } },
  { "export", export_cb, NULL, NULL, NULL, { 0 } },
  { "zoom-in", zoom_in_cb, NULL, NULL, NULL, { 0 } },
  { "zoom-out", zoom_out_cb, NULL, NULL, NULL, { 0 } },
  { "zoom-fit", zoom_fit_cb, NULL, NULL, NULL, { 0 } },
  { "clear-selection", clear_cb, NULL, NULL, NULL, { 0 } },
  { "close", close_cb, NULL, NULL, NULL, { 0 } },
  { "shortcuts", shortcuts_cb, NULL, NULL, NULL, { 0 } },
  { "about", about_cb, NULL, NULL, NULL, { 0 } },
};

/* Actions that need a graph. */
static const char *const on_graph[] = { "export", "zoom-in", "zoom-out", "zoom-fit",
                                        "clear-selection" };

static void
update_enabled_cb(CwuWindow *self)
{
  gboolean has_graph = cwu_document_peek_graph(self->document) != NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(on_graph); i++) {
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(self), on_graph[i]);
    g_object_set(action, "enabled", has_graph, NULL);
  }
}

void
cwu_window_actions_init(CwuWindow *self)
{
  g_autoptr(GPropertyAction) side = g_property_action_new("side-pane", self->side, "visible");
  g_autoptr(GPropertyAction) full = g_property_action_new("fullscreen", self, "fullscreened");
  g_action_map_add_action_entries(G_ACTION_MAP(self), entries, G_N_ELEMENTS(entries), self);
  g_action_map_add_action(G_ACTION_MAP(self), G_ACTION(side));
  g_action_map_add_action(G_ACTION_MAP(self), G_ACTION(full));
  cwu_action_table_add_keys(GTK_WIDGET(self));
  g_signal_connect_object(self->document, "graph-changed", G_CALLBACK(update_enabled_cb), self,
                          G_CONNECT_SWAPPED);
}

void
cwu_window_install_keys(GtkApplication *application)
{
  cwu_action_table_install_keys(application);
}
