/* run-fields.c - see run-fields.h. Those of a training come from core's table of settings, so
 * that a new setting is in the form by itself; a few have words of their own and stand first.
 * Those of caches and evaluations are options of `clew cache` and `clew eval`; a test compares
 * them with the command's help. */
#include "runs/run-fields.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "cw-train.h"

#define MOST_INTEGER 9007199254740992.0

static const char *const codecs[] = { "none", "int8", "int4", NULL };
static const char *const devices[] = { "auto", "cpu", "cuda", NULL };
static const char *const parts[] = { "held-out", "training", "all", NULL };

#define COMMON   .is_common = true
#define REQUIRED .is_common = true, .is_required = true

static const CwuField activations_field = {
  "activations", N_("Activations"), N_("A cache, a .safetensors split, or a folder of such"),
  NULL,          CWU_FIELD_PATH,    REQUIRED,
};

/* Words for the settings of a training that come first, in this order. */
static const struct {
  const char *key, *title, *help, *unit;
} common_settings[] = {
  { "recipe", N_("Preset"), N_("Defaults of all other settings"), NULL },
  { "d_latent", N_("Features per layer"), N_("0: eight times the model's width"), NULL },
  { "activation", N_("Gate"), N_("What makes a feature active"), NULL },
  { "l0_coefficient", N_("Sparsity"),
    N_("Weight of the penalty on active features: more of it leaves fewer active"), NULL },
  { "k", N_("Active features"), N_("Per token and layer"), NULL },
  { "total_steps", N_("Steps"), N_("Length of the training and its schedules"), NULL },
  { "batch", N_("Tokens per step"), N_("More are steadier and take more memory"), NULL },
};

static const CwuField initial_field = {
  "initial", "initial", N_("Start from this transcoder: any format"), NULL, CWU_FIELD_PATH,
};

static const CwuField machine_fields[] = {
  { "device", "device", N_("What computes"), NULL, CWU_FIELD_CHOICE, devices },
  { "threads", "threads", N_("Processor threads; 0: one for each core"), NULL,
    CWU_FIELD_INTEGER, NULL, 0, 1024 },
};

static const CwuField cache_fields[] = {
  { "text", N_("Texts"), N_("Plain text, JSON lines, or folders of them; drop them here"), NULL,
    CWU_FIELD_PATHS, REQUIRED },
  { "model", N_("Model"), N_("GGUF file or Hugging Face folder"), NULL, CWU_FIELD_PATH,
    COMMON },
  { "tokens", N_("Tokens at most"), N_("0: all of the text"), NULL, CWU_FIELD_INTEGER, NULL, 0,
    MOST_INTEGER, COMMON },
  { "context", N_("Context"), N_("Tokens the model reads at a time"), NULL, CWU_FIELD_INTEGER,
    NULL, 2, 1 << 30, COMMON },
  { "quantise", N_("Compression"), N_("none keeps 16 bits of each value"), NULL,
    CWU_FIELD_CHOICE, codecs, COMMON },
  { "error", "error", N_("Relative error energy of each layer; 0 takes the codec's own"), NULL,
    CWU_FIELD_NUMBER, NULL, 0, 0.9 },
  { "held-out", "held-out", N_("Share of the documents kept apart for evaluation"), NULL,
    CWU_FIELD_NUMBER, NULL, 0, 0.99 },
  { "field", "field", N_("The member of JSON lines that holds the text"), NULL,
    CWU_FIELD_TEXT },
  { "batch", "batch", N_("Rows held in memory and mixed before they are written; 0: 512 MB"),
    NULL, CWU_FIELD_INTEGER, NULL, 0, 0x1p31 },
  { "reduced", "reduced", N_("Twice as fast, MLP outputs off by 1 to 5 %"), NULL,
    CWU_FIELD_FLAG },
  { "seed", "seed", N_("How rows of a batch are mixed"), NULL, CWU_FIELD_INTEGER, NULL, 0,
    MOST_INTEGER },
};

