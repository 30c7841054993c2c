/* settings.c - the settings of a training run, by one table: reading, checking, writing and
 * help are all made from it, so that no key is accepted that nothing reads. */
#include <math.h>
#include <string.h>

#include "train/settings.h"

#define MAX_JSON_BYTES ((size_t)1 << 20)

typedef enum { KEY_INTEGER, KEY_NUMBER, KEY_FLAG, KEY_CHOICE } KeyKind;

typedef struct {
  const char *name;
  KeyKind kind;
  size_t offset;
  double initial, least, most;
  const char *const *choices;
  const char *unit, *help;
} Key;

static const char *const recipes[] = { "clt-forge", "anthropic-2025-01", NULL };
static const char *const gates[] = { "jumprelu", "topk", "batchtopk", "alltopk", NULL };
static const char *const warm_ups[] = { "linear", "cosine", NULL };
static const char *const straight_throughs[] = { "threshold", "all", NULL };
static const char *const encoder_inits[] = { "uniform", "tied", NULL };

#define AT(member) offsetof(CwTrainSettings, member)
#define INTEGER(member, initial, least, most, unit, help)                    \
  {                                                                          \
#    member, KEY_INTEGER, AT(member), initial, least, most, NULL, unit, help \
  }
#define NUMBER(member, initial, least, most, unit, help)                    \
  {                                                                         \
#    member, KEY_NUMBER, AT(member), initial, least, most, NULL, unit, help \
  }
#define FLAG(member, initial, help)                              \
  {                                                              \
#    member, KEY_FLAG, AT(member), initial, 0, 1, NULL, "", help \
  }
#define CHOICE(member, initial, choices, help)                        \
  {                                                                   \
#    member, KEY_CHOICE, AT(member), initial, 0, 0, choices, "", help \
  }

