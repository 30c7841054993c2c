/* eval-summary.c - an evaluation as lines and tables for people. */
#include "eval-report.h"

#define LABEL_COLUMN 24

G_GNUC_PRINTF(3, 4)
static void
add_line(GString *out, const char *label, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_string_append_printf(out, "%-*s", LABEL_COLUMN, label);
  g_string_append_vprintf(out, format, args);
  g_string_append_c(out, '\n');
  va_end(args);
}

static double
percent(int64_t n, int64_t of)
{
  return of > 0 ? 100 * (double)n / (double)of : 0;
}

static void
add_transcoder(GString *out, const CwTranscoder *transcoder)
{
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  add_line(out, "Transcoder", "%s", cw_transcoder_peek_path(transcoder));
  add_line(out, "", "%s, %" G_GINT64_FORMAT " layers of %" G_GINT64_FORMAT " features, %s",
           config->kind == CW_TRANSCODER_CROSS_LAYER ? "cross-layer" : "per-layer",
           config->n_layers, config->n_features, config->format);
}

static void
add_texts(GString *out, const CwaEvaluation *evaluation)
{
  for (const char *const *path = evaluation->texts; *path != NULL; path++)
    add_line(out, path == evaluation->texts ? "Text" : "", "%s", *path);
}

static void
add_source(GString *out, const CwaEvaluation *evaluation)
{
  if (evaluation->store != NULL)
    add_line(out, "Activations", "%s (%s)", evaluation->store, evaluation->part);
  else
    add_texts(out, evaluation);
}

static void
add_totals(GString *out, const CwActivationQuality *quality)
{
  int64_t n = quality->n_layers * quality->n_features;
  add_line(out, "Tokens", "%" G_GINT64_FORMAT, quality->n_rows);
  add_line(out, "Explained variance", "%.4f mean over layers, %.4f of all layers together",
           quality->explained_variance, quality->pooled_explained_variance);
  add_line(out, "L0", "%.2f active features per token and layer", quality->l0);
  add_line(out, "Slope", "%.3f of prediction over target (1: nothing shrinks)", quality->slope);
  add_line(out, "Dead features", "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " (%.2f %%)",
           quality->n_dead, n, percent(quality->n_dead, n));
  add_line(out, "Dense features",
           "%" G_GINT64_FORMAT " fire on more than %.0f %% of the tokens", quality->n_dense,
           100 * CW_DENSE_RATE);
}

static void
add_layers(GString *out, const CwActivationQuality *quality)
{
  g_string_append(out, "\n        expl. error/energy    |error|/|output|  slope"
                       "            L0          dead  dense  decoder\n"
                       "layer    var.   own   share    median     95 %"
                       "          mean  median  95 %    %          norm\n");
  for (int64_t l = 0; l < quality->n_layers; l++) {
    const CwLayerQuality *layer = &quality->layers[l];
    g_string_append_printf(
        out,
        "%5d  %6.3f  %5.3f  %5.3f  %8.3f %8.3f  %5.3f  %7.2f  %6d %5d  %4.1f  %5d  %7.3g\n",
        (int)l, layer->explained_variance, layer->error_energy, layer->error_share,
        layer->error_median, layer->error_p95, layer->slope, layer->l0, (int)layer->l0_median,
        (int)layer->l0_p95, percent(layer->n_dead, quality->n_features), (int)layer->n_dense,
        layer->decoder_norms[3]);
  }
}

/* Counts of features by the decade of their firing rate. */
static void
add_rates(GString *out, const CwActivationQuality *quality)
{
  g_string_append(out, "\nFeatures by firing rate\n  never");
  for (int decade = CW_RATE_LEAST_LOG10; decade < 0; decade++)
    g_string_append_printf(out, "  1e%d..%d", decade, decade + 1);
  g_string_append_printf(out, "\n%7" G_GINT64_FORMAT, quality->n_dead);
  for (int first = 0; first < CW_RATE_BINS; first += CW_RATE_BINS_PER_DECADE) {
    int64_t n = 0;
    for (int64_t l = 0; l < quality->n_layers; l++)
      for (int i = first; i < first + CW_RATE_BINS_PER_DECADE; i++)
        n += quality->layers[l].rates[i];
    int width = first < CW_RATE_BINS - CW_RATE_BINS_PER_DECADE ? 10 : 9;
    g_string_append_printf(out, "%*" G_GINT64_FORMAT, width, n);
  }
  g_string_append_c(out, '\n');
}

