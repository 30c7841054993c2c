/* model-plan-hf.c - a model's plan from the config.json of a Hugging Face folder.
 *
 * Keys that are absent have the defaults of the family's configuration class, for published
 * files leave out what equals them. */
#include "model/model-plan.h"

#include <math.h>
#include <string.h>

#include "files/json-scan.h"

#define MAX_CONFIG_BYTES (4 << 20)

/* Reads members one after the other; the first mistake is kept in *error and ends it. */
typedef struct {
  JsonObject *object;
  const char *path;
  GError **error;
  bool is_ok;
} Reader;

/* In place of a default. */
#define REQUIRED (-(INT64_C(1) << 62))

static JsonNode *
find_member(const Reader *reader, const char *key)
{
  JsonNode *node = json_object_get_member(reader->object, key);
  return node != NULL && !JSON_NODE_HOLDS_NULL(node) ? node : NULL;
}

static void fail(Reader *reader, CwErrorCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
fail(Reader *reader, CwErrorCode code, const char *format, ...)
{
  if (!reader->is_ok)
    return;
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error(reader->error, CW_ERROR, code, "%s: %s", reader->path, text);
  reader->is_ok = false;
}

static double
read_double(Reader *reader, const char *key, double otherwise)
{
  JsonNode *node = find_member(reader, key);
  if (node == NULL) {
    if (otherwise == REQUIRED)
      fail(reader, CW_ERROR_NOT_FOUND, "\"%s\" is missing", key);
    return otherwise;
  }
  GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;
  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE) {
    fail(reader, CW_ERROR_FORMAT, "\"%s\" is no number", key);
    return otherwise;
  }
  return json_node_get_double(node);
}

static int64_t
read_int(Reader *reader, const char *key, int64_t otherwise)
{
  double value = read_double(reader, key, (double)otherwise);
  if (value != floor(value) || fabs(value) > 0x1p53) {
    fail(reader, CW_ERROR_FORMAT, "\"%s\" is %g, no whole number", key, value);
    return otherwise;
  }
  return (int64_t)value;
}

static bool
read_bool(Reader *reader, const char *key, bool otherwise)
{
  JsonNode *node = find_member(reader, key);
  if (node == NULL)
    return otherwise;
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
    fail(reader, CW_ERROR_FORMAT, "\"%s\" is neither true nor false", key);
    return otherwise;
  }
  return json_node_get_boolean(node);
}

/* NULL if absent. */
static const char *
read_string(Reader *reader, const char *key)
{
  JsonNode *node = find_member(reader, key);
  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
    fail(reader, CW_ERROR_FORMAT, "\"%s\" is no text", key);
    return NULL;
  }
  return json_node_get_string(node);
}

static JsonObject *
read_object(Reader *reader, const char *key)
{
  JsonNode *node = find_member(reader, key);
  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT(node)) {
    fail(reader, CW_ERROR_FORMAT, "\"%s\" is no object", key);
    return NULL;
  }
  return json_node_get_object(node);
}

static CwkActivation
read_activation(Reader *reader, const char *key, const char *otherwise)
{
  static const struct {
    const char *name;
    CwkActivation activation;
  } known[] = {
    { "silu", CWK_SILU },
    { "swish", CWK_SILU },
    { "gelu", CWK_GELU_ERF },
    { "gelu_new", CWK_GELU_TANH },
    { "gelu_pytorch_tanh", CWK_GELU_TANH },
    { "relu", CWK_RELU },
  };
  const char *name = read_string(reader, key);
  if (name == NULL)
    name = otherwise;
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
    if (g_str_equal(name, known[i].name))
      return known[i].activation;
  fail(reader, CW_ERROR_UNSUPPORTED,
       "activation \"%s\" is not known; silu, gelu, gelu_new, gelu_pytorch_tanh and relu are",
       name);
  return CWK_SILU;
}

/* ---- rotary positions ------------------------------------------------------------------- */

