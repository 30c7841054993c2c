/* tokenizer-gguf.c - a tokenizer out of the metadata of a GGUF file.
 *
 * tokenizer.ggml.model says which family: "gpt2" is byte-level BPE with merges, "llama" is
 * SentencePiece's BPE with a score for each piece and byte pieces. How byte-level text is cut
 * into words is named by tokenizer.ggml.pre. */
#include "tokenizer/byte-alphabet.h"
#include "tokenizer/tokenizer-private.h"

#include <string.h>

#define KEY(name) "tokenizer.ggml." name

/* tokenizer.ggml.token_type */
enum {
  TYPE_NORMAL = 1,
  TYPE_UNKNOWN = 2,
  TYPE_CONTROL = 3,
  TYPE_USER_DEFINED = 4,
  TYPE_UNUSED = 5,
  TYPE_BYTE = 6
};

typedef struct {
  const char *name;
  CwSplit splits[2];
  size_t n_splits;
  bool whole_words_first, is_composed;
} Pre;

static const Pre known_pres[] = {
  { "gpt-2", { CW_SPLIT_GPT2 }, 1 },
  { "phi-2", { CW_SPLIT_GPT2 }, 1 },
  { "olmo", { CW_SPLIT_GPT2 }, 1 },
  { "smollm", { CW_SPLIT_DIGIT, CW_SPLIT_GPT2 }, 2 },
  { "starcoder", { CW_SPLIT_DIGIT, CW_SPLIT_GPT2 }, 2 },
  { "refact", { CW_SPLIT_DIGIT, CW_SPLIT_GPT2 }, 2 },
  { "codeshell", { CW_SPLIT_DIGIT, CW_SPLIT_GPT2 }, 2 },
  { "llama-bpe", { CW_SPLIT_LLAMA3 }, 1, .whole_words_first = true },
  { "llama3", { CW_SPLIT_LLAMA3 }, 1, .whole_words_first = true },
  { "llama-v3", { CW_SPLIT_LLAMA3 }, 1, .whole_words_first = true },
  { "qwen2", { CW_SPLIT_QWEN2 }, 1, .is_composed = true },
  { "deepseek-r1-qwen", { CW_SPLIT_QWEN2 }, 1, .is_composed = true },
};

/* The metadata, borrowed from the file. */
typedef struct {
  const CwTensorFile *file;
  const char *path;
  const char *const *pieces;
  const uint32_t *lengths;
  size_t n_pieces;
  const int32_t *types; /* NULL: all normal */
} Source;

static bool
bad_key(const Source *source, GError **error, CwErrorCode code, const char *key,
        const char *problem)
{
  g_set_error(error, CW_ERROR, code, "%s: %s %s", source->path, key, problem);
  return false;
}

static bool
read_pieces(Source *source, GError **error)
{
  size_t n_types;
  if (!cw_tensor_file_get_strings(source->file, KEY("tokens"), &source->pieces,
                                  &source->lengths, &source->n_pieces))
    return bad_key(source, error, CW_ERROR_NOT_FOUND, KEY("tokens"),
                   "is not there or not a list of texts: the file has no vocabulary");
  if (!cw_tensor_file_get_ints(source->file, KEY("token_type"), &source->types, &n_types))
    return true;
  if (n_types != source->n_pieces) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s has %zu entries for %zu tokens",
                source->path, KEY("token_type"), n_types, source->n_pieces);
    return false;
  }
  return true;
}

static CwPieceKind
kind_of(const Source *source, size_t id)
{
  switch (source->types != NULL ? source->types[id] : TYPE_NORMAL) {
  case TYPE_NORMAL:
    return CW_PIECE_NORMAL;
  case TYPE_BYTE:
    return CW_PIECE_BYTE;
  case TYPE_CONTROL:
  case TYPE_UNKNOWN:
    return CW_PIECE_SPECIAL;
  case TYPE_USER_DEFINED:
    return CW_PIECE_ADDED;
  case TYPE_UNUSED:
    return CW_PIECE_UNUSED;
  default:
    return CW_PIECE_NONE;
  }
}

