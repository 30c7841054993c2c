/* forward-tensors.c - a forward pass as a safetensors file. */
#include "forward-tensors.h"

#include <string.h>

/* The tensors to be written, and the memory made for them. */
typedef struct {
  GArray *tensors;   /* CwTensorOut */
  GPtrArray *memory; /* names and values made here */
} TensorList;

static void
tensor_list_clear(TensorList *list)
{
  g_array_unref(list->tensors);
  g_ptr_array_unref(list->memory);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TensorList, tensor_list_clear)

static void
add_matrix(TensorList *list, char *name, const float *data, int64_t n_rows, int64_t n_cols)
{
  CwTensorOut tensor = { name, "F32", 2, { n_rows, n_cols }, data };
  g_ptr_array_add(list->memory, name);
  g_array_append_val(list->tensors, tensor);
}

/* mlp_hat * gain + bias, [T, D]; NULL if there is no memory. */
static float *
dup_mlp_input(const float *hat, const CwLayer *layer, int64_t n_positions, int64_t width)
{
  float *input = g_try_new(float, (size_t)n_positions *(size_t)width);
  for (int64_t i = 0; input != NULL && i < n_positions * width; i++) {
    int64_t d = i % width;
    float bias = layer->ln2_bias != NULL ? layer->ln2_bias[d] : 0;
    input[i] = hat[i] * layer->ln2_weight[d] + bias;
  }
  return input;
}

static bool
add_taps(TensorList *list, const CwForward *forward, CwModel *model, GError **error)
{
  const CwModelConfig *config = cw_model_peek_config(model);
  int64_t n_positions = forward->n_positions, width = config->width;
  for (int64_t l = 0; l < config->n_layers; l++) {
    const float *hat = forward->mlp_hat + l * n_positions * width;
    float *input = dup_mlp_input(hat, cw_model_peek_layer(model, l), n_positions, width);
    if (input == NULL) {
      g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                  "no memory for the MLP inputs of %" G_GINT64_FORMAT
                  " positions; use a shorter "
                  "prompt",
                  n_positions);
      return false;
    }
    g_ptr_array_add(list->memory, input);
    int64_t first = l * n_positions * width;
    add_matrix(list, g_strdup_printf("resid_mid.%d", (int)l), forward->resid_mid + first,
               n_positions, width);
    add_matrix(list, g_strdup_printf("mlp_hat.%d", (int)l), hat, n_positions, width);
    add_matrix(list, g_strdup_printf("mlp_in.%d", (int)l), input, n_positions, width);
    add_matrix(list, g_strdup_printf("mlp_out.%d", (int)l), forward->mlp_out + first,
               n_positions, width);
  }
  return true;
}

bool
cwa_forward_write(const char *path, const CwForward *forward, CwModel *model,
                  const int32_t *tokens, GError **error)
{
  int64_t n_positions = forward->n_positions;
  g_auto(TensorList) list = { g_array_new(FALSE, FALSE, sizeof(CwTensorOut)),
                              g_ptr_array_new_with_free_func(g_free) };
  int64_t *ids = g_new(int64_t, (size_t)n_positions);
  g_ptr_array_add(list.memory, ids);
  for (int64_t t = 0; t < n_positions; t++)
    ids[t] = tokens[t];
  CwTensorOut input = { "input_tokens", "I64", 1, { n_positions }, ids };
  g_array_append_val(list.tensors, input);
  add_matrix(&list, g_strdup("logits"), forward->logits, forward->n_logit_rows,
             cw_model_peek_config(model)->n_vocabulary);
  if (forward->mlp_hat != NULL && !add_taps(&list, forward, model, error))
    return false;
  const char *metadata[] = { "program", "clew " CLEW_VERSION, "model", cw_model_get_hash(model),
                             NULL };
  return cw_safetensors_write(path, (const CwTensorOut *)list.tensors->data, list.tensors->len,
                              metadata, error);
}
