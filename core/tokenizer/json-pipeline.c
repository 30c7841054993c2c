/* json-pipeline.c - see json-pipeline.h.
 *
 * The two lists of steps are a small language; the sentences of it that byte-level and
 * SentencePiece-style models speak are recognised, everything else is refused by name. */
#include "tokenizer/json-pipeline.h"

#include <string.h>

#include "files/json-scan.h"

#define MAX_PIPELINE_BYTES (1 << 20)

typedef struct {
  CwJsonPipeline *pipeline;
  const char *path, *section;
  bool saw_byte_level;
} Reader;

typedef bool (*StepCb)(Reader *reader, JsonObject *step, const char *type, GError **error);

static bool
unsupported(const Reader *reader, GError **error, const char *step, const char *detail)
{
  g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED, "%s: %s: Clew does not do the step %s%s%s",
              reader->path, reader->section, step, detail[0] != '\0' ? " " : "", detail);
  return false;
}

/* ---- members of a step ----------------------------------------------------------------- */

static const char *
peek_text(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);
  bool is_text = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                 json_node_get_value_type(node) == G_TYPE_STRING;
  return is_text ? json_node_get_string(node) : NULL;
}

static bool
has_text(JsonObject *object, const char *name, const char *wanted)
{
  return g_strcmp0(peek_text(object, name), wanted) == 0;
}

static bool
get_flag(JsonObject *object, const char *name, bool fallback)
{
  JsonNode *node = json_object_get_member(object, name);
  bool is_flag = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                 json_node_get_value_type(node) == G_TYPE_BOOLEAN;
  return is_flag ? json_node_get_boolean(node) : fallback;
}

/* "pattern": {"String": ...} or {"Regex": ...}. */
static const char *
peek_pattern(JsonObject *step, const char *kind)
{
  JsonNode *node = json_object_get_member(step, "pattern");
  return node != NULL && JSON_NODE_HOLDS_OBJECT(node)
             ? peek_text(json_node_get_object(node), kind)
             : NULL;
}

/* ---- normalizer ------------------------------------------------------------------------ */

static bool
read_normalizer_step(Reader *reader, JsonObject *step, const char *type, GError **error)
{
  CwJsonPipeline *pipeline = reader->pipeline;
  if (strcmp(type, "NFC") == 0) {
    pipeline->is_composed = true;
    return true;
  }
  if (strcmp(type, "Prepend") == 0 && has_text(step, "prepend", CW_SPACE_MARK)) {
    pipeline->prefix = CW_PREFIX_AFTER_ALL;
    return true;
  }
  if (strcmp(type, "Replace") == 0 && g_strcmp0(peek_pattern(step, "String"), " ") == 0 &&
      has_text(step, "content", CW_SPACE_MARK)) {
    pipeline->has_space_marks = true;
    return true;
  }
  return unsupported(reader, error, type, "as it is written there");
}

/* ---- pre_tokenizer --------------------------------------------------------------------- */

static bool
add_split(Reader *reader, CwSplit split, GError **error)
{
  CwJsonPipeline *pipeline = reader->pipeline;
  if (reader->saw_byte_level)
    return unsupported(reader, error, "Split or Digits", "behind ByteLevel");
  if (pipeline->n_splits == CW_MAX_SPLITS)
    return unsupported(reader, error, "Sequence", "of more than four splits");
  pipeline->splits[pipeline->n_splits++] = split;
  return true;
}

static bool
read_split(Reader *reader, JsonObject *step, GError **error)
{
  const char *regex = peek_pattern(step, "Regex"), *string = peek_pattern(step, "String");
  bool is_inverted = get_flag(step, "invert", false);
  CwSplit split;
  /* Gemma's: no space is left when its turn comes. */
  if (g_strcmp0(string, " ") == 0 && reader->pipeline->has_space_marks)
    return true;
  /* These patterns cover all text, so keeping the matches only is the same. */
  bool keeps_matches = is_inverted ? has_text(step, "behavior", "Removed")
                                   : has_text(step, "behavior", "Isolated");
  if (regex == NULL || !cw_split_from_pattern(regex, &split))
    return unsupported(reader, error, "Split by",
                       regex != NULL    ? regex
                       : string != NULL ? string
                                        : "no pattern");
  if (!keeps_matches || (is_inverted && (split == CW_SPLIT_DIGIT || split == CW_SPLIT_DIGITS)))
    return unsupported(reader, error, "Split", "with this behavior");
  return add_split(reader, split, error);
}

