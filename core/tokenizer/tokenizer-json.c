/* tokenizer-json.c - a tokenizer out of a tokenizer.json file.
 *
 * The file is mapped and read twice without a tree: once to find where its sections lie, then
 * section by section in the order in which they are needed. Gemma's 30 MB hold 262,144 pieces
 * and 514,906 merges. */
#include "tokenizer/byte-alphabet.h"
#include "tokenizer/json-cursor.h"
#include "tokenizer/json-pipeline.h"
#include "tokenizer/special-ids.h"
#include "tokenizer/tokenizer-private.h"

#include <string.h>

#define MAX_FILE_BYTES ((size_t)512 << 20)

typedef struct {
  const char *path;
  CwJsonPipeline pipeline;
  CwJsonSlice normalizer, pre_tokenizer, added_tokens, model;
  CwJsonSlice type, vocab, merges, unknown, prefix, suffix;
  CwJsonSlice byte_fallback, fuse_unk, ignore_merges;
  bool has_byte_pieces;
  CwBpeOptions options;
} Source;

static bool
is_key(const char *key, size_t n, const char *name)
{
  return n == strlen(name) && memcmp(key, name, n) == 0;
}

static bool
fail(const Source *source, const char *section, GError **error)
{
  g_prefix_error(error, "%s: %s: ", source->path, section);
  return false;
}

/* ---- sections -------------------------------------------------------------------------- */

typedef struct Section {
  const char *name;
  CwJsonSlice *slice;
  const struct Section *members; /* of an object that is gone into; NULL: passed over */
  size_t n_members;
} Section;

/* Notes where the named members of an object lie. */
static bool
note_sections(CwJsonCursor *cursor, const Section *sections, size_t n)
{
  const char *key;
  size_t n_key;
  cw_json_cursor_enter(cursor, '{');
  while (cw_json_cursor_next_key(cursor, &key, &n_key)) {
    const Section *section = NULL;
    for (size_t i = 0; i < n && section == NULL; i++)
      if (is_key(key, n_key, sections[i].name))
        section = &sections[i];
    if (section != NULL && section->slice->n_bytes > 0)
      cw_json_cursor_fail(cursor, "a member is given twice");
    char first = cw_json_cursor_peek(cursor);
    size_t start = cursor->at;
    if (section != NULL && section->members != NULL && first == '{')
      note_sections(cursor, section->members, section->n_members);
    else
      cw_json_cursor_skip(cursor, NULL, NULL);
    if (section != NULL)
      *section->slice = (CwJsonSlice){ cursor->text + start, cursor->at - start };
  }
  return cursor->problem == NULL;
}

static bool
read_sections(Source *source, CwJsonSlice all, GError **error)
{
  const Section of_model[] = { { "type", &source->type },
                               { "vocab", &source->vocab },
                               { "merges", &source->merges },
                               { "unk_token", &source->unknown },
                               { "continuing_subword_prefix", &source->prefix },
                               { "end_of_word_suffix", &source->suffix },
                               { "byte_fallback", &source->byte_fallback },
                               { "fuse_unk", &source->fuse_unk },
                               { "ignore_merges", &source->ignore_merges } };
  const Section of_file[] = { { "added_tokens", &source->added_tokens },
                              { "normalizer", &source->normalizer },
                              { "pre_tokenizer", &source->pre_tokenizer },
                              { "model", &source->model, of_model, G_N_ELEMENTS(of_model) } };
  g_auto(CwJsonCursor) cursor = { 0 };
  cw_json_cursor_init(&cursor, all.text, all.n_bytes);
  if (note_sections(&cursor, of_file, G_N_ELEMENTS(of_file)) && cw_json_cursor_finish(&cursor))
    return true;
  cw_json_cursor_set_error(&cursor, source->path, error);
  return false;
}

/* A string member that must be absent, null or empty. */
static bool
is_empty(CwJsonSlice slice)
{
  return slice.n_bytes <= 2 || slice.text[0] == 'n';
}

static bool
is_true(CwJsonSlice slice)
{
  return slice.n_bytes > 0 && slice.text[0] == 't';
}