/* ---- inside the model ------------------------------------------------------------------- */

static void
add_replaced(GString *out, const char *name, const CwReplacedQuality *quality, bool is_ablated)
{
  g_string_append_printf(out, "%-26s  %8.4f  %8.4f  %7.2f %%", name, quality->cross_entropy,
                         quality->kl, 100 * quality->agreement);
  if (!is_ablated)
    g_string_append_printf(out, "  %8.4f  %8.4f", quality->recovered_zero,
                           quality->recovered_mean);
  g_string_append_c(out, '\n');
}

static void
add_inside_layers(GString *out, const CwModelQuality *inside)
{
  g_string_append(out, "\nOne MLP at a time                                   recovered over\n"
                       "layer  cross-entropy       KL   same best      zero      mean"
                       "      zero KL   mean KL\n");
  for (int64_t l = 0; l < inside->n_layers; l++) {
    const CwReplacedLayer *layer = &inside->layers[l];
    g_string_append_printf(out,
                           "%5d       %8.4f %8.4f   %7.2f %%  %8.3f  %8.3f     %8.4f  %8.4f\n",
                           (int)l, layer->replaced.cross_entropy, layer->replaced.kl,
                           100 * layer->replaced.agreement, layer->replaced.recovered_zero,
                           layer->replaced.recovered_mean, layer->zero.kl, layer->mean.kl);
  }
}

static void
add_inside(GString *out, const CwaEvaluation *evaluation)
{
  const CwModelQuality *inside = evaluation->inside;
  bool is_first = evaluation->activations == NULL;
  g_string_append(out, is_first ? "" : "\n");
  if (is_first || evaluation->store != NULL)
    add_texts(out, evaluation);
  add_line(out, "Inside the model", "%" G_GINT64_FORMAT " predictions", inside->n_tokens);
  g_string_append(out, "                            cross-                            "
                       "recovered over\n"
                       "MLP outputs                entropy        KL  same best      zero"
                       "      mean\n");
  g_string_append_printf(out, "%-26s  %8.4f\n", "the model's own", inside->cross_entropy);
  add_replaced(out, "predicted from own stream", &inside->own_stream, false);
  add_replaced(out, "predicted, changed stream", &inside->changed_stream, false);
  add_replaced(out, "their means", &inside->mean, true);
  add_replaced(out, "zero", &inside->zero, true);
  if (inside->layers != NULL)
    add_inside_layers(out, inside);
}

/* ---- prompts ---------------------------------------------------------------------------- */

static void
add_prompts(GString *out, const CwaEvaluation *evaluation)
{
  double n = (double)evaluation->n_prompts, replacement = 0, completeness = 0;
  g_string_append(out, "\nreplacement  completeness  features  next token, prompt\n");
  for (size_t i = 0; i < evaluation->n_prompts; i++) {
    const CwPromptQuality *quality = &evaluation->prompt_qualities[i];
    g_autofree char *piece =
        cw_tokenizer_dup_quoted_piece(evaluation->tokenizer, quality->top_token);
    g_autofree char *prompt = cw_escape_dup(evaluation->prompts[i], true);
    replacement += quality->replacement;
    completeness += quality->completeness;
    g_string_append_printf(out, "%11.4f  %12.4f  %8" G_GINT64_FORMAT "  %s %.1f %%  %s\n",
                           quality->replacement, quality->completeness, quality->n_active,
                           piece, 100 * quality->top_probability, prompt);
  }
  if (evaluation->n_prompts > 1)
    g_string_append_printf(out, "%11.4f  %12.4f            mean of %d prompts\n",
                           replacement / n, completeness / n, (int)evaluation->n_prompts);
}

char *
cwa_evaluation_to_text(const CwaEvaluation *evaluation)
{
  GString *out = g_string_new(NULL);
  if (evaluation->model_name != NULL)
    add_line(out, "Model", "%s", evaluation->model_name);
  add_transcoder(out, evaluation->transcoder);
  if (evaluation->activations != NULL) {
    add_source(out, evaluation);
    add_totals(out, evaluation->activations);
    add_layers(out, evaluation->activations);
    add_rates(out, evaluation->activations);
  }
  if (evaluation->inside != NULL)
    add_inside(out, evaluation);
  if (evaluation->n_prompts > 0)
    add_prompts(out, evaluation);
  return g_string_free(out, FALSE);
}
