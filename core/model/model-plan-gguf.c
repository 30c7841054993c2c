/* model-plan-gguf.c - a model's plan from the metadata of a GGUF file.
 *
 * Keys begin with the architecture's name. The format's writers keep some facts implicit: the
 * activation, which layers slide, the base of Gemma 3's local rope. */
#include "model/model-plan.h"

#include <math.h>

#include "model/model-name.h"

typedef struct {
  const CwTensorFile *file;
  const char *family;
  GError **error;
  bool is_ok;
} Reader;

/* In place of a default. */
#define REQUIRED (-(INT64_C(1) << 62))

static void
fail_missing(Reader *reader, const char *key)
{
  if (reader->is_ok)
    g_set_error(reader->error, CW_ERROR, CW_ERROR_NOT_FOUND,
                "%s: the metadata has no number \"%s.%s\"",
                cw_tensor_file_peek_path(reader->file), reader->family, key);
  reader->is_ok = false;
}

static int64_t
read_int(Reader *reader, const char *key, int64_t otherwise)
{
  g_autofree char *full = g_strdup_printf("%s.%s", reader->family, key);
  int64_t value;
  if (cw_tensor_file_get_int(reader->file, full, &value))
    return value;
  if (otherwise == REQUIRED)
    fail_missing(reader, key);
  return otherwise;
}

static double
read_double(Reader *reader, const char *key, double otherwise)
{
  g_autofree char *full = g_strdup_printf("%s.%s", reader->family, key);
  double value;
  if (cw_tensor_file_get_double(reader->file, full, &value))
    return value;
  if (otherwise == REQUIRED)
    fail_missing(reader, key);
  return otherwise;
}

/* "linear" with its factor; the other kinds need nothing (Llama 3's are a tensor) or are not
 * supported. */
static void
read_rope(Reader *reader, CwModelPlan *plan)
{
  bool is_gemma3 = plan->config.architecture == CW_ARCHITECTURE_GEMMA3;
  plan->rope.base = read_double(reader, "rope.freq_base", is_gemma3 ? 1000000 : 10000);
  g_autofree char *key = g_strdup_printf("%s.rope.scaling.type", reader->family);
  const char *type = "none";
  cw_tensor_file_get_string(reader->file, key, &type);
  plan->local_rope = plan->rope;
  if (g_str_equal(type, "linear")) {
    plan->rope.scaling = CW_ROPE_LINEAR;
    plan->rope.factor = read_double(reader, "rope.scaling.factor", REQUIRED);
  } else if (!g_str_equal(type, "none") && reader->is_ok) {
    g_set_error(reader->error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: rope scaling \"%s\" is not supported; none and linear are",
                cw_tensor_file_peek_path(reader->file), type);
    reader->is_ok = false;
  }
  if (is_gemma3)
    plan->local_rope.base = read_double(reader, "rope.freq_base_swa", 10000);
  else
    plan->local_rope = plan->rope;
  bool is_positive = plan->rope.base > 0 && plan->local_rope.base > 0 &&
                     (plan->rope.scaling == CW_ROPE_PLAIN || plan->rope.factor > 0);
  if (reader->is_ok && !is_positive) {
    g_set_error(reader->error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: base and scaling factor of the rotary positions must be positive",
                cw_tensor_file_peek_path(reader->file));
    reader->is_ok = false;
  }
}

static void
read_sizes(Reader *reader, CwModelPlan *plan)
{
  CwModelConfig *config = &plan->config;
  config->n_layers = read_int(reader, "block_count", REQUIRED);
  config->width = read_int(reader, "embedding_length", REQUIRED);
  config->mlp_width = read_int(reader, "feed_forward_length", REQUIRED);
  config->n_heads = read_int(reader, "attention.head_count", REQUIRED);
  config->n_kv_heads = read_int(reader, "attention.head_count_kv", config->n_heads);
  int64_t derived = config->n_heads > 0 ? config->width / config->n_heads : 0;
  config->head_width = read_int(reader, "attention.key_length", derived);
  int64_t value_width = read_int(reader, "attention.value_length", config->head_width);
  config->n_context = read_int(reader, "context_length", REQUIRED);
  if (reader->is_ok && value_width != config->head_width) {
    g_set_error(reader->error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: values of width %" G_GINT64_FORMAT
                " beside keys of width %" G_GINT64_FORMAT " are not supported",
                cw_tensor_file_peek_path(reader->file), value_width, config->head_width);
    reader->is_ok = false;
  }
}