static bool
check_model(Source *source, GError **error)
{
  const char *problem = NULL;
  CwJsonSlice type = source->type;
  if (type.n_bytes > 0 && !is_key(type.text, type.n_bytes, "\"BPE\""))
    problem = "is of another type than BPE; Clew reads BPE only";
  else if (source->vocab.n_bytes == 0 || source->merges.n_bytes == 0)
    problem = "has no vocab or no merges";
  else if (!is_empty(source->prefix) || !is_empty(source->suffix))
    problem = "has a continuing_subword_prefix or end_of_word_suffix, which Clew does not do";
  else if (is_true(source->ignore_merges) && !source->pipeline.is_byte_level)
    problem = "has ignore_merges without ByteLevel, which Clew does not do";
  if (problem != NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED, "%s: model %s", source->path, problem);
    return false;
  }
  source->has_byte_pieces = is_true(source->byte_fallback) && !source->pipeline.is_byte_level;
  source->options =
      (CwBpeOptions){ .unit = source->pipeline.is_byte_level ? CW_BPE_BYTES : CW_BPE_CHARACTERS,
                      .whole_words_first = is_true(source->ignore_merges),
                      .split_at_spaces = source->pipeline.splits_at_spaces,
                      .fuse_unknown = is_true(source->fuse_unk),
                      .unknown = -1 };
  return true;
}

/* ---- added tokens ---------------------------------------------------------------------- */

typedef struct {
  int64_t id;
  GString *content;
  bool is_special;
  CwSpecialFlags flags;
} Added;

static bool
read_added(CwJsonCursor *cursor, Added *added)
{
  const char *key, *content = "";
  size_t n_key, n_content = 0;
  *added = (Added){ .id = -1, .content = added->content };
  g_string_truncate(added->content, 0);
  cw_json_cursor_enter(cursor, '{');
  while (cw_json_cursor_next_key(cursor, &key, &n_key)) {
    bool flag = false;
    if (is_key(key, n_key, "id"))
      cw_json_cursor_int(cursor, &added->id);
    else if (is_key(key, n_key, "content") &&
             cw_json_cursor_string(cursor, &content, &n_content)) {
      g_string_truncate(added->content, 0);
      g_string_append_len(added->content, content, (gssize)n_content);
    } else if (is_key(key, n_key, "special"))
      cw_json_cursor_bool(cursor, &added->is_special);
    else if (is_key(key, n_key, "lstrip") && cw_json_cursor_bool(cursor, &flag))
      added->flags |= flag ? CW_SPECIAL_STRIP_LEFT : 0;
    else if (is_key(key, n_key, "rstrip") && cw_json_cursor_bool(cursor, &flag))
      added->flags |= flag ? CW_SPECIAL_STRIP_RIGHT : 0;
    else if (is_key(key, n_key, "single_word") && cw_json_cursor_bool(cursor, &flag))
      added->flags |= flag ? CW_SPECIAL_WHOLE_WORD : 0;
    else
      cw_json_cursor_skip(cursor, NULL, NULL);
  }
  return cursor->problem == NULL;
}

/* Runs of space marks are added tokens of some files, and match in the text once its spaces are
 * marks; there merging makes them, as it does in those files. */
static bool
is_plain_piece(const Source *source, const Added *added)
{
  return source->pipeline.has_space_marks && !added->is_special &&
         strstr(added->content->str, CW_SPACE_MARK) != NULL;
}

static bool
take_added(const Source *source, CwTokenizerParts *parts, const Added *added, GError **error)
{
  if (is_plain_piece(source, added))
    return true;
  CwPieceKind kind = added->is_special ? CW_PIECE_SPECIAL : CW_PIECE_ADDED;
  if (added->id >= (int64_t)source->added_tokens.n_bytes + (int64_t)source->vocab.n_bytes) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "id %" G_GINT64_FORMAT " is larger than the file can have pieces", added->id);
    return false;
  }
  if (!cw_vocabulary_set(parts->vocabulary, added->id, added->content->str, added->content->len,
                         kind, error))
    return false;
  cw_special_tokens_add(parts->specials, (int32_t)added->id, added->flags);
  return true;
}

static bool
read_added_tokens(const Source *source, CwTokenizerParts *parts, GError **error)
{
  g_auto(CwJsonCursor) cursor = { 0 };
  g_autoptr(GString) content = g_string_new(NULL);
  Added added = { .content = content };
  if (source->added_tokens.n_bytes == 0 || source->added_tokens.text[0] == 'n')
    return true;
  cw_json_cursor_init(&cursor, source->added_tokens.text, source->added_tokens.n_bytes);
  cw_json_cursor_enter(&cursor, '[');
  while (cw_json_cursor_next(&cursor, ']'))
    if (read_added(&cursor, &added) && !take_added(source, parts, &added, error))
      return fail(source, "added_tokens", error);
  if (cw_json_cursor_finish(&cursor))
    return true;
  g_autofree char *what = g_strdup_printf("%s: added_tokens", source->path);
  cw_json_cursor_set_error(&cursor, what, error);
  return false;
}

