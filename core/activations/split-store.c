/* split-store.c - activations as CLT-Forge keeps them: safetensors files with act_in and
 * act_out [N, L, D] and, in most, tokens [N].
 *
 * The files are mapped and rows are read where they lie, so a frame is a single row and a
 * permutation of frames is one of rows. Documents are not known; runs of 256 rows stand for
 * them where a part is held out. */
#include <stdlib.h>
#include <string.h>

#include "activations/activations-private.h"
#include "files/file-identity.h"

#define ROWS_PER_RUN 256
#define POOL_ROWS    16384

typedef struct {
  CwTensorFile *file;
  const CwTensor *in, *out, *tokens; /* tokens may be NULL */
  int64_t first_row, n_rows;
} Split;

typedef struct {
  GPtrArray *paths;
  Split *splits;
  guint n_splits;
  int64_t n_layers, width;
  CwFrameFacts *frames;
} SplitStore;

static void
free_store(gpointer data)
{
  SplitStore *store = data;
  for (guint i = 0; i < store->n_splits; i++)
    cw_tensor_file_close(store->splits[i].file);
  g_ptr_array_unref(store->paths);
  g_free(store->splits);
  g_free(store->frames);
  g_free(store);
}

static const Split *
find_split(const SplitStore *store, int64_t row)
{
  guint i = store->n_splits - 1;
  while (i > 0 && store->splits[i].first_row > row)
    i--;
  return &store->splits[i];
}

static bool
load_row(gpointer data, CwLoadedFrame *loaded, GError **error)
{
  return true;
}

static void
unload_row(gpointer data, CwLoadedFrame *loaded)
{
}

/* Layer l of the rows, which may lie in different splits of one element type. */
static CwkStatus
gather_layer(const SplitStore *store, CwkDevice *device, const CwRowRef *rows, int64_t n,
             int64_t l, bool is_output, float *to, const void **list)
{
  int64_t width = store->width;
  for (int64_t i = 0; i < n;) {
    const Split *split = find_split(store, rows[i].loaded->frame);
    const CwTensor *tensor = is_output ? split->out : split->in;
    size_t row_bytes = cwk_dtype_row_bytes(tensor->dtype, width);
    int64_t end = i;
    for (; end < n && find_split(store, rows[end].loaded->frame) == split; end++) {
      int64_t row = rows[end].loaded->frame - split->first_row;
      list[end - i] =
          (const char *)tensor->data + (size_t)(row * store->n_layers + l) * row_bytes;
    }
    CwkDequantiseArgs args = { .rows = { .dtype = tensor->dtype,
                                         .n_rows = end - i,
                                         .n_cols = width,
                                         .row_bytes = row_bytes,
                                         .row_list = list },
                               .out = to + i * width };
    CwkStatus status = cwk_dequantise(device, &args);
    if (status != CWK_OK)
      return status;
    i = end;
  }
  return CWK_OK;
}

static bool
gather_rows(gpointer data, CwkDevice *device, const CwRowRef *rows, int64_t n,
            const CwRowTarget *target, GError **error)
{
  const SplitStore *store = data;
  g_autofree const void **list = g_new(const void *, (gsize)MAX(n, 1));
  CwkStatus status = CWK_OK;
  for (int64_t l = 0; l < store->n_layers && status == CWK_OK; l++) {
    if (target->in != NULL)
      status = gather_layer(store, device, rows, n, l, false,
                            target->in + l * target->layer_stride, list);
    if (target->out != NULL && status == CWK_OK)
      status = gather_layer(store, device, rows, n, l, true,
                            target->out + l * target->layer_stride, list);
  }
  if (status != CWK_OK)
    cw_error_set_from_status(error, status, "reading activations");
  return status == CWK_OK;
}

static bool
read_row_places(gpointer data, int64_t frame, int32_t *tokens, int64_t *documents,
                int64_t *places, GError **error)
{
  const SplitStore *store = data;
  const Split *split = find_split(store, frame);
  if (tokens != NULL) {
    int64_t wide = -1;
    int32_t narrow = -1;
    size_t row = (size_t)(frame - split->first_row);
    if (split->tokens != NULL && split->tokens->type == CW_TYPE_I64) {
      memcpy(&wide, (const char *)split->tokens->data + row * sizeof wide, sizeof wide);
      narrow = wide >= 0 && wide <= INT32_MAX ? (int32_t)wide : -1;
    } else if (split->tokens != NULL)
      memcpy(&narrow, (const char *)split->tokens->data + row * sizeof narrow, sizeof narrow);
    *tokens = narrow;
  }
  if (documents != NULL)
    *documents = frame / ROWS_PER_RUN;
  if (places != NULL)
    *places = -1;
  return true;
}

/* Splits carry no checksums; what can be checked is that the map can be read. */
static bool
verify_row(gpointer data, int64_t frame, GError **error)
{
  return true;
}