/* One set of rope parameters; older files call the kind "type". */
static void
read_rope_object(Reader *reader, JsonObject *object, CwRopePlan *rope)
{
  Reader part = { object, reader->path, reader->error, reader->is_ok };
  const char *type = read_string(&part, "rope_type");
  if (type == NULL)
    type = read_string(&part, "type");
  rope->base = read_double(&part, "rope_theta", rope->base);
  if (type != NULL && g_str_equal(type, "linear")) {
    rope->scaling = CW_ROPE_LINEAR;
    rope->factor = read_double(&part, "factor", REQUIRED);
  } else if (type != NULL && g_str_equal(type, "llama3")) {
    rope->scaling = CW_ROPE_LLAMA3;
    rope->factor = read_double(&part, "factor", REQUIRED);
    rope->low_factor = read_double(&part, "low_freq_factor", REQUIRED);
    rope->high_factor = read_double(&part, "high_freq_factor", REQUIRED);
    rope->original_context = read_double(&part, "original_max_position_embeddings", REQUIRED);
    if (part.is_ok && !(rope->high_factor > rope->low_factor && rope->low_factor > 0 &&
                        rope->original_context > 0))
      fail(&part, CW_ERROR_FORMAT, "the factors of \"llama3\" rope scaling make no range");
  } else if (type != NULL && !g_str_equal(type, "default")) {
    fail(&part, CW_ERROR_UNSUPPORTED,
         "rope scaling \"%s\" is not supported; default, linear and llama3 are", type);
  }
  if (part.is_ok && rope->scaling != CW_ROPE_PLAIN && !(rope->factor > 0))
    fail(&part, CW_ERROR_FORMAT, "the rope scaling factor is %g, not positive", rope->factor);
  reader->is_ok = part.is_ok;
}

/* "rope_theta" with "rope_scaling", or, from transformers 5 on, "rope_parameters", which may
 * hold one set per kind of layer. */
static void
read_rope(Reader *reader, CwModelPlan *plan, double base)
{
  plan->rope = (CwRopePlan){ .base = read_double(reader, "rope_theta", base) };
  JsonObject *parameters = read_object(reader, "rope_parameters");
  JsonObject *scaling = read_object(reader, "rope_scaling");
  plan->local_rope = plan->rope;
  if (plan->config.architecture == CW_ARCHITECTURE_GEMMA3)
    plan->local_rope =
        (CwRopePlan){ .base = read_double(reader, "rope_local_base_freq", 10000) };
  if (parameters != NULL && json_object_has_member(parameters, "full_attention")) {
    Reader sets = { parameters, reader->path, reader->error, reader->is_ok };
    JsonObject *full = read_object(&sets, "full_attention");
    JsonObject *sliding = read_object(&sets, "sliding_attention");
    reader->is_ok = sets.is_ok;
    if (full != NULL)
      read_rope_object(reader, full, &plan->rope);
    if (sliding != NULL)
      read_rope_object(reader, sliding, &plan->local_rope);
  } else if (parameters != NULL || scaling != NULL) {
    read_rope_object(reader, parameters != NULL ? parameters : scaling, &plan->rope);
    if (plan->config.architecture != CW_ARCHITECTURE_GEMMA3)
      plan->local_rope = plan->rope;
  }
  if (reader->is_ok && !(plan->rope.base > 0 && plan->local_rope.base > 0))
    fail(reader, CW_ERROR_FORMAT, "the base of the rotary positions is not positive");
}

/* ---- windows ---------------------------------------------------------------------------- */

/* "layer_types" where the file has it, else every period-th layer is global. */
static void
read_windows(Reader *reader, CwModelPlan *plan, int64_t window, int64_t period)
{
  if (!reader->is_ok)
    return;
  reader->is_ok = cw_model_plan_set_windows(plan, window, period, reader->path, reader->error);
  JsonNode *types = find_member(reader, "layer_types");
  if (!reader->is_ok || types == NULL || window == 0)
    return;
  JsonArray *array = JSON_NODE_HOLDS_ARRAY(types) ? json_node_get_array(types) : NULL;
  if (array == NULL || json_array_get_length(array) != plan->config.n_layers) {
    fail(reader, CW_ERROR_FORMAT, "\"layer_types\" does not name each of %d layers",
         (int)plan->config.n_layers);
    return;
  }
  for (guint l = 0; l < json_array_get_length(array); l++) {
    JsonNode *node = json_array_get_element(array, l);
    const char *type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
    if (type != NULL && g_str_equal(type, "sliding_attention"))
      plan->windows[l] = window;
    else if (type != NULL && g_str_equal(type, "full_attention"))
      plan->windows[l] = 0;
    else
      fail(reader, CW_ERROR_UNSUPPORTED,
           "layer type \"%s\" is not supported; full_attention and sliding_attention are",
           type != NULL ? type : "(none)");
  }
}

/* ---- the families ----------------------------------------------------------------------- */