static bool
set_piece(const Source *source, CwVocabulary *vocabulary, size_t id, bool is_byte_level,
          GError **error)
{
  const char *piece = source->pieces[id];
  size_t n = source->lengths[id];
  CwPieceKind kind = kind_of(source, id);
  int byte = kind == CW_PIECE_BYTE ? cw_byte_of_piece(piece, n) : -1;
  char one = (char)byte;
  if (kind == CW_PIECE_NONE || (kind == CW_PIECE_BYTE && byte < 0)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s for id %zu is %d, which %s",
                KEY("token_type"), id, source->types[id],
                kind == CW_PIECE_BYTE ? "asks for a piece like <0x0A>" : "is not a type");
    return false;
  }
  if (byte >= 0)
    return cw_vocabulary_set(vocabulary, (int64_t)id, &one, 1, kind, error);
  if (!is_byte_level)
    return cw_vocabulary_set_marked(vocabulary, (int64_t)id, piece, n,
                                    n == 0 ? CW_PIECE_UNUSED : kind, error);
  if (kind == CW_PIECE_NORMAL)
    return cw_vocabulary_set_byte_level(vocabulary, (int64_t)id, piece, n, error);
  return cw_vocabulary_set(vocabulary, (int64_t)id, piece, n, kind, error);
}

static bool
fill_vocabulary(const Source *source, CwTokenizerParts *parts, bool is_byte_level,
                GError **error)
{
  parts->vocabulary = cw_vocabulary_new();
  parts->specials = cw_special_tokens_new(parts->vocabulary);
  for (size_t id = 0; id < source->n_pieces; id++) {
    if (!set_piece(source, parts->vocabulary, id, is_byte_level, error))
      return false;
    CwPieceKind kind = cw_vocabulary_get_kind(parts->vocabulary, (int32_t)id);
    if (kind == CW_PIECE_SPECIAL || kind == CW_PIECE_ADDED)
      cw_special_tokens_add(parts->specials, (int32_t)id, CW_SPECIAL_PLAIN);
  }
  return cw_vocabulary_finish(parts->vocabulary, error) &&
         cw_special_tokens_finish(parts->specials, error);
}

/* A key that names a token; an absent one is -1, as is -1 itself. */
static bool
read_id(const Source *source, const char *key, int32_t *id, GError **error)
{
  int64_t value;
  *id = -1;
  if (!cw_tensor_file_get_int(source->file, key, &value) || value == -1 || value == UINT32_MAX)
    return true;
  if (value < 0 || (uint64_t)value >= source->n_pieces) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: %s is %" G_GINT64_FORMAT ", and there are %zu tokens", source->path, key,
                value, source->n_pieces);
    return false;
  }
  *id = (int32_t)value;
  return true;
}

/* ---- byte-level ------------------------------------------------------------------------ */

/* "default" and no name at all come from files older than the key: by the architecture. */
static const char *
name_of_pre(const Source *source)
{
  const char *pre = NULL, *architecture = "";
  cw_tensor_file_get_string(source->file, KEY("pre"), &pre);
  if (pre != NULL && strcmp(pre, "default") != 0)
    return pre;
  cw_tensor_file_get_string(source->file, "general.architecture", &architecture);
  return g_str_has_prefix(architecture, "qwen")                             ? "qwen2"
         : strcmp(architecture, "llama") == 0 && source->n_pieces >= 128000 ? "llama-bpe"
                                                                            : "gpt-2";
}

static const Pre *
find_pre(const Source *source, GError **error)
{
  const char *name = name_of_pre(source);
  for (size_t i = 0; i < G_N_ELEMENTS(known_pres); i++)
    if (strcmp(known_pres[i].name, name) == 0)
      return &known_pres[i];
  g_autoptr(GString) names = g_string_new(NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(known_pres); i++)
    g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", known_pres[i].name);
  g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
              "%s: %s is \"%s\", a way of cutting text into words that Clew does not know; it "
              "knows %s",
              source->path, KEY("pre"), name, names->str);
  return NULL;
}

/* "a b": the space between is the first that does not begin the text. */
static bool
add_merge(CwMergeRules *rules, const char *merge, size_t n, GError **error)
{
  char left[CW_VOCABULARY_MAX_PIECE_BYTES], right[CW_VOCABULARY_MAX_PIECE_BYTES];
  size_t n_left, n_right;
  const char *space = n > 1 ? memchr(merge + 1, ' ', n - 1) : NULL;
  size_t first = space != NULL ? (size_t)(space - merge) : 0;
  if (space == NULL || n > sizeof left ||
      !cw_byte_alphabet_decode(merge, first, left, &n_left) ||
      !cw_byte_alphabet_decode(space + 1, n - first - 1, right, &n_right)) {
    g_autofree char *text = g_utf8_make_valid(merge, (gssize)n);
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "\"%s\" is not two pieces", text);
    return false;
  }
  return cw_merge_rules_add(rules, left, n_left, right, n_right, error);
}

