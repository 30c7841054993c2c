/* eval-report.c - an evaluation as JSON. */
#include "eval-report.h"

#include <json-glib/json-glib.h>
#include <math.h>

static void
add_text(JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name(json, name);
  json_builder_add_string_value(json, value);
}

static void
add_integer(JsonBuilder *json, const char *name, int64_t value)
{
  json_builder_set_member_name(json, name);
  json_builder_add_int_value(json, value);
}

/* JSON has no infinity; seven digits are more than the arithmetic holds. */
static void
add_value(JsonBuilder *json, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (isfinite(value))
    json_builder_add_double_value(
        json, g_ascii_strtod(g_ascii_formatd(text, sizeof text, "%.7g", value), NULL));
  else
    json_builder_add_null_value(json);
}

static void
add_number(JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name(json, name);
  add_value(json, value);
}

static void
add_transcoder(JsonBuilder *json, const CwTranscoder *transcoder)
{
  static const char *const gates[] = {
    [CW_GATE_RELU] = "relu", [CW_GATE_JUMPRELU] = "jump_relu", [CW_GATE_TOPK] = "topk"
  };
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  json_builder_set_member_name(json, "transcoder");
  json_builder_begin_object(json);
  add_text(json, "path", cw_transcoder_peek_path(transcoder));
  add_text(json, "format", config->format);
  add_text(json, "kind",
           config->kind == CW_TRANSCODER_CROSS_LAYER ? "cross_layer" : "per_layer");
  add_text(json, "activation", gates[config->gate]);
  add_integer(json, "n_layers", config->n_layers);
  add_integer(json, "n_features", config->n_features);
  add_integer(json, "width", config->width);
  json_builder_end_object(json);
}

static void
add_norms(JsonBuilder *json, const double *norms)
{
  static const char *const names[] = { "least", "p5", "p25", "median", "p75", "p95", "most" };
  json_builder_set_member_name(json, "decoder_norm");
  json_builder_begin_object(json);
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    add_number(json, names[i], norms[i]);
  json_builder_end_object(json);
}

static void
add_layer(JsonBuilder *json, int64_t l, const CwLayerQuality *layer)
{
  json_builder_begin_object(json);
  add_integer(json, "layer", l);
  add_number(json, "explained_variance", layer->explained_variance);
  add_number(json, "normalized_mse", layer->normalised_mse);
  add_number(json, "error_energy", layer->error_energy);
  add_number(json, "error_share", layer->error_share);
  add_number(json, "relative_error_median", layer->error_median);
  add_number(json, "relative_error_p95", layer->error_p95);
  add_number(json, "slope", layer->slope);
  add_number(json, "output_norm", layer->output_norm);
  add_number(json, "l0", layer->l0);
  add_integer(json, "l0_median", layer->l0_median);
  add_integer(json, "l0_p95", layer->l0_p95);
  add_integer(json, "l0_most", layer->l0_most);
  add_integer(json, "dead_features", layer->n_dead);
  add_integer(json, "dense_features", layer->n_dense);
  json_builder_set_member_name(json, "firing_rates");
  json_builder_begin_array(json);
  for (int i = 0; i < CW_RATE_BINS; i++)
    json_builder_add_int_value(json, layer->rates[i]);
  json_builder_end_array(json);
  add_norms(json, layer->decoder_norms);
  json_builder_end_object(json);
}

static void
add_paths(JsonBuilder *json, const char *name, const char *const *paths)
{
  json_builder_set_member_name(json, name);
  json_builder_begin_array(json);
  for (; *paths != NULL; paths++)
    json_builder_add_string_value(json, *paths);
  json_builder_end_array(json);
}

static void
add_source(JsonBuilder *json, const CwaEvaluation *evaluation)
{
  if (evaluation->store != NULL) {
    add_text(json, "store", evaluation->store);
    add_text(json, "part", evaluation->part);
  } else {
    add_paths(json, "text", evaluation->texts);
    add_integer(json, "context_tokens", evaluation->context_tokens);
  }
}

static void
add_activations(JsonBuilder *json, const CwaEvaluation *evaluation)
{
  const CwActivationQuality *quality = evaluation->activations;
  double n_features = (double)(quality->n_layers * quality->n_features);
  json_builder_set_member_name(json, "activations");
  json_builder_begin_object(json);
  add_source(json, evaluation);
  add_integer(json, "n_tokens", quality->n_rows);
  add_number(json, "explained_variance", quality->explained_variance);
  add_number(json, "normalized_mse", 1 - quality->explained_variance);
  add_number(json, "pooled_explained_variance", quality->pooled_explained_variance);
  add_number(json, "l0", quality->l0);
  add_number(json, "slope", quality->slope);
  add_integer(json, "dead_features", quality->n_dead);
  add_number(json, "dead_share", (double)quality->n_dead / n_features);
  add_integer(json, "dense_features", quality->n_dense);
  add_number(json, "firing_rate_least_log10", CW_RATE_LEAST_LOG10);
  add_number(json, "firing_rate_bin_log10", 1.0 / CW_RATE_BINS_PER_DECADE);
  json_builder_set_member_name(json, "layers");
  json_builder_begin_array(json);
  for (int64_t l = 0; l < quality->n_layers; l++)
    add_layer(json, l, &quality->layers[l]);
  json_builder_end_array(json);
  json_builder_end_object(json);
}