/* ---- vocabulary ------------------------------------------------------------------------ */

static bool
set_piece(const Source *source, CwVocabulary *vocabulary, const char *piece, size_t n,
          int64_t id, GError **error)
{
  int byte = source->has_byte_pieces ? cw_byte_of_piece(piece, n) : -1;
  char one = (char)byte;
  if (id >= (int64_t)source->vocab.n_bytes) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "id %" G_GINT64_FORMAT " is larger than the file can have pieces", id);
    return false;
  }
  /* An added token that the vocabulary lists too. */
  CwPieceKind kind = id >= 0 ? cw_vocabulary_get_kind(vocabulary, (int32_t)id) : CW_PIECE_NONE;
  if (kind == CW_PIECE_SPECIAL || kind == CW_PIECE_ADDED) {
    size_t n_there;
    const char *there = cw_vocabulary_peek(vocabulary, (int32_t)id, &n_there);
    if (n_there == n && memcmp(there, piece, n) == 0) {
      cw_vocabulary_set_findable(vocabulary, (int32_t)id);
      return true;
    }
  }
  if (byte >= 0)
    return cw_vocabulary_set(vocabulary, id, &one, 1, CW_PIECE_BYTE, error);
  return source->pipeline.is_byte_level
             ? cw_vocabulary_set_byte_level(vocabulary, id, piece, n, error)
             : cw_vocabulary_set_marked(vocabulary, id, piece, n, CW_PIECE_NORMAL, error);
}

/* The unknown piece's name, to be freed; NULL if there is none. */
static char *
dup_unknown(const Source *source, size_t *n)
{
  g_auto(CwJsonCursor) cursor = { 0 };
  const char *name;
  cw_json_cursor_init(&cursor, source->unknown.text, source->unknown.n_bytes);
  return source->unknown.n_bytes > 0 && cw_json_cursor_string(&cursor, &name, n)
             ? g_memdup2(name, *n + 1)
             : NULL;
}

static bool
read_vocabulary(Source *source, CwVocabulary *vocabulary, GError **error)
{
  g_auto(CwJsonCursor) cursor = { 0 };
  const char *piece;
  size_t n, n_unknown = 0;
  int64_t id;
  g_autofree char *unknown = dup_unknown(source, &n_unknown);
  cw_json_cursor_init(&cursor, source->vocab.text, source->vocab.n_bytes);
  cw_json_cursor_enter(&cursor, '{');
  while (cw_json_cursor_next_key(&cursor, &piece, &n)) {
    if (!cw_json_cursor_int(&cursor, &id))
      break;
    if (!set_piece(source, vocabulary, piece, n, id, error))
      return fail(source, "model.vocab", error);
    if (unknown != NULL && n == n_unknown && memcmp(piece, unknown, n) == 0)
      source->options.unknown = (int32_t)id;
  }
  if (cw_json_cursor_finish(&cursor))
    return cw_vocabulary_finish(vocabulary, error) || fail(source, "model.vocab", error);
  g_autofree char *what = g_strdup_printf("%s: model.vocab", source->path);
  cw_json_cursor_set_error(&cursor, what, error);
  return false;
}

/* ---- merges ---------------------------------------------------------------------------- */

typedef struct {
  const char *text;
  size_t n;
} Side;

/* "a b" or ["a", "b"]. */
static bool
read_sides(CwJsonCursor *cursor, Side sides[2])
{
  if (cw_json_cursor_peek(cursor) == '[') {
    size_t count = 0;
    Side side;
    cw_json_cursor_enter(cursor, '[');
    while (cw_json_cursor_next(cursor, ']') &&
           cw_json_cursor_string(cursor, &side.text, &side.n))
      if (count++ < 2)
        sides[count - 1] = side;
    return cursor->problem == NULL &&
           (count == 2 || cw_json_cursor_fail(cursor, "a merge needs two pieces"));
  }
  const char *merge;
  size_t n;
  if (!cw_json_cursor_string(cursor, &merge, &n))
    return false;
  const char *space = n > 0 ? memchr(merge, ' ', n) : NULL;
  if (space == NULL || memchr(space + 1, ' ', (size_t)(merge + n - space) - 1) != NULL)
    return cw_json_cursor_fail(cursor, "a merge is two pieces with one space between");
  sides[0] = (Side){ merge, (size_t)(space - merge) };
  sides[1] = (Side){ space + 1, n - sides[0].n - 1 };
  return true;
}

