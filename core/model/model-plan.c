/* model-plan.c - what the two readers of model descriptions share. */
#include "model/model-plan.h"

/* Ceilings far above any model there is; they keep products of two sizes in range. */
#define MAX_LAYERS  4096
#define MAX_WIDTH   (1 << 20)
#define MAX_CONTEXT (1 << 28)

void
cw_model_plan_free(CwModelPlan *plan)
{
  if (plan == NULL)
    return;
  g_free(plan->name);
  g_free(plan->given);
  g_free(plan->windows);
  g_free(plan);
}

typedef struct {
  const char *name;
  int64_t value, max;
} SizeLimit;

bool
cw_model_plan_check(const CwModelPlan *plan, const char *where, GError **error)
{
  const CwModelConfig *config = &plan->config;
  const SizeLimit limits[] = {
    { "layers", config->n_layers, MAX_LAYERS },
    { "residual width", config->width, MAX_WIDTH },
    { "attention heads", config->n_heads, MAX_WIDTH },
    { "key/value heads", config->n_kv_heads, MAX_WIDTH },
    { "head width", config->head_width, MAX_WIDTH },
    { "MLP width", config->mlp_width, MAX_WIDTH },
    { "context length", config->n_context, MAX_CONTEXT },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
    if (limits[i].value < 1 || limits[i].value > limits[i].max) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "%s: %s is %" G_GINT64_FORMAT "; a model has 1 to %" G_GINT64_FORMAT, where,
                  limits[i].name, limits[i].value, limits[i].max);
      return false;
    }
  if (config->n_heads % config->n_kv_heads != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: %" G_GINT64_FORMAT " attention heads are no multiple of %" G_GINT64_FORMAT
                " key/value heads",
                where, config->n_heads, config->n_kv_heads);
    return false;
  }
  if (config->n_heads * config->head_width > MAX_WIDTH || plan->n_rotary < 0 ||
      plan->n_rotary > config->head_width || plan->n_rotary % 2 != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: %" G_GINT64_FORMAT " heads of width %" G_GINT64_FORMAT
                " with %" G_GINT64_FORMAT " rotary dimensions are no attention",
                where, config->n_heads, config->head_width, plan->n_rotary);
    return false;
  }
  if (!(config->norm_epsilon >= 0) || !(config->attention_scale > 0) ||
      !(config->attention_soft_cap >= 0) || !(config->logit_soft_cap >= 0)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: norm epsilon, attention scale and soft caps must not be negative", where);
    return false;
  }
  return true;
}

bool
cw_model_plan_set_windows(CwModelPlan *plan, int64_t window, int64_t period, const char *where,
                          GError **error)
{
  int64_t n_layers = plan->config.n_layers;
  if (n_layers < 1 || n_layers > MAX_LAYERS) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: layers is %" G_GINT64_FORMAT "; a model has 1 to %d", where, n_layers,
                MAX_LAYERS);
    return false;
  }
  if (window < 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: the attention window is %" G_GINT64_FORMAT, where, window);
    return false;
  }
  g_free(plan->windows);
  plan->windows = g_new0(int64_t, n_layers);
  for (int64_t l = 0; period > 0 && l < n_layers; l++)
    plan->windows[l] = (l + 1) % period != 0 ? window : 0;
  return true;
}