static const Key keys[] = {
  CHOICE(recipe, CW_RECIPE_CLT_FORGE, recipes, "defaults of all other keys"),
  INTEGER(n_layers, 0, 0, 1024, "layers", "must be the activations'; 0 takes theirs"),
  INTEGER(d_model, 0, 0, 1 << 20, "columns", "must be the activations'; 0 takes theirs"),
  INTEGER(d_latent, 0, 0, 1 << 24, "features", "features per layer; 0: 8 times the width"),
  FLAG(cross_layer_decoders, 1, "a feature writes to its own and all later layers"),
  CHOICE(activation, CW_TRAIN_JUMPRELU, gates, "which features are active"),
  INTEGER(k, 0, 0, 1 << 24, "features", "active per token and layer, for all but jumprelu"),
  INTEGER(first_layer_k, 0, 0, 1 << 24, "features",
          "active in the first layer, falling to k in later ones: what early layers say in one "
          "step, circuits need not pass through many; topk and batchtopk; 0: k"),
  NUMBER(first_layer_k_half, 1.5, 0.01, 1024, "layers",
         "over so many layers the difference of first_layer_k and k halves"),
  NUMBER(jumprelu_init_threshold, 0.03, 1e-6, 1e6, "", "threshold of every feature at first"),
  NUMBER(jumprelu_bandwidth, 1, 1e-6, 1e6, "",
         "width of the rectangle that passes gradients to thresholds"),
  CHOICE(straight_through, CW_THROUGH_THRESHOLD, straight_throughs,
         "what learns through the jump: thresholds, or all that stands before it"),
  CHOICE(encoder_init, CW_ENCODER_UNIFORM, encoder_inits,
         "encoders drawn by themselves, or tied to what the feature writes at its own layer"),
  NUMBER(init_firing_rate, 0.02, 0, 0.5, "share of tokens",
         "encoder biases are set such that features begin firing this often; 0: no bias"),
  INTEGER(batch, 1024, 1, 1 << 24, "tokens", "tokens of a step"),
  INTEGER(gradient_accumulation_steps, 1, 1, 1 << 20, "",
          "a step takes this many times `batch` tokens, held in memory together"),
  FLAG(shuffle, 1, "draw tokens from the whole store, anew each pass"),
  FLAG(normalise, 1, "scale inputs and outputs to the norm sqrt(d_model), per layer"),
  INTEGER(n_batches_for_norm_estimate, 10, 1, 1 << 20, "batches",
          "read ahead of training to find the scales"),
  INTEGER(n_batches_for_bias_init, 5, 1, 1 << 20, "batches",
          "read ahead of training to set encoder biases"),
  INTEGER(seed, 42, 0, 9007199254740992.0, "", "of all that is drawn"),
  INTEGER(total_steps, 10000, 1, 1e12, "steps", "length of the schedules"),
  INTEGER(steps, 0, 0, 1e12, "steps", "steps to run, at most total_steps; 0: all"),
  NUMBER(lr, 4e-4, 0, 10, "", "learning rate"),
  INTEGER(lr_warm_up_steps, 1000, 0, 1e12, "steps", "learning rate rises from 0"),
  CHOICE(lr_warm_up_type, CW_WARM_UP_COSINE, warm_ups, "shape of that rise"),
  INTEGER(lr_decay_steps, 1000, 0, 1e12, "steps", "learning rate falls, at the end"),
  NUMBER(final_lr_scale, 0, 0, 1, "share of lr", "what it falls to"),
  NUMBER(l0_coefficient, 2, 0, 1e9, "", "weight of the tanh penalty on active features"),
  INTEGER(l0_waiting_steps, 0, 0, 1e12, "steps", "steps without that penalty at first"),
  INTEGER(l0_warm_up_steps, 7000, 0, 1e12, "steps", "steps over which it rises"),
  CHOICE(l0_warm_up_type, CW_WARM_UP_LINEAR, warm_ups, "shape of that rise"),
  NUMBER(tanh_scale, 4, 0, 1e6, "", "c in tanh(c a n)"),
  NUMBER(dead_penalty_coef, 1e-5, 0, 1e9, "",
         "weight of the penalty on pre-activations below the threshold"),
  NUMBER(outlier_norm, 0, 0, 1e9, "times the layer's mean norm",
         "an output longer than this counts as one of this length in the squared error; with a "
         "few tokens hundreds of times as long, all else is lost beside them; 0: as it is"),
  NUMBER(adam_beta1, 0.9, 0, 0.999999, "", "decay of the mean gradient"),
  NUMBER(adam_beta2, 0.999, 0, 0.99999999, "", "decay of the mean square gradient"),
  NUMBER(adam_eps, 1e-8, 0, 1, "", "added to the root of the mean square"),
  NUMBER(grad_clip_norm, 1, 0, 1e12, "", "largest norm of all gradients together; 0: any"),
  INTEGER(dead_feature_window, 250, 0, 1e12, "steps",
          "a feature that did not fire for longer is counted as dead"),
  INTEGER(resample_every_steps, 0, 0, 1e12, "steps",
          "dead features begin anew at tokens with large errors, until the learning rate "
          "falls; 0: never"),
  INTEGER(log_every_steps, 10, 1, 1e12, "steps", "a line of metrics every so often"),
  INTEGER(eval_every_steps, 500, 0, 1e12, "steps", "held-out evaluation; 0: only at the end"),
  INTEGER(eval_tokens, 8192, 0, 1 << 30, "tokens", "held-out tokens of an evaluation"),
  INTEGER(checkpoint_every_steps, 1000, 0, 1e12, "steps", "0: only at the end"),
  NUMBER(held_out_fraction, -1, -1, 0.5, "share of documents",
         "never trained on; below 0: what the cache holds out, none of plain splits"),
  NUMBER(optimal_l0, 0, 0, 1e9, "features per token and layer",
         "stop when as few are active, a mean over 100 steps; 0: never"),
  NUMBER(checkpoint_l0, 0, 0, 1e9, "features per token and layer",
         "keep a checkpoint when as few are active; 0: never"),
  NUMBER(loss_spike_factor, 10, 0, 1e12, "times",
         "stop when the unexplained share of the variance leaps over its running mean so far; "
         "0: only if the loss is not finite"),
};

