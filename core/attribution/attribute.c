/* attribute.c - attribution of a prompt, from tokens to a graph.
 *
 * Phases: a clean pass and its features (replacement.c), targets (targets.c), rows by reverse
 * sweeps in the order influence asks for (sweep.c, ranking.c), and the graph made of them
 * (package.c). */
#include "attribution/memory-check.h"
#include "attribution/package.h"
#include "attribution/ranking.h"
#include "attribution/sweep.h"
#include "attribution/targets.h"

#include <string.h>

/* Promoted tokens looked at for a name; a name takes the first three that say something. */
#define N_NAME_TOKENS 8

void
cw_attribution_options_init(CwAttributionOptions *options)
{
  *options = (CwAttributionOptions){
    .targets = CW_TARGETS_TOP_LOGITS,
    .max_n_logits = 10,
    .desired_logit_prob = 0.95,
    .batch_size = 256,
    .update_interval = 4,
    .max_feature_nodes = 7500,
    .n_named_features = 256,
  };
}

static bool
check_options(const CwAttributionOptions *options, GError **error)
{
  const char *wrong = NULL;
  if (options->targets == CW_TARGETS_TOP_LOGITS && options->max_n_logits < 1)
    wrong = "max_n_logits must be at least 1";
  else if (!(options->desired_logit_prob > 0 && options->desired_logit_prob <= 1))
    wrong = "desired_logit_prob must lie in (0, 1]";
  else if (options->batch_size < 1 || options->update_interval < 1)
    wrong = "batch_size and update_interval must be at least 1";
  else if (options->max_feature_nodes < 0)
    wrong = "max_feature_nodes must not be negative (0 means all)";
  if (wrong == NULL)
    return true;
  g_set_error_literal(error, CW_ERROR, CW_ERROR_ARGUMENT, wrong);
  return false;
}

/* ---- rows
 * ------------------------------------------------------------------------------------ */

static CwRow
feature_row(const CwReplacement *replacement, int64_t active)
{
  return (CwRow){ .layer = replacement->active_layer[active],
                  .position = replacement->active_position[active],
                  .active = active,
                  .value = replacement->activation[active] };
}

static bool
compute_logit_rows(CwSweep *sweep, CwRowStore *store, const CwTargetSet *targets,
                   CwCancel *cancel, GError **error)
{
  const CwReplacement *replacement = store->replacement;
  size_t width = (size_t)replacement->width;
  g_autofree CwRow *rows = g_new0(CwRow, targets->n);
  for (int64_t i = 0; i < targets->n; i++) {
    float *u = g_memdup2(targets->vectors + (size_t)i * width, width * sizeof(float));
    int64_t number = cw_sweep_add_logit(sweep, u, targets->constant[i]);
    rows[i] = (CwRow){ .layer = (int32_t)replacement->n_layers,
                       .position = (int32_t)replacement->n_positions - 1,
                       .active = -1 - number,
                       .value = targets->value[i] };
  }
  return cw_sweep_run(sweep, store, rows, (size_t)targets->n, cancel, error);
}

typedef struct {
  const CwAttributionOptions *options;
  CwCancel *cancel;
  double seconds_select;
} Run;

/* Features in steps of batch_size * update_interval, the most influential first; all at once
 * when every feature gets a row, for then the order does not matter. */
static bool
compute_feature_rows(Run *run, CwSweep *sweep, CwRowStore *store, const CwTargetSet *targets,
                     int64_t n_wanted, GError **error)
{
  const CwReplacement *replacement = store->replacement;
  int64_t K = replacement->n_active;
  bool is_ranked = n_wanted < K;
  int64_t step = run->options->batch_size * run->options->update_interval;
  g_autofree double *influence = g_try_new0(double, (gsize)MAX(K, 1));
  g_autofree uint8_t *is_visited = g_try_new0(uint8_t, (gsize)MAX(K, 1));
  g_autofree int64_t *taken = g_try_new(int64_t, (gsize)MAX(step, 1));
  g_autofree CwRow *rows = g_try_new(CwRow, (gsize)MAX(step, 1));
  if (influence == NULL || is_visited == NULL || taken == NULL || rows == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "choosing features");
    return false;
  }
  for (int64_t done = 0; done < n_wanted;) {
    int64_t n = MIN(step, n_wanted - done);
    gint64 before = g_get_monotonic_time();
    if (is_ranked) {
      if (!cw_ranking_influence(store, targets->probability, influence, run->cancel, error))
        return false;
      if (cw_ranking_take(influence, K, is_visited, n, taken, error) < 0)
        return false;
    }
    run->seconds_select += (double)(g_get_monotonic_time() - before) * 1e-6;
    for (int64_t i = 0; i < n; i++)
      rows[i] = feature_row(replacement, is_ranked ? taken[i] : done + i);
    if (!cw_memory_check_rows(store, rows, (size_t)n, error) ||
        !cw_sweep_run(sweep, store, rows, (size_t)n, run->cancel, error))
      return false;
    done += n;
  }
  return true;
}

/* Names, by active index, of the features with most influence among those with a row; NULL
 * entries for the others. Without a tokenizer there are no names. */