static void
add_replaced(JsonBuilder *json, const char *name, const CwReplacedQuality *quality,
             bool is_ablated)
{
  json_builder_set_member_name(json, name);
  json_builder_begin_object(json);
  add_number(json, "cross_entropy", quality->cross_entropy);
  add_number(json, "kl", quality->kl);
  add_number(json, "top1_agreement", quality->agreement);
  if (!is_ablated) {
    add_number(json, "recovered_over_zero", quality->recovered_zero);
    add_number(json, "recovered_over_mean", quality->recovered_mean);
  }
  json_builder_end_object(json);
}

static void
add_inside(JsonBuilder *json, const CwaEvaluation *evaluation)
{
  const CwModelQuality *inside = evaluation->inside;
  json_builder_set_member_name(json, "inside_model");
  json_builder_begin_object(json);
  add_paths(json, "text", evaluation->texts);
  add_integer(json, "context_tokens", evaluation->context_tokens);
  add_integer(json, "n_tokens", inside->n_tokens);
  add_integer(json, "n_windows", inside->n_windows);
  add_number(json, "cross_entropy", inside->cross_entropy);
  add_replaced(json, "own_stream", &inside->own_stream, false);
  add_replaced(json, "changed_stream", &inside->changed_stream, false);
  add_replaced(json, "zero", &inside->zero, true);
  add_replaced(json, "mean", &inside->mean, true);
  if (inside->layers != NULL) {
    json_builder_set_member_name(json, "layers");
    json_builder_begin_array(json);
    for (int64_t l = 0; l < inside->n_layers; l++) {
      json_builder_begin_object(json);
      add_integer(json, "layer", l);
      add_replaced(json, "replaced", &inside->layers[l].replaced, false);
      add_replaced(json, "zero", &inside->layers[l].zero, true);
      add_replaced(json, "mean", &inside->layers[l].mean, true);
      json_builder_end_object(json);
    }
    json_builder_end_array(json);
  }
  json_builder_end_object(json);
}

static void
add_prompts(JsonBuilder *json, const CwaEvaluation *evaluation)
{
  json_builder_set_member_name(json, "prompts");
  json_builder_begin_array(json);
  for (size_t i = 0; i < evaluation->n_prompts; i++) {
    const CwPromptQuality *quality = &evaluation->prompt_qualities[i];
    g_autofree char *piece = cw_tokenizer_dup_piece(evaluation->tokenizer, quality->top_token);
    json_builder_begin_object(json);
    add_text(json, "prompt", evaluation->prompts[i]);
    add_integer(json, "n_tokens", quality->n_tokens);
    add_integer(json, "active_features", quality->n_active);
    add_integer(json, "graph_features", quality->n_selected);
    add_number(json, "replacement", quality->replacement);
    add_number(json, "completeness", quality->completeness);
    add_text(json, "next_token", piece != NULL ? piece : "");
    add_integer(json, "next_token_id", quality->top_token);
    add_number(json, "next_token_probability", quality->top_probability);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

char *
cwa_evaluation_to_json(const CwaEvaluation *evaluation)
{
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  add_text(json, "format", "clew-evaluation");
  add_integer(json, "version", 1);
  add_text(json, "clew_version", CLEW_VERSION);
  add_text(json, "device", evaluation->device);
  add_integer(json, "seed", evaluation->seed);
  if (evaluation->model_name != NULL)
    add_text(json, "model", evaluation->model_name);
  add_transcoder(json, evaluation->transcoder);
  if (evaluation->activations != NULL)
    add_activations(json, evaluation);
  if (evaluation->inside != NULL)
    add_inside(json, evaluation);
  if (evaluation->n_prompts > 0)
    add_prompts(json, evaluation);
  json_builder_end_object(json);
  g_autoptr(JsonGenerator) generator = json_generator_new();
  g_autoptr(JsonNode) root = json_builder_get_root(json);
  json_generator_set_root(generator, root);
  json_generator_set_pretty(generator, TRUE);
  g_autofree char *text = json_generator_to_data(generator, NULL);
  return g_strconcat(text, "\n", NULL);
}
