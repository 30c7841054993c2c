/* page-files.c - see page-files.h. */
#include "window/page-files.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "desktop/theme-watch.h"
#include "window/export-dialog.h"
#include "window/picture-print.h"

static GtkFileFilter *
filter_new(const char *name, const char *const *suffixes)
{
  GtkFileFilter *filter = gtk_file_filter_new();
  gtk_file_filter_set_name(filter, name);
  for (; *suffixes != NULL; suffixes++)
    gtk_file_filter_add_suffix(filter, *suffixes);
  return filter;
}

static GtkWindow *
window_of(CwuPage *self)
{
  return GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(self)));
}

/* ---- opening --------------------------------------------------------------------------- */

static void
open_response_cb(GtkNativeDialog *dialog, int response, CwuWindow *self)
{
  if (response == GTK_RESPONSE_ACCEPT) {
    g_autoptr(GListModel) files = gtk_file_chooser_get_files(GTK_FILE_CHOOSER(dialog));
    for (guint i = 0; i < g_list_model_get_n_items(files); i++) {
      g_autoptr(GFile) file = g_list_model_get_item(files, i);
      cwu_window_open(self, file);
    }
  }
  g_object_unref(dialog);
}

void
cwu_window_choose_files(CwuWindow *self)
{
  static const char *const graphs[] = { "clew", "json", NULL };
  GtkFileChooserNative *dialog =
      gtk_file_chooser_native_new(_("Open a Graph"), GTK_WINDOW(self),
                                  GTK_FILE_CHOOSER_ACTION_OPEN, _("_Open"), _("_Cancel"));
  g_autoptr(GtkFileFilter) filter = filter_new(_("Attribution graphs"), graphs);
  GFile *shown = self->page != NULL ? cwu_page_peek_file(self->page) : NULL;
  g_autoptr(GFile) folder = shown != NULL ? g_file_get_parent(shown) : NULL;
  gtk_file_chooser_set_select_multiple(GTK_FILE_CHOOSER(dialog), TRUE);
  gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), filter);
  if (folder != NULL)
    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), folder, NULL);
  g_signal_connect_object(dialog, "response", G_CALLBACK(open_response_cb), self, 0);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* ---- saving ---------------------------------------------------------------------------- */

typedef struct {
  CwuPage *page;
  CwuSavedCb done;
  gpointer user_data;
} Saving;

static void
saving_end(Saving *saving, gboolean is_saved)
{
  if (saving->done != NULL)
    saving->done(saving->page, is_saved, saving->user_data);
  g_object_unref(saving->page);
  g_free(saving);
}

static void
saved_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Saving *saving = user_data;
  g_autoptr(GError) error = NULL;
  gboolean ok = cwu_document_save_finish(CWU_DOCUMENT(source), result, &error);
  if (ok) {
    GFile *file = cwu_document_peek_file(CWU_DOCUMENT(source));
    g_autofree char *uri = g_file_get_uri(file);
    gtk_recent_manager_add_item(gtk_recent_manager_get_default(), uri);
    cwu_page_tell(saving->page, NULL);
    cwu_page_confirm(saving->page, _("Saved"));
  } else {
    cwu_page_tell_unsaved(saving->page, error->message);
  }
  saving_end(saving, ok);
}

static void
save_response_cb(GtkNativeDialog *dialog, int response, Saving *saving)
{
  g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
  if (response == GTK_RESPONSE_ACCEPT && file != NULL)
    cwu_document_save_async(cwu_page_peek_document(saving->page), file, FALSE, saved_cb,
                            saving);
  else
    saving_end(saving, FALSE);
  g_object_unref(dialog);
}

/* "The capital of France is" -> "The capital of France is.clew", fit for a file's name. */
static char *
propose_name(CwuDocument *document)
{
  GFile *file = cwu_document_peek_file(document);
  g_autofree char *stem =
      file != NULL
          ? g_file_get_basename(file)
          : g_utf8_substring(cwu_document_peek_title(document), 0,
                             MIN(g_utf8_strlen(cwu_document_peek_title(document), -1), 60));
  char *dot = file != NULL ? strrchr(stem, '.') : NULL;
  if (dot != NULL)
    *dot = '\0';
  g_strdelimit(stem, "/\\:*?\"<>|\n\t", '-');
  g_strstrip(stem);
  return g_strconcat(*stem != '\0' ? stem : _("Graph"), ".clew", NULL);
}