static void
read_gpt2(Reader *reader, CwModelPlan *plan)
{
  CwModelConfig *config = &plan->config;
  config->width = read_int(reader, "n_embd", REQUIRED);
  config->n_layers = read_int(reader, "n_layer", REQUIRED);
  config->n_heads = config->n_kv_heads = read_int(reader, "n_head", REQUIRED);
  config->n_context = read_int(reader, "n_positions", 1024);
  config->mlp_width = read_int(reader, "n_inner", 4 * config->width);
  config->activation = read_activation(reader, "activation_function", "gelu_new");
  config->norm_epsilon = (float)read_double(reader, "layer_norm_epsilon", 1e-5);
  config->is_tied = read_bool(reader, "tie_word_embeddings", true);
  config->is_layer_norm = true;
  if (config->n_heads > 0)
    config->head_width = config->width / config->n_heads;
  if (reader->is_ok && config->head_width * config->n_heads != config->width)
    fail(reader, CW_ERROR_FORMAT, "\"n_embd\" is no multiple of \"n_head\"");
  if (read_bool(reader, "scale_attn_by_inverse_layer_idx", false))
    fail(reader, CW_ERROR_UNSUPPORTED, "\"scale_attn_by_inverse_layer_idx\" is not supported");
  config->attention_scale = 1.0f;
  if (read_bool(reader, "scale_attn_weights", true))
    config->attention_scale = (float)(1.0 / sqrt((double)config->head_width));
  plan->has_input_rows = plan->is_fused_qkv = true;
  read_windows(reader, plan, 0, 0);
}

typedef struct {
  int64_t n_heads, n_kv_heads, head_width; /* 0: derived */
  int64_t n_context;
  double epsilon, rope_base, query_scalar;
  const char *activation_key, *activation;
  bool is_tied;
} Defaults;

/* What Llama, Qwen 3 and the Gemmas have in common. */
static void
read_rotary_family(Reader *reader, CwModelPlan *plan, const Defaults *defaults)
{
  CwModelConfig *config = &plan->config;
  config->width = read_int(reader, "hidden_size", REQUIRED);
  config->n_layers = read_int(reader, "num_hidden_layers", REQUIRED);
  config->mlp_width = read_int(reader, "intermediate_size", REQUIRED);
  config->n_heads = read_int(reader, "num_attention_heads",
                             defaults->n_heads > 0 ? defaults->n_heads : REQUIRED);
  config->n_kv_heads =
      read_int(reader, "num_key_value_heads",
               defaults->n_kv_heads > 0 ? defaults->n_kv_heads : config->n_heads);
  int64_t derived = config->n_heads > 0 ? config->width / config->n_heads : 0;
  config->head_width =
      read_int(reader, "head_dim", defaults->head_width > 0 ? defaults->head_width : derived);
  config->n_context = read_int(reader, "max_position_embeddings", defaults->n_context);
  config->norm_epsilon = (float)read_double(reader, "rms_norm_eps", defaults->epsilon);
  config->activation = read_activation(reader, defaults->activation_key, defaults->activation);
  config->is_tied = read_bool(reader, "tie_word_embeddings", defaults->is_tied);
  config->is_gated = true;
  plan->n_rotary = config->head_width;
  double scalar = defaults->query_scalar;
  scalar = scalar > 0 ? read_double(reader, "query_pre_attn_scalar", scalar)
                      : (double)config->head_width;
  config->attention_scale = (float)(1.0 / sqrt(scalar));
  read_rope(reader, plan, defaults->rope_base);
}

static void
read_llama(Reader *reader, CwModelPlan *plan)
{
  static const Defaults defaults = { .n_context = 2048,
                                     .epsilon = 1e-6,
                                     .rope_base = 10000,
                                     .activation_key = "hidden_act",
                                     .activation = "silu" };
  read_rotary_family(reader, plan, &defaults);
  read_windows(reader, plan, 0, 0);
}

static void
read_qwen3(Reader *reader, CwModelPlan *plan)
{
  static const Defaults defaults = { .n_kv_heads = 32,
                                     .head_width = 128,
                                     .n_context = 32768,
                                     .epsilon = 1e-6,
                                     .rope_base = 10000,
                                     .activation_key = "hidden_act",
                                     .activation = "silu" };
  read_rotary_family(reader, plan, &defaults);
  plan->config.has_qk_norms = true;
  int64_t window = read_int(reader, "sliding_window", 4096);
  if (!read_bool(reader, "use_sliding_window", false))
    window = 0;
  if (window > 0 && find_member(reader, "layer_types") == NULL)
    fail(reader, CW_ERROR_UNSUPPORTED,
         "\"use_sliding_window\" without \"layer_types\" does not say which layers slide");
  read_windows(reader, plan, window, 0);
}