static bool
add_merge(const Source *source, CwMergeRules *rules, const Side sides[2], GError **error)
{
  char bytes[2][CW_VOCABULARY_MAX_PIECE_BYTES];
  size_t n[2];
  for (int i = 0; i < 2; i++) {
    bool ok = sides[i].n <= sizeof bytes[i];
    if (ok && source->pipeline.is_byte_level)
      ok = cw_byte_alphabet_decode(sides[i].text, sides[i].n, bytes[i], &n[i]);
    else if (ok)
      n[i] = cw_space_marks_to_spaces(bytes[i], sides[i].text, sides[i].n);
    if (!ok) {
      g_autofree char *text = g_utf8_make_valid(sides[i].text, (gssize)MIN(sides[i].n, 64));
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "\"%s\" is not written in the byte-level alphabet", text);
      return false;
    }
  }
  return cw_merge_rules_add(rules, bytes[0], n[0], bytes[1], n[1], error);
}

static CwMergeRules *
read_merges(const Source *source, const CwVocabulary *vocabulary, GError **error)
{
  g_auto(CwJsonCursor) cursor = { 0 };
  Side sides[2];
  g_autoptr(CwMergeRules) rules = cw_merge_rules_new_pairs(
      vocabulary, (size_t)cw_vocabulary_get_n_pieces(vocabulary), error);
  if (rules == NULL)
    return NULL;
  cw_json_cursor_init(&cursor, source->merges.text, source->merges.n_bytes);
  cw_json_cursor_enter(&cursor, '[');
  while (cw_json_cursor_next(&cursor, ']'))
    if (read_sides(&cursor, sides) && !add_merge(source, rules, sides, error)) {
      fail(source, "model.merges", error);
      return NULL;
    }
  if (cw_json_cursor_finish(&cursor))
    return g_steal_pointer(&rules);
  g_autofree char *what = g_strdup_printf("%s: model.merges", source->path);
  cw_json_cursor_set_error(&cursor, what, error);
  return NULL;
}

/* ---- all of it ------------------------------------------------------------------------- */

static bool
build(Source *source, CwTokenizerParts *parts, GError **error)
{
  const CwJsonPipeline *pipeline = &source->pipeline;
  parts->vocabulary = cw_vocabulary_new();
  parts->specials = cw_special_tokens_new(parts->vocabulary);
  if (!read_added_tokens(source, parts, error) ||
      !read_vocabulary(source, parts->vocabulary, error))
    return false;
  if (!cw_special_tokens_finish(parts->specials, error))
    return fail(source, "added_tokens", error);
  CwMergeRules *rules = read_merges(source, parts->vocabulary, error);
  if (rules == NULL)
    return false;
  parts->bpe = cw_bpe_new(parts->vocabulary, rules, &source->options, error);
  if (parts->bpe == NULL)
    return false;
  if (source->has_byte_pieces &&
      !cw_bpe_check_bytes(parts->bpe, source->options.unknown, error))
    return fail(source, "model.vocab", error);
  if (pipeline->is_byte_level)
    parts->pretokeniser = cw_pretokeniser_new(pipeline->splits, pipeline->n_splits, error);
  parts->is_composed = pipeline->is_composed;
  parts->has_space_marks = pipeline->has_space_marks;
  parts->prefix = pipeline->prefix;
  parts->is_prefix_optional = pipeline->is_prefix_optional;
  return (parts->pretokeniser != NULL || !pipeline->is_byte_level) &&
         cw_special_ids_read(parts, source->path, error);
}

CwTokenizer *
cw_tokenizer_new_from_json(const char *path, GError **error)
{
  g_autoptr(GError) failure = NULL;
  g_auto(CwTokenizerParts) parts = { 0 };
  Source source = { .path = path };
  g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &failure);
  if (file == NULL) {
    bool is_absent = g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_set_error(error, CW_ERROR, is_absent ? CW_ERROR_NOT_FOUND : CW_ERROR_IO, "%s: %s", path,
                failure->message);
    return NULL;
  }
  CwJsonSlice all = { g_mapped_file_get_contents(file), g_mapped_file_get_length(file) };
  if (all.n_bytes == 0 || all.n_bytes > MAX_FILE_BYTES) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s for a tokenizer.json", path,
                all.n_bytes == 0 ? "empty, which is too little" : "over 512 MiB, too much");
    return NULL;
  }
  if (!read_sections(&source, all, error))
    return NULL;
  if (source.model.n_bytes == 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: there is no \"model\"", path);
    return NULL;
  }
  if (!cw_json_pipeline_read(&source.pipeline, path, source.normalizer, source.pre_tokenizer,
                             error) ||
      !check_model(&source, error) || !build(&source, &parts, error))
    return NULL;
  return cw_tokenizer_new_from_parts(&parts);
}