/* What differs from the table's defaults; reference: clt-forge.md 2.12. */
static void
apply_anthropic_2025_01(CwTrainSettings *settings)
{
  settings->jumprelu_init_threshold = 0.1;
  settings->jumprelu_bandwidth = 2;
  settings->straight_through = CW_THROUGH_ALL;
  settings->encoder_init = CW_ENCODER_TIED;
  settings->dead_penalty_coef = 3e-6;
  settings->l0_coefficient = 10;
  settings->lr = 2e-4;
  settings->lr_warm_up_steps = 0;
}

/* Schedules in parts of the run, where the recipe says parts. */
static void
apply_parts(CwTrainSettings *settings)
{
  int64_t n = settings->total_steps;
  bool is_anthropic = settings->recipe == CW_RECIPE_ANTHROPIC_2025_01;
  settings->lr_decay_steps = is_anthropic ? n / 5 : n / 20;
  settings->l0_warm_up_steps = is_anthropic ? n : n * 7 / 10;
  if (!is_anthropic)
    settings->lr_warm_up_steps = MIN(1000, n / 10);
}

static void *
member(const CwTrainSettings *settings, const Key *key)
{
  return (char *)settings + key->offset;
}

static void
store(CwTrainSettings *settings, const Key *key, double value)
{
  switch (key->kind) {
  case KEY_INTEGER:
    *(int64_t *)member(settings, key) = (int64_t)value;
    break;
  case KEY_NUMBER:
    *(double *)member(settings, key) = value;
    break;
  case KEY_FLAG:
    *(bool *)member(settings, key) = value != 0;
    break;
  case KEY_CHOICE:
    *(int *)member(settings, key) = (int)value;
    break;
  }
}

void
cw_train_settings_init(CwTrainSettings *settings, CwRecipe recipe)
{
  memset(settings, 0, sizeof *settings);
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
    store(settings, &keys[i], keys[i].initial);
  settings->recipe = recipe;
  if (recipe == CW_RECIPE_ANTHROPIC_2025_01)
    apply_anthropic_2025_01(settings);
  apply_parts(settings);
}

/* ---- one value -------------------------------------------------------------------------- */

static const Key *
find_key(const char *name, const char *place, GError **error)
{
  /* CLT-Forge's own names for what the golden cases call otherwise. */
  if (strcmp(name, "train_batch_size_tokens") == 0)
    name = "batch";
  const Key *nearest = NULL;
  size_t least = SIZE_MAX;
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
    size_t d = cw_edit_distance(name, keys[i].name);
    if (d == 0)
      return &keys[i];
    if (d < least) {
      least = d;
      nearest = &keys[i];
    }
  }
  if (least <= 3 + strlen(name) / 4)
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: unknown key \"%s\"; \"%s\" is meant?",
                place, name, nearest->name);
  else
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "%s: unknown key \"%s\"; `clew train --help` lists all keys", place, name);
  return NULL;
}

static bool
wrong_value(const Key *key, const char *place, const char *given, GError **error)
{
  g_autofree char *choices =
      key->choices != NULL ? g_strjoinv(", ", (char **)key->choices) : NULL;
  if (choices != NULL)
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: %s is %s; it takes one of %s", place,
                key->name, given, choices);
  else if (key->kind == KEY_FLAG)
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: %s is %s; it takes true or false",
                place, key->name, given);
  else
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "%s: %s is %s; it takes %s from %.10g to %.10g%s%s", place, key->name, given,
                key->kind == KEY_INTEGER ? "a whole number" : "a number", key->least, key->most,
                *key->unit != '\0' ? " " : "", key->unit);
  return false;
}

static bool
store_number(CwTrainSettings *settings, const Key *key, double value, const char *place,
             const char *given, GError **error)
{
  bool is_right =
      isfinite(value) && value >= key->least && value <= key->most &&
      (key->kind == KEY_NUMBER || (key->kind == KEY_INTEGER && value == floor(value)));
  if (!is_right)
    return wrong_value(key, place, given, error);
  store(settings, key, value);
  return true;
}

