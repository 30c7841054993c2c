/* evaluate-prompt.c - the scores of a prompt's attribution graph. */
#include "cw-attribution.h"
#include "cw-evaluate.h"

static void
describe(CwPromptQuality *quality, const CwGraph *graph, const CwAttributionDetail *detail)
{
  CwScores scores;
  cw_scores_compute(graph, NULL, &scores);
  quality->replacement = scores.replacement;
  quality->completeness = scores.completeness;
  quality->n_tokens = cw_graph_get_n_positions(graph);
  quality->n_active = detail->n_active;
  quality->n_selected = detail->n_selected;
  quality->top_token = (int32_t)detail->logit_tokens[0];
  quality->top_probability = (double)detail->logit_probabilities[0];
}

bool
cw_evaluate_prompt(CwTranscoder *transcoder, CwModel *model, CwkDevice *device,
                   const char *prompt, CwPromptQuality *quality, const CwProgress *progress,
                   CwCancel *cancel, GError **error)
{
  const CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  if (tokenizer == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "%s has no tokenizer, so that no prompt can be attributed",
                cw_model_peek_path(model));
    return false;
  }
  size_t n;
  CwAttributionOptions options;
  g_autoptr(CwAttributionDetail) detail = NULL;
  cw_attribution_options_init(&options);
  options.n_named_features = 0;
  g_autofree int32_t *tokens = cw_attribution_prompt(tokenizer, prompt, -1, &n, error);
  if (tokens == NULL)
    return false;
  g_autoptr(CwGraph) graph = cw_attribute(model, transcoder, device, tokens, n, &options,
                                          progress, cancel, &detail, error);
  if (graph == NULL)
    return false;
  describe(quality, graph, detail);
  return true;
}
