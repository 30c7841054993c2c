/* checkpoint.c - see checkpoint.h.
 *
 * checkpoint-<step>/state.safetensors holds every array as it lies in memory (parameters.h says
 * how), checkpoint.json the rest and a checksum (XXH3, 64 bits) of every tensor. */
#include "train/checkpoint.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "files/folder.h"
#include "files/json-checksum.h"
#include "files/safetensors-writer.h"
#include "train/settings.h"

#define FORMAT         "clew-checkpoint"
#define VERSION        1
#define MANIFEST       CW_CHECKPOINT_MANIFEST
#define STATE          CW_CHECKPOINT_STATE
#define KEEP           "keep"
#define PREFIX         "checkpoint-"
#define N_KEPT         2
#define MAX_JSON_BYTES ((size_t)4 << 20)
#define CHUNK_BYTES    ((size_t)8 << 20)

void
cw_checkpoint_note_clear(CwCheckpointNote *note)
{
  g_clear_pointer(&note->data_cursor, g_free);
  g_clear_pointer(&note->data_hash, g_free);
}

/* ---- arrays -------------------------------------------------------------------------------
 */

typedef struct {
  CwTensorOut tensor; /* its name is owned */
  void *data;
  size_t n_bytes;
} Array;

static void
clear_array(gpointer array)
{
  g_free((char *)((Array *)array)->tensor.name);
}

static void
add_array(GArray *arrays, char *name, const char *dtype, void *data, int n_dims, int64_t d0,
          int64_t d1, int64_t d2)
{
  Array array = { .tensor = { name, dtype, n_dims, { d0, d1, d2 }, data }, .data = data };
  array.n_bytes = (size_t)d0 * (size_t)(n_dims > 1 ? d1 : 1) * (size_t)(n_dims > 2 ? d2 : 1) *
                  (dtype[0] == 'I' ? sizeof(int64_t) : sizeof(float));
  g_array_append_val(arrays, array);
}

static void
add_moments(GArray *arrays, const char *name, const CwMoments *moments, int64_t offset,
            int n_dims, int64_t d0, int64_t d1, int64_t d2)
{
  const char *const kinds[] = { "value", "m", "v" };
  float *const data[] = { moments->value, moments->m, moments->v };
  for (int i = 0; i < 3; i++)
    add_array(arrays, g_strdup_printf("%s.%s", name, kinds[i]), "F32", data[i] + offset, n_dims,
              d0, d1, d2);
}

/* The arrays of a checkpoint in the order in which they are written: wide elements first, as
 * alignment asks. */
static GArray *
list_arrays(const CwTrainer *trainer)
{
  const CwParameters *p = &trainer->parameters;
  int64_t n_layers = p->n_layers, n = p->n_features, padded = cw_parameters_padded_width(p);
  GArray *arrays = g_array_new(FALSE, FALSE, sizeof(Array));
  g_array_set_clear_func(arrays, clear_array);
  add_array(arrays, g_strdup("silent_steps"), "I64", p->silent_steps, 2, n_layers, n, 0);
  add_array(arrays, g_strdup("threshold"), "F32", p->threshold, 2, n_layers, n, 0);
  add_array(arrays, g_strdup("norm"), "F32", p->norm, 2, n_layers, n, 0);
  add_array(arrays, g_strdup("scale_in"), "F32", p->scale_in, 1, n_layers, 0, 0);
  add_array(arrays, g_strdup("scale_out"), "F32", p->scale_out, 1, n_layers, 0, 0);
  add_moments(arrays, "bias", &p->bias, 0, 2, n_layers, n, 0);
  add_moments(arrays, "log_threshold", &p->log_threshold, 0, 2, n_layers, n, 0);
  add_moments(arrays, "decoder_bias", &p->decoder_bias, 0, 2, n_layers, padded, 0);
  add_moments(arrays, "encoder", &p->encoder, 0, 3, n_layers, n, padded);
  for (int64_t l = 0; l < n_layers; l++) {
    g_autofree char *name = g_strdup_printf("decoder.%d", (int)l);
    add_moments(arrays, name, &p->decoder, cw_parameters_decoder_offset(p, l), 3,
                cw_parameters_n_targets(p, l) * p->n_tiles, n, CWK_TILE);
  }
  return arrays;
}

/* ---- writing ------------------------------------------------------------------------------
 */