static bool
store_text(CwTrainSettings *settings, const Key *key, const char *text, const char *place,
           GError **error)
{
  for (int i = 0; key->kind == KEY_CHOICE && key->choices[i] != NULL; i++)
    if (strcmp(text, key->choices[i]) == 0) {
      store(settings, key, i);
      return true;
    }
  bool is_true = strcmp(text, "true") == 0;
  if (key->kind == KEY_FLAG && (is_true || strcmp(text, "false") == 0)) {
    store(settings, key, is_true);
    return true;
  }
  char *end = NULL;
  double value = g_ascii_strtod(text, &end);
  if (*text != '\0' && *end == '\0' && (key->kind == KEY_NUMBER || key->kind == KEY_INTEGER))
    return store_number(settings, key, value, place, text, error);
  return wrong_value(key, place, text, error);
}

static void
apply_recipe(CwTrainSettings *settings, const Key *key, const CwTrainSettings *before)
{
  if (key->offset == AT(recipe) && settings->recipe != before->recipe)
    cw_train_settings_init(settings, (CwRecipe)settings->recipe);
  else if (key->offset == AT(total_steps))
    apply_parts(settings);
}

bool
cw_train_settings_set(CwTrainSettings *settings, const char *name, const char *value,
                      GError **error)
{
  const Key *key = find_key(name, "settings", error);
  CwTrainSettings before = *settings;
  if (key == NULL || !store_text(settings, key, value, "settings", error))
    return false;
  apply_recipe(settings, key, &before);
  return true;
}

/* ---- JSON ------------------------------------------------------------------------------- */

static bool
read_member(CwTrainSettings *settings, const char *name, JsonNode *node, const char *place,
            GError **error)
{
  const Key *key = find_key(name, place, error);
  if (key == NULL)
    return false;
  CwTrainSettings before = *settings;
  g_autofree char *given = json_to_string(node, FALSE);
  GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;
  bool is_read;
  if (type == G_TYPE_STRING && key->kind == KEY_CHOICE)
    is_read = store_text(settings, key, json_node_get_string(node), place, error);
  else if (type == G_TYPE_BOOLEAN && key->kind == KEY_FLAG) {
    store(settings, key, json_node_get_boolean(node));
    is_read = true;
  } else if ((type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) &&
             (key->kind == KEY_INTEGER || key->kind == KEY_NUMBER))
    is_read = store_number(settings, key, json_node_get_double(node), place, given, error);
  else
    is_read = wrong_value(key, place, given, error);
  if (is_read)
    apply_recipe(settings, key, &before);
  return is_read;
}

/* Keys that set the defaults of others come first, wherever they stand. */
static const char *const leading[] = { "recipe", "total_steps" };

static bool
is_leading(const char *name)
{
  return strcmp(name, leading[0]) == 0 || strcmp(name, leading[1]) == 0;
}

bool
cw_train_settings_read_object(CwTrainSettings *settings, JsonObject *object, const char *place,
                              GError **error)
{
  CwTrainSettings read = *settings;
  for (size_t i = 0; i < G_N_ELEMENTS(leading); i++) {
    JsonNode *node = json_object_get_member(object, leading[i]);
    if (node != NULL && !read_member(&read, leading[i], node, place, error))
      return false;
  }
  g_autoptr(GList) names = json_object_get_members(object);
  for (GList *name = names; name != NULL; name = name->next)
    if (!is_leading(name->data) &&
        !read_member(&read, name->data, json_object_get_member(object, name->data), place,
                     error))
      return false;
  *settings = read;
  return true;
}

bool
cw_train_settings_read(CwTrainSettings *settings, const char *json, const char *place,
                       GError **error)
{
  g_autoptr(JsonNode) root = cw_json_parse(json, strlen(json), MAX_JSON_BYTES, place, error);
  return root != NULL &&
         cw_train_settings_read_object(settings, json_node_get_object(root), place, error);
}

static char *
value_text(const CwTrainSettings *settings, const Key *key)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  switch (key->kind) {
  case KEY_INTEGER:
    return g_strdup_printf("%" G_GINT64_FORMAT, *(int64_t *)member(settings, key));
  case KEY_FLAG:
    return g_strdup(*(bool *)member(settings, key) ? "true" : "false");
  case KEY_CHOICE:
    return g_strdup(key->choices[*(int *)member(settings, key)]);
  case KEY_NUMBER:
  default:
    return g_strdup(g_ascii_dtostr(number, sizeof number, *(double *)member(settings, key)));
  }
}