static char *
dup_hash(gpointer data)
{
  const SplitStore *store = data;
  return cw_files_dup_identity(store->paths);
}

static const CwStoreKind split_kind = {
  .free = free_store,
  .load = load_row,
  .unload = unload_row,
  .gather = gather_rows,
  .read_places = read_row_places,
  .verify_frame = verify_row,
  .dup_hash = dup_hash,
};

/* ---- opening ---------------------------------------------------------------------------- */

static bool
check_floats(const Split *split, const CwTensor *tensor, GError **error)
{
  bool is_plain =
      tensor->type == CW_TYPE_FLOAT &&
      (tensor->dtype == CWK_F32 || tensor->dtype == CWK_F16 || tensor->dtype == CWK_BF16);
  g_autofree char *shape = cw_tensor_dup_shape_text(tensor);
  if (!is_plain)
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: %s is %s; activations must be F32, F16 or BF16",
                cw_tensor_file_peek_path(split->file), tensor->name, shape);
  return is_plain;
}

static bool
open_split(SplitStore *store, Split *split, const char *path, GError **error)
{
  split->file = cw_tensor_file_open(path, error);
  if (split->file == NULL)
    return false;
  bool is_first = store->n_layers == 0;
  const int64_t shape[] = { -1, is_first ? -1 : store->n_layers, is_first ? -1 : store->width };
  split->in = cw_tensor_file_require(split->file, "act_in", 3, shape, error);
  if (split->in == NULL)
    return false;
  split->out = cw_tensor_file_require(split->file, "act_out", 3, split->in->shape, error);
  if (split->out == NULL || !check_floats(split, split->in, error) ||
      !check_floats(split, split->out, error))
    return false;
  split->n_rows = split->in->shape[0];
  store->n_layers = split->in->shape[1];
  store->width = split->in->shape[2];
  split->tokens = cw_tensor_file_find(split->file, "tokens");
  if (split->tokens == NULL)
    return true;
  if (cw_tensor_file_require(split->file, "tokens", 1, &split->n_rows, error) == NULL)
    return false;
  if (split->tokens->type == CW_TYPE_I64 || split->tokens->type == CW_TYPE_I32)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED, "%s: tokens must be I64 or I32", path);
  return false;
}

static bool
open_splits(CwActivations *activations, SplitStore *store, const char *path, GError **error)
{
  int64_t n_rows = 0;
  store->splits = g_new0(Split, store->paths->len);
  for (guint i = 0; i < store->paths->len; i++) {
    Split *split = &store->splits[i];
    store->n_splits = i + 1;
    if (!open_split(store, split, store->paths->pdata[i], error))
      return false;
    split->first_row = n_rows;
    n_rows += split->n_rows;
  }
  if (n_rows == 0 || store->n_layers == 0 || store->width == 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s holds no activations", path);
    return false;
  }
  store->frames = g_try_new(CwFrameFacts, (gsize)n_rows);
  if (store->frames == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "indexing activations");
    return false;
  }
  for (int64_t i = 0; i < n_rows; i++)
    store->frames[i] = (CwFrameFacts){ .first_row = i, .n_rows = 1 };
  activations->config.n_rows = activations->n_frames = n_rows;
  return true;
}

/* "..._12.safetensors" stands behind "..._9.safetensors". */
static int
compare_paths(gconstpointer a, gconstpointer b)
{
  g_autofree char *key_a = g_utf8_collate_key_for_filename(*(char *const *)a, -1);
  g_autofree char *key_b = g_utf8_collate_key_for_filename(*(char *const *)b, -1);
  return strcmp(key_a, key_b);
}

static GPtrArray *
list_splits(const char *path)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
  if (folder == NULL)
    g_ptr_array_add(paths, g_strdup(path));
  const char *name;
  while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
    if (g_str_has_suffix(name, ".safetensors"))
      g_ptr_array_add(paths, g_build_filename(path, name, NULL));
  g_ptr_array_sort(paths, compare_paths);
  return paths;
}

bool
cw_split_store_open(CwActivations *activations, const char *path, GError **error)
{
  SplitStore *store = g_new0(SplitStore, 1);
  activations->kind = &split_kind;
  activations->source = store;
  store->paths = list_splits(path);
  if (store->paths->len == 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: a folder with neither a cache's manifest.json nor .safetensors splits",
                path);
    return false;
  }
  if (!open_splits(activations, store, path, error))
    return false;
  CwActivationsConfig *config = &activations->config;
  config->n_layers = store->n_layers;
  config->width = store->width;
  config->model_name = config->model_hash = config->input_hook = config->output_hook = "";
  config->format = "clt-forge-split";
  config->codec = "none";
  activations->frames = store->frames;
  activations->pool_frames = POOL_ROWS;
  activations->ordered_frames = POOL_ROWS;
  return true;
}