static bool
read_byte_level(Reader *reader, JsonObject *step, GError **error)
{
  CwJsonPipeline *pipeline = reader->pipeline;
  if (get_flag(step, "add_prefix_space", true)) {
    if (pipeline->n_splits > 0)
      return unsupported(reader, error, "ByteLevel", "with add_prefix_space behind a split");
    pipeline->prefix = CW_PREFIX_AFTER_ALL;
    pipeline->is_prefix_optional = true;
  }
  if (get_flag(step, "use_regex", true) && !add_split(reader, CW_SPLIT_GPT2, error))
    return false;
  pipeline->is_byte_level = true;
  reader->saw_byte_level = true;
  return true;
}

static bool
read_metaspace(Reader *reader, JsonObject *step, GError **error)
{
  CwJsonPipeline *pipeline = reader->pipeline;
  const char *scheme = peek_text(step, "prepend_scheme");
  if (!has_text(step, "replacement", CW_SPACE_MARK))
    return unsupported(reader, error, "Metaspace", "with another mark than U+2581");
  if (scheme == NULL)
    scheme = get_flag(step, "add_prefix_space", true) ? "always" : "never";
  pipeline->has_space_marks = true;
  pipeline->splits_at_spaces = get_flag(step, "split", true);
  pipeline->is_prefix_optional = true;
  pipeline->prefix = strcmp(scheme, "always") == 0  ? CW_PREFIX_AFTER_ALL
                     : strcmp(scheme, "first") == 0 ? CW_PREFIX_FIRST
                                                    : CW_PREFIX_NEVER;
  return true;
}

static bool
read_pre_tokenizer_step(Reader *reader, JsonObject *step, const char *type, GError **error)
{
  if (strcmp(type, "ByteLevel") == 0)
    return read_byte_level(reader, step, error);
  if (strcmp(type, "Split") == 0)
    return read_split(reader, step, error);
  if (strcmp(type, "Metaspace") == 0)
    return read_metaspace(reader, step, error);
  if (strcmp(type, "Digits") == 0)
    return add_split(
        reader, get_flag(step, "individual_digits", false) ? CW_SPLIT_DIGIT : CW_SPLIT_DIGITS,
        error);
  return unsupported(reader, error, type, "");
}

/* ---- both ------------------------------------------------------------------------------ */

/* One step, or a Sequence of steps under `list` (which holds no further Sequence). */
static bool
read_steps(Reader *reader, JsonObject *object, const char *list, StepCb read_step,
           GError **error)
{
  const char *type = peek_text(object, "type");
  JsonNode *steps = json_object_get_member(object, list);
  if (type == NULL)
    return unsupported(reader, error, "without a type", "");
  if (strcmp(type, "Sequence") != 0)
    return read_step(reader, object, type, error);
  if (steps == NULL || !JSON_NODE_HOLDS_ARRAY(steps))
    return unsupported(reader, error, "Sequence", "without a list");
  JsonArray *array = json_node_get_array(steps);
  for (guint i = 0; i < json_array_get_length(array); i++) {
    JsonNode *node = json_array_get_element(array, i);
    JsonObject *step = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    type = step != NULL ? peek_text(step, "type") : NULL;
    if (type == NULL)
      return unsupported(reader, error, "without a type", "");
    if (!read_step(reader, step, type, error))
      return false;
  }
  return true;
}

static bool
read_section(Reader *reader, CwJsonSlice slice, const char *list, StepCb read_step,
             GError **error)
{
  if (slice.n_bytes == 0 || slice.text[0] == 'n')
    return true;
  g_autofree char *what = g_strdup_printf("%s: %s", reader->path, reader->section);
  g_autoptr(JsonNode) root =
      cw_json_parse(slice.text, slice.n_bytes, MAX_PIPELINE_BYTES, what, error);
  return root != NULL && read_steps(reader, json_node_get_object(root), list, read_step, error);
}

bool
cw_json_pipeline_read(CwJsonPipeline *pipeline, const char *path, CwJsonSlice normalizer,
                      CwJsonSlice pre_tokenizer, GError **error)
{
  Reader reader = { .pipeline = pipeline, .path = path, .section = "normalizer" };
  *pipeline = (CwJsonPipeline){ 0 };
  if (!read_section(&reader, normalizer, "normalizers", read_normalizer_step, error))
    return false;
  reader.section = "pre_tokenizer";
  if (!read_section(&reader, pre_tokenizer, "pretokenizers", read_pre_tokenizer_step, error))
    return false;
  bool is_marked = pipeline->has_space_marks;
  if (pipeline->is_byte_level == is_marked ||
      (is_marked && (pipeline->n_splits > 0 || pipeline->is_composed))) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: normalizer and pre_tokenizer are neither those of a byte-level nor of a "
                "SentencePiece-style vocabulary",
                path);
    return false;
  }
  return true;
}