static GPtrArray *
name_features(const CwRowStore *store, const CwTargetSet *targets,
              const CwAttributionOptions *options, CwCancel *cancel, GError **error)
{
  const CwReplacement *replacement = store->replacement;
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(replacement->model);
  int64_t K = replacement->n_active, n = MIN(options->n_named_features, K);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_set_size(names, (gint)K);
  if (tokenizer == NULL || n <= 0)
    return g_steal_pointer(&names);
  g_autofree double *influence = g_try_new0(double, (gsize)K);
  g_autofree uint8_t *has_no_row = g_try_malloc((gsize)K);
  g_autofree int64_t *chosen = g_try_new(int64_t, (gsize)n);
  g_autofree int32_t *layers = g_try_new(int32_t, (gsize)n);
  g_autofree int32_t *tokens = g_try_new(int32_t, (gsize)n * N_NAME_TOKENS);
  g_autofree int64_t *features = g_try_new(int64_t, (gsize)n);
  if (influence == NULL || has_no_row == NULL || chosen == NULL || layers == NULL ||
      tokens == NULL || features == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "naming the features");
    return NULL;
  }
  memset(has_no_row, 1, (size_t)K);
  for (guint i = 0; i < store->rows->len; i++) {
    int64_t active = g_array_index(store->rows, CwRow, i).active;
    if (active >= 0)
      has_no_row[active] = 0;
  }
  if (!cw_ranking_influence(store, targets->probability, influence, cancel, error))
    return NULL;
  n = cw_ranking_take(influence, K, has_no_row, n, chosen, error);
  if (n < 0)
    return NULL;
  for (int64_t i = 0; i < n; i++) {
    layers[i] = replacement->active_layer[chosen[i]];
    features[i] = replacement->active_feature[chosen[i]];
  }
  if (!cw_feature_promotes(replacement->model, replacement->transcoder, replacement->device,
                           layers, features, (size_t)n, N_NAME_TOKENS, tokens, cancel, error))
    return NULL;
  for (int64_t i = 0; i < n; i++)
    names->pdata[chosen[i]] =
        cw_feature_dup_name(tokenizer, tokens + i * N_NAME_TOKENS, N_NAME_TOKENS);
  return g_steal_pointer(&names);
}

CwGraph *
cw_attribute(CwModel *model, CwTranscoder *transcoder, CwkDevice *device, const int32_t *tokens,
             size_t n_tokens, const CwAttributionOptions *options, const CwProgress *progress,
             CwCancel *cancel, CwAttributionDetail **detail, GError **error)
{
  if (!check_options(options, error) || !cw_attribution_check_prompt(model, n_tokens, error))
    return NULL;
  gint64 start = g_get_monotonic_time();
  CwForwardFlags logits =
      options->keeps_tensors ? CW_FORWARD_ALL_LOGITS : CW_FORWARD_LAST_LOGITS;
  g_autoptr(CwReplacement) replacement = cw_replacement_new(
      model, transcoder, device, tokens, n_tokens, logits, progress, cancel, error);
  if (replacement == NULL)
    return NULL;
  g_autoptr(CwTargetSet) targets = cw_target_set_new(replacement, options, error);
  if (targets == NULL)
    return NULL;
  gint64 forward_done = g_get_monotonic_time();
  g_autoptr(CwRowStore) store = cw_row_store_new(replacement);
  int64_t n_wanted = replacement->n_active;
  if (options->max_feature_nodes > 0)
    n_wanted = MIN(n_wanted, options->max_feature_nodes);
  if (!cw_memory_check_plan(store, n_wanted, error))
    return NULL;
  g_autoptr(CwSweep) sweep = cw_sweep_new(replacement, error);
  if (sweep == NULL)
    return NULL;
  Run run = { options, cancel, 0 };
  cw_sweep_watch(sweep, progress, targets->n + n_wanted);
  if (!compute_logit_rows(sweep, store, targets, cancel, error) ||
      !compute_feature_rows(&run, sweep, store, targets, n_wanted, error))
    return NULL;
  gint64 rows_done = g_get_monotonic_time();
  cw_progress_report(progress, "graph", 0);
  if (cw_cancel_check(cancel, error))
    return NULL;
  g_autoptr(GPtrArray) names = name_features(store, targets, options, cancel, error);
  if (names == NULL)
    return NULL;
  CwPackage package = { replacement, store, targets, options, names, cancel, 0 };
  g_autoptr(CwGraph) graph = cw_package_graph(&package, error);
  if (graph == NULL)
    return NULL;
  cw_progress_report(progress, "graph", 1);
  if (cw_cancel_check(cancel, error))
    return NULL;
  if (detail != NULL) {
    CwAttributionDetail *filled = cw_package_detail(&package, error);
    if (filled == NULL)
      return NULL;
    filled->seconds_forward = (double)(forward_done - start) * 1e-6;
    filled->seconds_select = run.seconds_select;
    filled->seconds_rows = (double)(rows_done - forward_done) * 1e-6 - run.seconds_select;
    filled->flop_rows = cw_sweep_get_flop(sweep);
    *detail = filled;
  }
  return g_steal_pointer(&graph);
}
