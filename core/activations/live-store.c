/* live-store.c - text and a model as a store of activations: nothing is kept, and batches are
 * all that it gives. */
#include "activations/live-private.h"

#define BUFFER_BYTES ((int64_t)1 << 30)

static void
free_store(gpointer data)
{
  CwLiveStore *store = data;
  cw_model_unref(store->model);
  g_strfreev(store->paths);
  g_free(store->text_field);
  g_free(store->hash);
  g_free(store);
}

static char *
dup_hash(gpointer data)
{
  const CwLiveStore *store = data;
  return g_strdup(store->hash);
}

static const CwStoreKind live_store_kind = {
  .free = free_store,
  .dup_hash = dup_hash,
  .open_stream = cw_live_batches_open,
};

/* All that the values and the order of rows depend on besides the options of a stream. */
static bool
hash_store(CwLiveStore *store, const CwTexts *texts, GError **error)
{
  const CwLiveOptions *options = &store->options;
  g_autofree char *text_hash = cw_texts_dup_identity(texts);
  const char *model_hash = cw_model_get_hash(store->model);
  if (text_hash == NULL || model_hash == NULL) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_IO,
                        "The model's or the text's files cannot be read whole");
    return false;
  }
  g_autofree char *line =
      g_strdup_printf("live 1 %s %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                      " %" G_GINT64_FORMAT " %d %s\n",
                      text_hash, model_hash, cw_texts_get_context(texts), options->buffer_bytes,
                      options->text.job, options->text.n_jobs, options->is_reduced,
                      store->text_field != NULL ? store->text_field : "text");
  store->hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, line, -1);
  return true;
}

CwActivations *
cw_activations_open_live(CwModel *model, const CwLiveOptions *options, GError **error)
{
  const CwModelConfig *config = cw_model_peek_config(model);
  CwLiveStore *store = g_new0(CwLiveStore, 1);
  store->model = cw_model_ref(model);
  store->paths = g_strdupv((char **)options->text.paths);
  store->text_field = g_strdup(options->text.text_field);
  store->options = *options;
  store->options.text.paths = (const char *const *)store->paths;
  store->options.text.text_field = store->text_field;
  if (options->buffer_bytes <= 0)
    store->options.buffer_bytes = BUFFER_BYTES;
  g_autoptr(CwTexts) texts = cw_texts_new(model, &store->options.text, error);
  if (texts == NULL || !hash_store(store, texts, error)) {
    free_store(store);
    return NULL;
  }
  CwActivations *activations = cw_activations_alloc();
  activations->kind = &live_store_kind;
  activations->source = store;
  activations->config = (CwActivationsConfig){
    .n_layers = config->n_layers,
    .width = config->width,
    .model_name = config->name,
    .model_hash = cw_model_get_hash(model),
    .input_hook = "ln2.hook_normalized",
    .output_hook = "hook_mlp_out",
    .context_tokens = cw_texts_get_context(texts),
    .format = "live",
    .codec = "none",
    .held_out_fraction = options->held_out_fraction < 0 ? 1.0 / 64 : options->held_out_fraction,
    .is_live = true,
  };
  return activations;
}