static void
read_gemma(Reader *reader, CwModelPlan *plan)
{
  bool is_gemma3 = plan->config.architecture == CW_ARCHITECTURE_GEMMA3;
  Defaults defaults = { .n_heads = 8,
                        .n_kv_heads = 4,
                        .head_width = 256,
                        .n_context = is_gemma3 ? 131072 : 8192,
                        .epsilon = 1e-6,
                        .rope_base = is_gemma3 ? 1000000 : 10000,
                        .query_scalar = 256,
                        .activation_key = "hidden_activation",
                        .activation = "gelu_pytorch_tanh",
                        .is_tied = true };
  read_rotary_family(reader, plan, &defaults);
  CwModelConfig *config = &plan->config;
  config->has_post_norms = true;
  config->has_qk_norms = is_gemma3;
  plan->adds_one_to_norms = true;
  config->embedding_scale = (float)sqrt((double)config->width);
  /* Gemma 2 has caps unless its file says null; Gemma 3 has none unless its file says so. */
  bool has_key = json_object_has_member(reader->object, "attn_logit_softcapping");
  config->attention_soft_cap =
      (float)read_double(reader, "attn_logit_softcapping", is_gemma3 || has_key ? 0 : 50);
  has_key = json_object_has_member(reader->object, "final_logit_softcapping");
  config->logit_soft_cap =
      (float)read_double(reader, "final_logit_softcapping", is_gemma3 || has_key ? 0 : 30);
  if (read_bool(reader, "use_bidirectional_attention", false))
    fail(reader, CW_ERROR_UNSUPPORTED, "bidirectional attention is not supported");
  int64_t period = is_gemma3 ? read_int(reader, "sliding_window_pattern", 6) : 2;
  read_windows(reader, plan, read_int(reader, "sliding_window", 4096), period);
}

static void
read_family(Reader *reader, CwModelPlan *plan)
{
  static const struct {
    const char *type;
    CwArchitecture architecture;
    void (*read)(Reader *, CwModelPlan *);
  } families[] = {
    { "gpt2", CW_ARCHITECTURE_GPT2, read_gpt2 },
    { "llama", CW_ARCHITECTURE_LLAMA, read_llama },
    { "gemma2", CW_ARCHITECTURE_GEMMA2, read_gemma },
    { "gemma3", CW_ARCHITECTURE_GEMMA3, read_gemma },
    { "gemma3_text", CW_ARCHITECTURE_GEMMA3, read_gemma },
    { "qwen3", CW_ARCHITECTURE_QWEN3, read_qwen3 },
  };
  const char *type = read_string(reader, "model_type");
  if (type == NULL) {
    fail(reader, CW_ERROR_FORMAT, "\"model_type\" is missing: no description of a model");
    return;
  }
  /* Gemma 3 with a picture encoder keeps the language model's sizes in an object of its own. */
  JsonObject *text = g_str_equal(type, "gemma3") ? read_object(reader, "text_config") : NULL;
  if (text != NULL)
    reader->object = text;
  for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
    if (g_str_equal(type, families[i].type)) {
      plan->config.architecture = families[i].architecture;
      families[i].read(reader, plan);
      return;
    }
  fail(reader, CW_ERROR_UNSUPPORTED,
       "architecture \"%s\" is not supported; gpt2, llama, gemma2, gemma3 and qwen3 are", type);
}

CwModelPlan *
cw_model_plan_new_from_hf(const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename(folder, "config.json", NULL);
  g_autoptr(JsonNode) root = cw_json_load(path, MAX_CONFIG_BYTES, error);
  if (root == NULL)
    return NULL;
  g_autoptr(CwModelPlan) plan = g_new0(CwModelPlan, 1);
  plan->config.embedding_scale = 1.0f;
  Reader reader = { json_node_get_object(root), path, error, true };
  const char *name = read_string(&reader, "_name_or_path");
  bool is_name = name != NULL && *name != '\0' && strchr(name, '\\') == NULL && *name != '.';
  plan->name = is_name ? g_strdup(name) : g_path_get_basename(folder);
  plan->given = is_name && !g_path_is_absolute(name) ? g_strdup(name) : NULL;
  plan->config.given = plan->given;
  read_family(&reader, plan);
  plan->config.n_vocabulary = read_int(&reader, "vocab_size", 0);
  plan->config.name = plan->name;
  if (!reader.is_ok || !cw_model_plan_check(plan, path, error))
    return NULL;
  return g_steal_pointer(&plan);
}