static bool
write_state(GArray *arrays, const char *path, GError **error)
{
  g_autofree CwTensorOut *tensors = g_new(CwTensorOut, arrays->len);
  for (guint i = 0; i < arrays->len; i++)
    tensors[i] = g_array_index(arrays, Array, i).tensor;
  static const char *const metadata[] = { "format", FORMAT, NULL };
  g_autoptr(CwSafetensorsWriter) writer =
      cw_safetensors_writer_begin(path, tensors, arrays->len, metadata, error);
  for (guint i = 0; writer != NULL && i < arrays->len; i++) {
    const Array *array = &g_array_index(arrays, Array, i);
    for (size_t at = 0; at < array->n_bytes; at += CHUNK_BYTES)
      if (!cw_safetensors_writer_append(writer, (const char *)array->data + at,
                                        MIN(CHUNK_BYTES, array->n_bytes - at), error))
        return false;
  }
  return writer != NULL && cw_safetensors_writer_finish(g_steal_pointer(&writer), error);
}

static void
append_number(GString *json, const char *name, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf(json, "  \"%s\": %s,\n", name,
                         g_ascii_dtostr(text, sizeof text, value));
}

static bool
write_manifest(const CwTrainer *trainer, const CwCheckpointNote *note, GArray *arrays,
               const char *path, GError **error)
{
  g_autoptr(GString) json = g_string_new("{\n");
  g_autofree char *settings = cw_train_settings_to_json(&trainer->settings);
  g_string_append_printf(json,
                         "  \"format\": \"" FORMAT "\",\n  \"version\": %d,\n"
                         "  \"step\": %" G_GINT64_FORMAT ",\n"
                         "  \"stream_position\": %" G_GINT64_FORMAT ",\n"
                         "  \"data_cursor\": \"%s\",\n"
                         "  \"data\": \"%s\",\n",
                         VERSION, trainer->step, note->stream_position,
                         note->data_cursor != NULL ? note->data_cursor : "",
                         note->data_hash != NULL ? note->data_hash : "");
  append_number(json, "unexplained_mean", trainer->unexplained_mean);
  append_number(json, "l0_mean", trainer->l0_mean);
  g_string_append_printf(json, "  \"settings\": %s  ,\"checksums\": {", settings);
  for (guint i = 0; i < arrays->len; i++) {
    const Array *array = &g_array_index(arrays, Array, i);
    g_string_append_printf(json, "%s\n    \"%s\": \"%016" G_GINT64_MODIFIER "x\"",
                           i > 0 ? "," : "", array->tensor.name,
                           (guint64)XXH3_64bits(array->data, array->n_bytes));
  }
  g_string_append(json, "\n  },\n");
  cw_json_checksum_append(json);
  return cw_file_write_atomic(path, json->str, json->len, error);
}

/* The manifest first: without it nobody takes the rest for a checkpoint. */
static void
remove_checkpoint(const char *path)
{
  cw_folder_remove(path, MANIFEST);
}

static void
remove_old(const char *folder)
{
  g_autoptr(GPtrArray) list = cw_checkpoint_list(folder);
  guint n = 0;
  for (guint i = 0; i < list->len; i++) {
    g_autofree char *keep = g_build_filename(list->pdata[i], KEEP, NULL);
    if (!g_file_test(keep, G_FILE_TEST_EXISTS) && ++n > N_KEPT)
      remove_checkpoint(list->pdata[i]);
  }
}

static bool
fill_folder(const CwTrainer *trainer, const CwCheckpointNote *note, const char *aside,
            bool is_kept, GError **error)
{
  g_autofree char *state = g_build_filename(aside, STATE, NULL);
  g_autofree char *manifest = g_build_filename(aside, MANIFEST, NULL);
  g_autofree char *keep = g_build_filename(aside, KEEP, NULL);
  g_autoptr(GArray) arrays = list_arrays(trainer);
  return write_state(arrays, state, error) &&
         (!is_kept || cw_file_write_atomic(keep, "", 0, error)) &&
         write_manifest(trainer, note, arrays, manifest, error);
}

bool
cw_checkpoint_write(const CwTrainer *trainer, const CwCheckpointNote *note, const char *folder,
                    bool is_kept, GError **error)
{
  g_autofree char *path =
      g_strdup_printf("%s/" PREFIX "%09" G_GINT64_FORMAT, folder, trainer->step);
  g_autofree char *aside = g_strdup_printf("%s/.partial-checkpoint", folder);
  remove_checkpoint(aside);
  if (g_mkdir_with_parents(aside, 0777) != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", aside, g_strerror(errno));
    return false;
  }
  bool is_written = fill_folder(trainer, note, aside, is_kept, error);
  if (is_written) {
    remove_checkpoint(path);
    if (g_rename(aside, path) != 0) {
      g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", path, g_strerror(errno));
      is_written = false;
    }
  }
  if (is_written)
    remove_old(folder);
  else
    remove_checkpoint(aside);
  return is_written;
}

/* ---- reading ------------------------------------------------------------------------------
 */

static gint
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)b, *(const char *const *)a);
}