void
cwu_page_save_as(CwuPage *self, CwuSavedCb done, gpointer user_data)
{
  static const char *const documents[] = { "clew", NULL };
  static const char *const texts[] = { "json", NULL };
  CwuDocument *document = cwu_page_peek_document(self);
  Saving *saving = g_new0(Saving, 1);
  GtkFileChooserNative *dialog =
      gtk_file_chooser_native_new(_("Save the Document"), window_of(self),
                                  GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
  g_autoptr(GtkFileFilter) all = filter_new(_("Clew documents: the whole graph"), documents);
  g_autoptr(GtkFileFilter) text = filter_new(_("Graph JSON, for other programs"), texts);
  g_autofree char *name = propose_name(document);
  GFile *file = cwu_document_peek_file(document);
  g_autoptr(GFile) folder = file != NULL ? g_file_get_parent(file) : NULL;
  *saving = (Saving){ g_object_ref(self), done, user_data };
  gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), all);
  gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), text);
  gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), name);
  if (folder != NULL)
    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), folder, NULL);
  g_signal_connect(dialog, "response", G_CALLBACK(save_response_cb), saving);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

void
cwu_page_save(CwuPage *self, CwuSavedCb done, gpointer user_data)
{
  CwuDocument *document = cwu_page_peek_document(self);
  GFile *file = cwu_document_peek_file(document);
  if (file == NULL) {
    cwu_page_save_as(self, done, user_data);
    return;
  }
  if (cwu_document_is_saved(document) && g_file_query_exists(file, NULL)) {
    /* Another program's file stays byte for byte as that wrote it. */
    cwu_page_confirm(self, _("No changes to save"));
    if (done != NULL)
      done(self, TRUE, user_data);
    return;
  }
  Saving *saving = g_new0(Saving, 1);
  *saving = (Saving){ g_object_ref(self), done, user_data };
  cwu_document_save_async(document, file, FALSE, saved_cb, saving);
}

/* ---- the picture, as a file and on paper ------------------------------------------------ */

static CwuPictureSubject *
subject_new(CwuPage *self)
{
  CwuDocument *document = cwu_page_peek_document(self);
  CwuViewpoint viewpoint = cwu_document_get_viewpoint(document);
  g_autofree char *name = propose_name(document);
  g_autofree char *stem = g_strndup(name, strlen(name) - strlen(".clew"));
  CwuPictureOptions view;
  cwu_picture_options_init(&view);
  view.theme = cwu_theme_kind_now();
  view.selected = cwu_document_get_selected(document);
  view.zoom = viewpoint.zoom;
  view.centre_x = viewpoint.centre_x;
  view.centre_y = viewpoint.centre_y;
  view.state = cwu_document_peek_state(document);
  g_autofree float *places = cwu_graph_view_dup_places(cwu_page_peek_view(self));
  view.view = places != NULL ? CWU_VIEW_FORCE : CWU_VIEW_LAYERS;
  view.places = places;
  return cwu_picture_subject_new(cwu_document_peek_graph(document),
                                 cwu_document_peek_pruned(document), &view, stem);
}

static void
exported_cb(CwuExportDialog *dialog, GFile *file, CwuPage *self)
{
  g_autofree char *name = g_file_get_basename(file);
  g_autofree char *shown = g_filename_display_name(name);
  g_autofree char *text = g_strdup_printf(_("Picture saved as %s"), shown);
  cwu_page_toast(self, text);
}

void
cwu_page_export(CwuPage *self)
{
  g_autoptr(CwuPictureSubject) subject = subject_new(self);
  CwuExportDialog *dialog = cwu_export_dialog_new(window_of(self), subject);
  g_signal_connect_object(dialog, "exported", G_CALLBACK(exported_cb), self, 0);
  gtk_window_present(GTK_WINDOW(dialog));
}

static void
printed_cb(GtkPrintOperation *operation, GtkPrintOperationResult result, CwuPage *self)
{
  g_autofree char *failure = cwu_print_operation_dup_failure(operation, result);
  if (failure != NULL)
    cwu_page_tell(self, failure);
}

void
cwu_page_print(CwuPage *self)
{
  g_autoptr(CwuPictureSubject) subject = subject_new(self);
  g_autoptr(GtkPrintOperation) operation = cwu_print_operation_new(subject);
  g_signal_connect_object(operation, "done", G_CALLBACK(printed_cb), self, 0);
  gtk_print_operation_run(operation, GTK_PRINT_OPERATION_ACTION_PRINT_DIALOG, window_of(self),
                          NULL);
}
