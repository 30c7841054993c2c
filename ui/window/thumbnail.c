/* thumbnail.c - see thumbnail.h. */
#include "window/thumbnail.h"

#include <math.h>

#include "models/prune-runner.h"
#include "picture/node-name.h"

#define MAX_FILE_BYTES ((goffset)32 << 20)
/* The layout is made for a picture of this height, then drawn small. */
#define LAYOUT_HEIGHT 380.0

typedef struct {
  GFile *file;
  int width, height, scale;
  CwuThemeKind theme;
} Job;

static void
job_free(gpointer data)
{
  Job *job = data;
  g_object_unref(job->file);
  g_free(job);
}

void
cwu_thumbnail_free(CwuThumbnail *thumbnail)
{
  if (thumbnail == NULL)
    return;
  g_clear_object(&thumbnail->picture);
  g_free(thumbnail->prompt);
  g_free(thumbnail->answer);
  g_free(thumbnail);
}

static GdkTexture *
texture_of(cairo_surface_t *image)
{
  int stride = cairo_image_surface_get_stride(image);
  int height = cairo_image_surface_get_height(image);
  g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(
      cairo_image_surface_get_data(image), (gsize)stride * (gsize)height,
      (GDestroyNotify)cairo_surface_destroy, cairo_surface_reference(image));
  return gdk_memory_texture_new(cairo_image_surface_get_width(image), height,
                                GDK_MEMORY_DEFAULT, bytes, (gsize)stride);
}

static char *
dup_answer(const CwGraph *graph)
{
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  int64_t best = -1;
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++)
    if (nodes[i].kind == CW_NODE_LOGIT &&
        (best < 0 || nodes[i].probability > nodes[best].probability))
      best = (int64_t)i;
  if (best < 0)
    return NULL;
  g_autofree char *token = cwu_logit_dup_token(graph, (size_t)best);
  return g_strdup_printf("%s  %.0f%%", token, 100 * (double)nodes[best].probability);
}

static CwuThumbnail *
draw(const Job *job, CwGraph *graph, const CwViewState *view, GError **error)
{
  g_autoptr(CwDocument) document = cw_document_new_from_graph(graph, view, NULL);
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, error);
  CwuPruneResult result = { 0 };
  CwuPictureOptions options;
  if (pruner == NULL || !cwu_prune(pruner, cw_document_peek_state(document), &result, error))
    return NULL;
  cwu_picture_options_init(&options);
  options.height = LAYOUT_HEIGHT;
  options.width = LAYOUT_HEIGHT * job->width / job->height;
  options.scale = job->scale * job->height / LAYOUT_HEIGHT;
  options.theme = job->theme;
  options.parts = CWU_PICTURE_BARE; /* Words would be 4 pixels high. */
  cairo_surface_t *image = cwu_picture_new_image(graph, result.pruned, &options, error);
  cwu_prune_result_clear(&result);
  if (image == NULL)
    return NULL;
  CwuThumbnail *thumbnail = g_new0(CwuThumbnail, 1);
  thumbnail->picture = texture_of(image);
  thumbnail->prompt = cwu_prompt_dup_display(graph);
  thumbnail->answer = dup_answer(graph);
  cairo_surface_destroy(image);
  return thumbnail;
}

static CwuThumbnail *
make(const Job *job, GError **error)
{
  g_autofree char *path = g_file_get_path(job->file);
  g_autoptr(GFileInfo) info =
      g_file_query_info(job->file, G_FILE_ATTRIBUTE_STANDARD_SIZE, 0, NULL, error);
  if (info == NULL)
    return NULL;
  if (path == NULL || g_file_info_get_size(info) > MAX_FILE_BYTES) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED, "No small picture of such a file");
    return NULL;
  }
  CwViewState view = { NAN, NAN, NULL };
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, &view, NULL, error);
  CwuThumbnail *thumbnail = graph != NULL ? draw(job, graph, &view, error) : NULL;
  cw_view_state_clear(&view);
  return thumbnail;
}

static void
make_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  if (g_task_return_error_if_cancelled(task))
    return;
  CwuThumbnail *thumbnail = make(data, &error);
  if (thumbnail != NULL)
    g_task_return_pointer(task, thumbnail, (GDestroyNotify)cwu_thumbnail_free);
  else
    g_task_return_error(task, error);
}

void
cwu_thumbnail_make_async(GFile *file, int width, int height, int scale, CwuThemeKind theme,
                         GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
  Job *job = g_new0(Job, 1);
  *job = (Job){ g_object_ref(file), width, height, scale, theme };
  g_task_set_task_data(task, job, job_free);
  g_task_run_in_thread(task, make_thread);
}

CwuThumbnail *
cwu_thumbnail_make_finish(GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer(G_TASK(result), error);
}
