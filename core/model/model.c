/* model.c - loading a model, and looking at it. */
#include "model/model-private.h"

#include "files/file-identity.h"

CwModel *
cw_model_ref(CwModel *model)
{
  g_atomic_ref_count_inc(&model->ref_count);
  return model;
}

void
cw_model_unref(CwModel *model)
{
  if (model == NULL || !g_atomic_ref_count_dec(&model->ref_count))
    return;
  cw_tokenizer_unref(model->tokenizer);
  g_ptr_array_unref(model->row_lists);
  g_free(model->layers);
  cw_weight_source_free(model->source);
  cw_model_plan_free(model->plan);
  g_mutex_clear(&model->hash_mutex);
  g_free(model->hash);
  g_free(model->path);
  g_free(model);
}

/* A model without text still runs on token ids, so an absent tokenizer is no error; a broken
 * one is. */
static bool
load_tokenizer(CwModel *model, GError **error)
{
  const CwTensorFile *file = model->source->files->pdata[0];
  const char *kind;
  if (cw_tensor_file_is_gguf(file)) {
    if (!cw_tensor_file_get_string(file, "tokenizer.ggml.model", &kind))
      return true;
    model->tokenizer = cw_tokenizer_new_from_gguf(file, error);
    return model->tokenizer != NULL;
  }
  g_autofree char *path = g_build_filename(model->path, "tokenizer.json", NULL);
  if (!g_file_test(path, G_FILE_TEST_EXISTS))
    return true;
  model->tokenizer = cw_tokenizer_new_from_json(path, error);
  return model->tokenizer != NULL;
}

static bool
load_plan(CwModel *model, GError **error)
{
  if (g_file_test(model->path, G_FILE_TEST_IS_DIR)) {
    /* The description first: of a folder that holds no model it says so most plainly. */
    model->plan = cw_model_plan_new_from_hf(model->path, error);
    if (model->plan == NULL)
      return false;
    model->source = cw_weight_source_new(model->path, error);
    return model->source != NULL;
  }
  model->source = cw_weight_source_new(model->path, error);
  if (model->source == NULL)
    return false;
  const CwTensorFile *file = model->source->files->pdata[0];
  if (!cw_tensor_file_is_gguf(file)) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "%s: weights without their description; give the folder that also holds "
                "config.json",
                model->path);
    return false;
  }
  model->plan = cw_model_plan_new_from_gguf(file, error);
  return model->plan != NULL;
}

CwModel *
cw_model_load(const char *path, GError **error)
{
  g_autoptr(CwModel) model = g_new0(CwModel, 1);
  g_atomic_ref_count_init(&model->ref_count);
  g_mutex_init(&model->hash_mutex);
  model->path = g_strdup(path);
  model->row_lists = g_ptr_array_new_with_free_func(g_free);
  if (!load_plan(model, error) || !cw_model_read_weights(model, error) ||
      !load_tokenizer(model, error))
    return NULL;
  return g_steal_pointer(&model);
}

const char *
cw_model_peek_path(const CwModel *model)
{
  return model->path;
}

const CwModelConfig *
cw_model_peek_config(const CwModel *model)
{
  return &model->plan->config;
}

CwTokenizer *
cw_model_peek_tokenizer(const CwModel *model)
{
  return model->tokenizer;
}

const CwLayer *
cw_model_peek_layer(const CwModel *model, int64_t l)
{
  return &model->layers[l].parts;
}

const CwkRows *
cw_model_peek_embedding(const CwModel *model)
{
  return &model->embedding;
}

const float *
cw_model_peek_positions(const CwModel *model)
{
  return model->positions;
}

const CwLinear *
cw_model_peek_unembedding(const CwModel *model)
{
  return &model->unembedding;
}

const float *
cw_model_peek_final_norm_weight(const CwModel *model)
{
  return model->final_norm_weight;
}

const float *
cw_model_peek_final_norm_bias(const CwModel *model)
{
  return model->final_norm_bias;
}

const char *
cw_model_get_hash(CwModel *model)
{
  g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&model->hash_mutex);
  if (model->hash != NULL)
    return model->hash;
  g_autoptr(GPtrArray) paths = g_ptr_array_new();
  for (guint i = 0; i < model->source->files->len; i++)
    g_ptr_array_add(paths, (gpointer)cw_tensor_file_peek_path(model->source->files->pdata[i]));
  model->hash = cw_files_dup_identity(paths);
  return model->hash;
}