static void
read_gemma(Reader *reader, CwModelPlan *plan)
{
  CwModelConfig *config = &plan->config;
  bool is_gemma3 = config->architecture == CW_ARCHITECTURE_GEMMA3;
  config->has_post_norms = true;
  config->has_qk_norms = is_gemma3;
  config->activation = CWK_GELU_TANH;
  config->embedding_scale = (float)sqrt((double)config->width);
  config->attention_soft_cap =
      (float)read_double(reader, "attn_logit_softcapping", is_gemma3 ? 0 : 50);
  config->logit_soft_cap =
      (float)read_double(reader, "final_logit_softcapping", is_gemma3 ? 0 : 30);
  /* The 27B models alone divide by the residual width per head, and the format has no key that
   * says so: they are known by their number of layers. */
  bool is_27b = config->n_layers == (is_gemma3 ? 62 : 46);
  double scalar = is_27b && config->n_heads > 0 ? (double)(config->width / config->n_heads)
                                                : (double)config->head_width;
  config->attention_scale = (float)(1.0 / sqrt(scalar));
}

static void
read_family(Reader *reader, CwModelPlan *plan)
{
  CwModelConfig *config = &plan->config;
  config->is_layer_norm = config->architecture == CW_ARCHITECTURE_GPT2;
  config->is_gated = !config->is_layer_norm;
  config->embedding_scale = 1.0f;
  config->norm_epsilon =
      (float)read_double(reader,
                         config->is_layer_norm ? "attention.layer_norm_epsilon"
                                               : "attention.layer_norm_rms_epsilon",
                         REQUIRED);
  config->attention_scale = (float)(1.0 / sqrt((double)config->head_width));
  config->activation = config->is_layer_norm ? CWK_GELU_TANH : CWK_SILU;
  config->has_qk_norms = config->architecture == CW_ARCHITECTURE_QWEN3;
  plan->is_fused_qkv = config->is_layer_norm;
  plan->is_rope_interleaved = config->architecture == CW_ARCHITECTURE_LLAMA;
  plan->is_head_optional = true;
  bool is_gemma = config->architecture == CW_ARCHITECTURE_GEMMA2 ||
                  config->architecture == CW_ARCHITECTURE_GEMMA3;
  if (is_gemma)
    read_gemma(reader, plan);
  if (!config->is_layer_norm) {
    plan->n_rotary = read_int(reader, "rope.dimension_count", config->head_width);
    read_rope(reader, plan);
  }
  int64_t period = config->architecture == CW_ARCHITECTURE_GEMMA3 ? 6 : 2;
  int64_t window = is_gemma ? read_int(reader, "attention.sliding_window", REQUIRED) : 0;
  if (is_gemma)
    period = read_int(reader, "attention.sliding_window_pattern", period);
  reader->is_ok = reader->is_ok && cw_model_plan_set_windows(
                                       plan, window, period,
                                       cw_tensor_file_peek_path(reader->file), reader->error);
}

CwModelPlan *
cw_model_plan_new_from_gguf(const CwTensorFile *file, GError **error)
{
  static const struct {
    const char *name;
    CwArchitecture architecture;
  } families[] = {
    { "gpt2", CW_ARCHITECTURE_GPT2 },     { "llama", CW_ARCHITECTURE_LLAMA },
    { "gemma2", CW_ARCHITECTURE_GEMMA2 }, { "gemma3", CW_ARCHITECTURE_GEMMA3 },
    { "qwen3", CW_ARCHITECTURE_QWEN3 },
  };
  const char *path = cw_tensor_file_peek_path(file), *family = NULL, *name = NULL;
  if (!cw_tensor_file_get_string(file, "general.architecture", &family)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: the metadata has no \"general.architecture\": no language model", path);
    return NULL;
  }
  g_autoptr(CwModelPlan) plan = g_new0(CwModelPlan, 1);
  size_t i = 0;
  while (i < G_N_ELEMENTS(families) && !g_str_equal(family, families[i].name))
    i++;
  if (i == G_N_ELEMENTS(families)) {
    g_set_error(
        error, CW_ERROR, CW_ERROR_UNSUPPORTED,
        "%s: architecture \"%s\" is not supported; gpt2, llama, gemma2, gemma3 and qwen3 are",
        path, family);
    return NULL;
  }
  plan->config.architecture = families[i].architecture;
  if (cw_tensor_file_get_string(file, "general.name", &name) && *name != '\0')
    plan->given = g_strdup(name);
  plan->name = cw_model_dup_name(path, plan->given);
  plan->config.name = plan->name;
  plan->config.given = plan->given;
  Reader reader = { file, family, error, true };
  read_sizes(&reader, plan);
  read_family(&reader, plan);
  if (!reader.is_ok || !cw_model_plan_check(plan, path, error))
    return NULL;
  return g_steal_pointer(&plan);
}