GPtrArray *
cw_checkpoint_list(const char *folder)
{
  GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *manifest = g_build_filename(path, MANIFEST, NULL);
    if (g_str_has_prefix(name, PREFIX) && g_file_test(manifest, G_FILE_TEST_EXISTS))
      g_ptr_array_add(list, g_steal_pointer(&path));
  }
  g_ptr_array_sort(list, compare_names);
  return list;
}

JsonNode *
cw_checkpoint_load_manifest(const char *path, GError **error)
{
  g_autofree char *manifest = g_build_filename(path, MANIFEST, NULL);
  g_autoptr(JsonNode) root = cw_json_load(manifest, MAX_JSON_BYTES, error);
  if (root == NULL || !cw_json_checksum_check(manifest, "take an earlier checkpoint", error))
    return NULL;
  JsonObject *object = json_node_get_object(root);
  const char *format = json_object_get_string_member_with_default(object, "format", "");
  if (strcmp(format, FORMAT) != 0 ||
      json_object_get_int_member_with_default(object, "version", 0) != VERSION) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: is no checkpoint of version %d",
                manifest, VERSION);
    return NULL;
  }
  JsonNode *settings = json_object_get_member(object, "settings");
  JsonNode *checksums = json_object_get_member(object, "checksums");
  if (settings == NULL || !JSON_NODE_HOLDS_OBJECT(settings) || checksums == NULL ||
      !JSON_NODE_HOLDS_OBJECT(checksums)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: has no settings or checksums", manifest);
    return NULL;
  }
  return g_steal_pointer(&root);
}

bool
cw_checkpoint_read_settings(const char *path, CwTrainSettings *settings, int64_t *step,
                            GError **error)
{
  g_autoptr(JsonNode) root = cw_checkpoint_load_manifest(path, error);
  if (root == NULL)
    return false;
  JsonObject *object = json_node_get_object(root);
  *step = json_object_get_int_member_with_default(object, "step", 0);
  cw_train_settings_init(settings, CW_RECIPE_CLT_FORGE);
  return cw_train_settings_read_object(
      settings, json_object_get_object_member(object, "settings"), path, error);
}

static bool
damaged(const char *path, const char *name, GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
              "%s/" STATE ": tensor %s is damaged: its checksum differs; take an earlier "
              "checkpoint",
              path, name);
  return false;
}

const CwTensor *
cw_checkpoint_require_tensor(const CwTensorFile *file, JsonObject *checksums, const char *path,
                             const CwTensorOut *wanted, GError **error)
{
  const CwTensor *tensor =
      cw_tensor_file_require(file, wanted->name, wanted->n_dims, wanted->shape, error);
  if (tensor == NULL)
    return NULL;
  g_autofree char *sum = g_strdup_printf("%016" G_GINT64_MODIFIER "x",
                                         (guint64)XXH3_64bits(tensor->data, tensor->n_bytes));
  const char *expected =
      json_object_get_string_member_with_default(checksums, wanted->name, "");
  if (strcmp(sum, expected) == 0)
    return tensor;
  damaged(path, wanted->name, error);
  return NULL;
}

static bool
read_array(const Array *array, const CwTensorFile *file, JsonObject *checksums,
           const char *path, GError **error)
{
  const CwTensor *tensor =
      cw_checkpoint_require_tensor(file, checksums, path, &array->tensor, error);
  if (tensor == NULL)
    return false;
  if (tensor->n_bytes != array->n_bytes)
    return damaged(path, array->tensor.name, error);
  memcpy(array->data, tensor->data, array->n_bytes);
  return true;
}

bool
cw_checkpoint_read(CwTrainer *trainer, CwCheckpointNote *note, const char *path, GError **error)
{
  g_autoptr(JsonNode) root = cw_checkpoint_load_manifest(path, error);
  if (root == NULL)
    return false;
  g_autofree char *state = g_build_filename(path, STATE, NULL);
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(state, error);
  if (file == NULL)
    return false;
  JsonObject *object = json_node_get_object(root);
  JsonObject *checksums = json_object_get_object_member(object, "checksums");
  g_autoptr(GArray) arrays = list_arrays(trainer);
  for (guint i = 0; i < arrays->len; i++)
    if (!read_array(&g_array_index(arrays, Array, i), file, checksums, path, error))
      return false;
  trainer->step = json_object_get_int_member_with_default(object, "step", 0);
  trainer->unexplained_mean =
      json_object_get_double_member_with_default(object, "unexplained_mean", 0);
  trainer->l0_mean = json_object_get_double_member_with_default(object, "l0_mean", 0);
  trainer->is_initialised = true;
  note->stream_position = json_object_get_int_member_with_default(object, "stream_position", 0);
  note->data_cursor =
      g_strdup(json_object_get_string_member_with_default(object, "data_cursor", ""));
  note->data_hash = g_strdup(json_object_get_string_member_with_default(object, "data", ""));
  return true;
}