static CwMergeRules *
read_merges(const Source *source, const CwVocabulary *vocabulary, GError **error)
{
  const char *const *merges;
  const uint32_t *lengths;
  size_t n;
  if (!cw_tensor_file_get_strings(source->file, KEY("merges"), &merges, &lengths, &n)) {
    bad_key(source, error, CW_ERROR_NOT_FOUND, KEY("merges"),
            "is not there or not a list of texts");
    return NULL;
  }
  g_autoptr(CwMergeRules) rules = cw_merge_rules_new_pairs(vocabulary, n, error);
  for (size_t i = 0; rules != NULL && i < n; i++)
    if (!add_merge(rules, merges[i], lengths[i], error)) {
      g_prefix_error(error, "%s: %s, entry %zu: ", source->path, KEY("merges"), i);
      return NULL;
    }
  return g_steal_pointer(&rules);
}

static bool
read_byte_level(const Source *source, CwTokenizerParts *parts, GError **error)
{
  const Pre *pre = find_pre(source, error);
  if (pre == NULL)
    return false;
  if (!fill_vocabulary(source, parts, true, error)) {
    g_prefix_error(error, "%s: %s: ", source->path, KEY("tokens"));
    return false;
  }
  CwMergeRules *rules = read_merges(source, parts->vocabulary, error);
  CwBpeOptions options = { .unit = CW_BPE_BYTES,
                           .whole_words_first = pre->whole_words_first,
                           .unknown = -1 };
  if (rules == NULL)
    return false;
  parts->bpe = cw_bpe_new(parts->vocabulary, rules, &options, error);
  parts->is_composed = pre->is_composed;
  parts->pretokeniser = cw_pretokeniser_new(pre->splits, pre->n_splits, error);
  return parts->bpe != NULL && parts->pretokeniser != NULL;
}

/* ---- SentencePiece --------------------------------------------------------------------- */

static bool
read_sentence_pieces(const Source *source, CwTokenizerParts *parts, GError **error)
{
  const float *scores;
  size_t n_scores;
  bool has_prefix = true;
  CwBpeOptions options = { .unit = CW_BPE_CHARACTERS, .fuse_unknown = true };
  if (source->types == NULL)
    return bad_key(source, error, CW_ERROR_NOT_FOUND, KEY("token_type"),
                   "is not there: the byte pieces cannot be told");
  if (!cw_tensor_file_get_floats(source->file, KEY("scores"), &scores, &n_scores))
    return bad_key(source, error, CW_ERROR_NOT_FOUND, KEY("scores"),
                   "is not there or not a list of numbers");
  if (n_scores != source->n_pieces) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s has %zu entries for %zu tokens",
                source->path, KEY("scores"), n_scores, source->n_pieces);
    return false;
  }
  if (!read_id(source, KEY("unknown_token_id"), &options.unknown, error))
    return false;
  cw_tensor_file_get_bool(source->file, KEY("add_space_prefix"), &has_prefix);
  parts->prefix = has_prefix ? CW_PREFIX_AFTER_SPECIAL : CW_PREFIX_NEVER;
  parts->has_space_marks = true;
  CwMergeRules *rules = NULL;
  if (!fill_vocabulary(source, parts, false, error) ||
      (rules = cw_merge_rules_new_scores(parts->vocabulary, scores, error)) == NULL ||
      (parts->bpe = cw_bpe_new(parts->vocabulary, rules, &options, error)) == NULL ||
      !cw_bpe_check_bytes(parts->bpe, options.unknown, error)) {
    g_prefix_error(error, "%s: %s: ", source->path, KEY("tokens"));
    return false;
  }
  return true;
}

CwTokenizer *
cw_tokenizer_new_from_gguf(const CwTensorFile *file, GError **error)
{
  const char *model = NULL;
  g_auto(CwTokenizerParts) parts = { 0 };
  Source source = { .file = file, .path = cw_tensor_file_peek_path(file) };
  if (!cw_tensor_file_get_string(file, KEY("model"), &model)) {
    bad_key(&source, error, CW_ERROR_NOT_FOUND, KEY("model"),
            "is not there: the file has no tokenizer");
    return NULL;
  }
  if (!read_pieces(&source, error))
    return NULL;
  bool is_byte_level = strcmp(model, "gpt2") == 0;
  if (!is_byte_level && strcmp(model, "llama") != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: %s is \"%s\"; Clew reads \"gpt2\" and \"llama\"", source.path,
                KEY("model"), model);
    return NULL;
  }
  if (!(is_byte_level ? read_byte_level : read_sentence_pieces)(&source, &parts, error) ||
      !read_id(&source, KEY("bos_token_id"), &parts.bos, error) ||
      !read_id(&source, KEY("eos_token_id"), &parts.eos, error) ||
      !read_id(&source, KEY("padding_token_id"), &parts.pad, error))
    return NULL;
  return cw_tokenizer_new_from_parts(&parts);
}
