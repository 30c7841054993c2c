/* checkpoint-facts.c - what a checkpoint is, and whether its bytes are those that were written,
 * without a trainer to hold them. */
#include "train/checkpoint.h"

void
cw_checkpoint_facts_clear(CwCheckpointFacts *facts)
{
  g_clear_pointer(&facts->data_hash, g_free);
  g_clear_pointer(&facts->settings_json, g_free);
}

bool
cw_checkpoint_is_folder(const char *path)
{
  g_autofree char *manifest = g_build_filename(path, CW_CHECKPOINT_MANIFEST, NULL);
  return g_file_test(manifest, G_FILE_TEST_EXISTS);
}

bool
cw_checkpoint_describe(const char *path, CwCheckpointFacts *facts, GError **error)
{
  CwTrainSettings settings;
  int64_t step;
  g_autoptr(JsonNode) root = cw_checkpoint_load_manifest(path, error);
  if (root == NULL || !cw_checkpoint_read_settings(path, &settings, &step, error))
    return false;
  JsonObject *object = json_node_get_object(root);
  *facts = (CwCheckpointFacts){
    .step = step,
    .stream_position = json_object_get_int_member_with_default(object, "stream_position", 0),
    .l0_mean = json_object_get_double_member_with_default(object, "l0_mean", 0),
    .unexplained_mean =
        json_object_get_double_member_with_default(object, "unexplained_mean", 0),
    .data_hash = g_strdup(json_object_get_string_member_with_default(object, "data", "")),
    .settings_json = cw_train_settings_to_json(&settings),
  };
  return true;
}

static bool
verify_tensors(const CwTensorFile *file, JsonObject *checksums, const char *path,
               const CwProgress *progress, CwCancel *cancel, GError **error)
{
  size_t n = cw_tensor_file_get_n_tensors(file);
  for (size_t i = 0; i < n; i++) {
    const CwTensor *tensor = cw_tensor_file_peek_tensor(file, i);
    CwTensorOut wanted = { .name = tensor->name, .n_dims = tensor->n_dims };
    for (int d = 0; d < tensor->n_dims; d++)
      wanted.shape[d] = tensor->shape[d];
    if (cw_cancel_check(cancel, error) ||
        cw_checkpoint_require_tensor(file, checksums, path, &wanted, error) == NULL)
      return false;
    cw_progress_report(progress, "verify", (double)(i + 1) / (double)n);
  }
  return true;
}

/* What the manifest names and the file lacks. */
static bool
has_all(const CwTensorFile *file, JsonObject *checksums, GError **error)
{
  g_autoptr(GList) names = json_object_get_members(checksums);
  for (GList *l = names; l != NULL; l = l->next)
    if (cw_tensor_file_find(file, l->data) == NULL) {
      g_set_error(
          error, CW_ERROR, CW_ERROR_FORMAT,
          "%s: has no tensor %s, which its checkpoint names; take an earlier checkpoint",
          cw_tensor_file_peek_path(file), (const char *)l->data);
      return false;
    }
  return true;
}

bool
cw_checkpoint_verify(const char *path, const CwProgress *progress, CwCancel *cancel,
                     GError **error)
{
  g_autoptr(JsonNode) root = cw_checkpoint_load_manifest(path, error);
  g_autofree char *state = g_build_filename(path, CW_CHECKPOINT_STATE, NULL);
  g_autoptr(CwTensorFile) file = root != NULL ? cw_tensor_file_open(state, error) : NULL;
  if (file == NULL)
    return false;
  JsonObject *object = json_node_get_object(root);
  JsonObject *checksums = json_object_get_object_member(object, "checksums");
  return has_all(file, checksums, error) &&
         verify_tensors(file, checksums, path, progress, cancel, error);
}
