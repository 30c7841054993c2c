/* document-content.c - see document-content.h. */
#include "models/document-content.h"

#include <glib/gstdio.h>
#include <math.h>
#include <unistd.h>

/* ---- reading ---------------------------------------------------------------------------- */

void
cwu_content_free(gpointer data)
{
  CwuContent *content = data;
  if (content == NULL)
    return;
  g_clear_object(&content->file);
  cw_graph_unref(content->graph);
  cw_document_free(content->core);
  cw_pruner_free(content->pruner);
  cwu_prune_result_clear(&content->result);
  g_strfreev(content->remarks);
  g_free(content);
}

static char **
dup_remarks(const CwLoadReport *report)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  for (guint i = 0; report->messages != NULL && i < report->messages->len; i++)
    g_strv_builder_add(builder, g_ptr_array_index(report->messages, i));
  return g_strv_builder_end(builder);
}

bool
cwu_content_prepare(CwuContent *content, const CwViewState *view, CwCancel *cancel,
                    GError **error)
{
  content->core = cw_document_new_from_graph(content->graph, view, &content->session);
  content->pruner = cw_pruner_new(content->graph, cancel, error);
  return content->pruner != NULL &&
         cwu_prune(content->pruner, cw_document_peek_state(content->core), &content->result,
                   error);
}

CwuContent *
cwu_content_read(GFile *file, CwCancel *cancel, GError **error)
{
  g_autofree char *path = g_file_get_path(file);
  g_autofree char *uri = g_file_get_uri(file);
  if (path == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s is not a local file: copy it to this machine first", uri);
    return NULL;
  }
  CwLoadReport report = { 0 };
  CwViewState view = { NAN, NAN, NULL };
  CwuContent *content = g_new0(CwuContent, 1);
  content->file = g_object_ref(file);
  content->graph = cw_graph_load(path, &report, &view, cancel, error);
  content->remarks = dup_remarks(&report);
  if (content->graph == NULL || !cwu_content_prepare(content, &view, cancel, error))
    g_clear_pointer(&content, cwu_content_free);
  cw_load_report_clear(&report);
  cw_view_state_clear(&view);
  return content;
}

/* ---- writing ---------------------------------------------------------------------------- */

/* A file that nobody may write is not replaced either, though its folder (and root's rights)
 * would let that happen. */
static bool
check_writable(const char *path, GError **error)
{
  GStatBuf info;
  if (g_stat(path, &info) != 0 || !S_ISREG(info.st_mode) ||
      ((info.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) != 0 && g_access(path, W_OK) == 0))
    return true;
  g_autofree char *name = g_filename_display_basename(path);
  g_set_error(error, CW_ERROR, CW_ERROR_IO,
              "%s is read-only and was left as it is: save under another name", name);
  return false;
}

bool
cwu_content_write(CwDocumentState *state, const CwDocumentSession *session, GFile *file,
                  GError **error)
{
  CwViewState view;
  CwGraph *graph = cw_document_state_peek_graph(state);
  g_autofree char *path = g_file_get_path(file);
  bool is_written = false;
  if (graph == NULL)
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "There is no graph to save yet: trace the prompt first");
  else if (path == NULL)
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "That place is not on this machine: save to a local folder");
  if (graph == NULL || path == NULL || !check_writable(path, error))
    return false;
  cw_document_state_to_view(state, session, &view);
  if (g_str_has_suffix(path, ".json"))
    is_written = cw_graph_save_json(graph, NULL, &view, path, NULL, error);
  else
    is_written = cw_graph_save_document(graph, &view, path, NULL, error);
  cw_view_state_clear(&view);
  return is_written;
}