char *
cw_train_settings_to_json(const CwTrainSettings *settings)
{
  GString *json = g_string_new("{");
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
    g_autofree char *value = value_text(settings, &keys[i]);
    const char *quote = keys[i].kind == KEY_CHOICE ? "\"" : "";
    g_string_append_printf(json, "%s\n  \"%s\": %s%s%s", i > 0 ? "," : "", keys[i].name, quote,
                           value, quote);
  }
  g_string_append(json, "\n}\n");
  return g_string_free(json, FALSE);
}

/* For people: 0.03 and not 0.029999999999999999. */
static char *
shown_value(const CwTrainSettings *settings, const Key *key)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  if (key->kind != KEY_NUMBER)
    return value_text(settings, key);
  return g_strdup(
      g_ascii_formatd(number, sizeof number, "%.10g", *(double *)member(settings, key)));
}

size_t
cw_train_n_keys(void)
{
  return G_N_ELEMENTS(keys);
}

void
cw_train_describe_key(size_t i, CwRecipe recipe, CwTrainKey *key)
{
  CwTrainSettings settings;
  cw_train_settings_init(&settings, recipe);
  *key = (CwTrainKey){ .key = keys[i].name,
                       .unit = keys[i].unit,
                       .help = keys[i].help,
                       .initial = shown_value(&settings, &keys[i]),
                       .choices = keys[i].choices,
                       .is_flag = keys[i].kind == KEY_FLAG,
                       .is_integer = keys[i].kind == KEY_INTEGER,
                       .least = keys[i].least,
                       .most = keys[i].most };
}

/* ---- together --------------------------------------------------------------------------- */

static bool
contradiction(GError **error, const char *message)
{
  g_set_error_literal(error, CW_ERROR, CW_ERROR_ARGUMENT, message);
  return false;
}

bool
cw_train_settings_check(const CwTrainSettings *settings, GError **error)
{
  bool is_topk = settings->activation != CW_TRAIN_JUMPRELU;
  if (is_topk && settings->k == 0)
    return contradiction(error, "activation is not jumprelu: k must say how many features "
                                "are active");
  if (!is_topk && settings->k != 0)
    return contradiction(error, "k has a meaning only with activations other than jumprelu");
  if (is_topk && settings->straight_through == CW_THROUGH_ALL)
    return contradiction(error, "straight_through \"all\" has a meaning only with activation "
                                "jumprelu");
  if (settings->d_latent > 0 && settings->k > settings->d_latent)
    return contradiction(error, "k exceeds d_latent");
  if (settings->d_latent > 0 && settings->first_layer_k > settings->d_latent)
    return contradiction(error, "first_layer_k exceeds d_latent");
  if (settings->first_layer_k != 0 && settings->activation != CW_TRAIN_TOPK &&
      settings->activation != CW_TRAIN_BATCH_TOPK)
    return contradiction(error,
                         "first_layer_k has a meaning only with activation topk or batchtopk");
  if (settings->outlier_norm > 0 && !settings->normalise)
    return contradiction(error, "outlier_norm counts in mean norms: it needs normalise");
  if (settings->steps > settings->total_steps)
    return contradiction(error, "steps exceeds total_steps");
  if (settings->lr_warm_up_steps + settings->lr_decay_steps > settings->total_steps)
    return contradiction(error, "lr_warm_up_steps and lr_decay_steps exceed total_steps");
  if (settings->l0_waiting_steps + settings->l0_warm_up_steps > settings->total_steps)
    return contradiction(error, "l0_waiting_steps and l0_warm_up_steps exceed total_steps");
  if (settings->batch > G_MAXINT32 / settings->gradient_accumulation_steps)
    return contradiction(error, "batch times gradient_accumulation_steps is too large");
  return true;
}

int64_t
cw_train_settings_k(const CwTrainSettings *settings, int64_t layer)
{
  if (settings->first_layer_k == 0)
    return settings->k;
  double more = (double)(settings->first_layer_k - settings->k);
  double share = exp2(-(double)layer / settings->first_layer_k_half);
  return settings->k + (int64_t)round(more * share);
}