static const CwuField evaluation_fields[] = {
  { "transcoder", N_("Transcoder"), N_("A folder or file, or the folder of a training"), NULL,
    CWU_FIELD_PATH, COMMON },
  { "activations", N_("Activations"), N_("A cache, a .safetensors split, or a folder of such"),
    NULL, CWU_FIELD_PATH, COMMON },
  { "text", N_("Texts"), N_("Predicted with the transcoder in place of the MLPs"), NULL,
    CWU_FIELD_PATHS, COMMON },
  { "part", N_("Part"), N_("Tokens that the cache holds apart, the others, or all"), NULL,
    CWU_FIELD_CHOICE, parts, COMMON },
  { "limit", N_("Tokens at most"), N_("Drawn at random; 0: all"), NULL, CWU_FIELD_INTEGER, NULL,
    0, MOST_INTEGER, COMMON },
  { "samples", N_("Sample prompts"), N_("Score the attribution graphs of the sample circuits"),
    NULL, CWU_FIELD_FLAG, COMMON },
  { "model", "model", N_("GGUF file or Hugging Face folder"), NULL, CWU_FIELD_PATH },
  { "predictions", "predictions", N_("Next tokens of the text to predict; 0: none"), NULL,
    CWU_FIELD_INTEGER, NULL, 0, MOST_INTEGER },
  { "each-layer", "each-layer", N_("Replace also one layer's MLP at a time"), NULL,
    CWU_FIELD_FLAG },
  { "context", "context", N_("Tokens the model reads at a time"), NULL, CWU_FIELD_INTEGER, NULL,
    2, 1 << 30 },
  { "field", "field", N_("The member of JSON lines that holds the text"), NULL,
    CWU_FIELD_TEXT },
  { "seed", "seed", N_("Which tokens are drawn"), NULL, CWU_FIELD_INTEGER, NULL, 0,
    MOST_INTEGER },
};

/* With words in the user's language. */
static void
append(GArray *fields, const CwuField *field)
{
  CwuField translated = *field;
  translated.title = _(field->title);
  translated.help = _(field->help);
  g_array_append_val(fields, translated);
}

static void
append_all(GArray *fields, const CwuField *more, size_t n)
{
  for (size_t i = 0; i < n; i++)
    append(fields, &more[i]);
}

static CwuField
field_of_key(const CwTrainKey *key)
{
  return (CwuField){ .key = key->key,
                     .title = key->key,
                     .help = key->help,
                     .unit = key->unit,
                     .kind = key->is_flag      ? CWU_FIELD_FLAG
                             : key->choices    ? CWU_FIELD_CHOICE
                             : key->is_integer ? CWU_FIELD_INTEGER
                                               : CWU_FIELD_NUMBER,
                     .choices = key->choices,
                     .least = key->least,
                     .most = key->most };
}

static int
find_common(const char *key)
{
  for (size_t i = 0; i < G_N_ELEMENTS(common_settings); i++)
    if (strcmp(common_settings[i].key, key) == 0)
      return (int)i;
  return -1;
}

static void
append_settings(GArray *fields)
{
  guint first = fields->len;
  g_array_set_size(fields, first + G_N_ELEMENTS(common_settings));
  append(fields, &initial_field);
  for (size_t i = 0; i < cw_train_n_keys(); i++) {
    CwTrainKey key;
    cw_train_describe_key(i, CW_RECIPE_CLT_FORGE, &key);
    g_free(key.initial);
    CwuField field = field_of_key(&key);
    int common = find_common(key.key);
    if (common < 0) {
      g_array_append_val(fields, field);
      continue;
    }
    field.title = _(common_settings[common].title);
    field.help = _(common_settings[common].help);
    field.unit = common_settings[common].unit;
    field.is_common = true;
    g_array_index(fields, CwuField, first + (guint)common) = field;
  }
}

GArray *
cwu_run_fields_new(CwRunKind kind)
{
  GArray *fields = g_array_new(FALSE, TRUE, sizeof(CwuField));
  switch (kind) {
  case CW_RUN_TRAINING:
    append(fields, &activations_field);
    append_settings(fields);
    break;
  case CW_RUN_CACHE:
    append_all(fields, cache_fields, G_N_ELEMENTS(cache_fields));
    break;
  case CW_RUN_EVALUATION:
    append_all(fields, evaluation_fields, G_N_ELEMENTS(evaluation_fields));
    break;
  }
  append_all(fields, machine_fields, G_N_ELEMENTS(machine_fields));
  return fields;
}
