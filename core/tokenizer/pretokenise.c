/* pretokenise.c - see pretokenise.h.
 *
 * The regular expressions are part of a model: how its training text was cut. A file only ever
 * chooses one of those below, by its name or by writing it out; no expression from a file is
 * compiled. Matching has limits on steps and memory all the same.
 *
 * White space is spelled out as Unicode's White_Space property, because \s of PCRE2 also takes
 * U+180E. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "tokenizer/pretokenise.h"

#include <pcre2.h>
#include <string.h>

#define SPACE                                                                         \
  "\\t-\\r\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}" \
  "\\x{205f}\\x{3000}"
#define SPACES_AT_END "[" SPACE "]+(?![^" SPACE "])|[" SPACE "]+"
#define SUFFIXES      "'s|'t|'re|'ve|'m|'ll|'d"

/* Llama 3 and Qwen differ in how numbers are cut. */
#define NEWER(numbers)                                                     \
  "(?i:" SUFFIXES ")|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" numbers "| ?[^" SPACE \
  "\\p{L}\\p{N}]+[\\r\\n]*|[" SPACE "]*[\\r\\n]+|" SPACES_AT_END

static const char *const expressions[] = {
  [CW_SPLIT_GPT2] = SUFFIXES "| ?\\p{L}+| ?\\p{N}+| ?[^" SPACE "\\p{L}\\p{N}]+|" SPACES_AT_END,
  [CW_SPLIT_LLAMA3] = NEWER("\\p{N}{1,3}"),
  [CW_SPLIT_QWEN2] = NEWER("\\p{N}"),
  [CW_SPLIT_DIGIT] = "\\p{N}",
  [CW_SPLIT_DIGITS] = "\\p{N}+",
};

/* As tokenizer.json files write them. */
static const struct {
  const char *pattern;
  CwSplit split;
} known_patterns[] = {
  { "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    CW_SPLIT_GPT2 },
  { "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    CW_SPLIT_LLAMA3 },
  { "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    CW_SPLIT_QWEN2 },
  { "\\p{N}", CW_SPLIT_DIGIT },
  { "\\p{N}+", CW_SPLIT_DIGITS },
};

struct _CwPretokeniser {
  pcre2_code *codes[CW_MAX_SPLITS];
  size_t n_codes;
  pcre2_match_context *limits;
};

typedef struct {
  const CwPretokeniser *pretokeniser;
  pcre2_match_data *matches[CW_MAX_SPLITS];
  CwWordCb word;
  gpointer data;
} Run;

bool
cw_split_from_pattern(const char *pattern, CwSplit *split)
{
  for (size_t i = 0; i < G_N_ELEMENTS(known_patterns); i++)
    if (strcmp(pattern, known_patterns[i].pattern) == 0) {
      *split = known_patterns[i].split;
      return true;
    }
  return false;
}

static bool
no_memory(GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "There is no memory for the tokenizer's patterns");
  return false;
}

CwPretokeniser *
cw_pretokeniser_new(const CwSplit *splits, size_t n_splits, GError **error)
{
  g_autoptr(CwPretokeniser) p = g_new0(CwPretokeniser, 1);
  g_return_val_if_fail(n_splits <= CW_MAX_SPLITS, NULL);
  p->limits = pcre2_match_context_create(NULL);
  if (p->limits == NULL) {
    no_memory(error);
    return NULL;
  }
  pcre2_set_match_limit(p->limits, 100000000);
  pcre2_set_heap_limit(p->limits, 65536); /* KiB */
  for (; p->n_codes < n_splits; p->n_codes++) {
    int code;
    size_t offset;
    p->codes[p->n_codes] =
        pcre2_compile((PCRE2_SPTR)expressions[splits[p->n_codes]], PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_NO_UTF_CHECK, &code, &offset, NULL);
    if (p->codes[p->n_codes] == NULL) {
      no_memory(error);
      return NULL;
    }
    /* Where there is no compiler for this machine, matching is slower and the same. */
    pcre2_jit_compile(p->codes[p->n_codes], PCRE2_JIT_COMPLETE);
  }
  return g_steal_pointer(&p);
}

void
cw_pretokeniser_free(CwPretokeniser *p)
{
  if (p == NULL)
    return;
  for (size_t i = 0; i < p->n_codes; i++)
    pcre2_code_free(p->codes[i]);
  pcre2_match_context_free(p->limits);
  g_free(p);
}

static bool
match_failed(int code, size_t at, GError **error)
{
  char reason[128];
  pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof reason);
  g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
              "The text cannot be cut into words at byte %zu (%s): encode it in parts", at,
              reason);
  return false;
}

/* Cuts by the stage's expression and hands both matches and gaps to the next stage. */
static bool
run_stage(Run *run, size_t stage, const char *text, size_t n, GError **error)
{
  if (n == 0)
    return true;
  if (stage == run->pretokeniser->n_codes)
    return run->word(text, n, run->data, error);
  for (size_t at = 0; at < n;) {
    int code = pcre2_match(run->pretokeniser->codes[stage], (PCRE2_SPTR)text, n, at,
                           PCRE2_NO_UTF_CHECK, run->matches[stage], run->pretokeniser->limits);
    if (code == PCRE2_ERROR_NOMATCH)
      return run_stage(run, stage + 1, text + at, n - at, error);
    if (code < 0)
      return match_failed(code, at, error);
    const size_t *found = pcre2_get_ovector_pointer(run->matches[stage]);
    size_t start = found[0], end = found[1];
    if (end <= start || !run_stage(run, stage + 1, text + at, start - at, error) ||
        !run_stage(run, stage + 1, text + start, end - start, error))
      return end > start ? false : match_failed(PCRE2_ERROR_INTERNAL, at, error);
    at = end;
  }
  return true;
}

bool
cw_pretokeniser_run(const CwPretokeniser *p, const char *text, size_t n_bytes, CwWordCb word,
                    gpointer data, GError **error)
{
  Run run = { .pretokeniser = p, .word = word, .data = data };
  bool ok = true;
  for (size_t i = 0; i < p->n_codes && ok; i++) {
    run.matches[i] = pcre2_match_data_create(1, NULL);
    ok = run.matches[i] != NULL || no_memory(error);
  }
  ok = ok && run_stage(&run, 0, text, n_bytes, error);
  for (size_t i = 0; i < p->n_codes; i++)
    pcre2_match_data_free(run.matches[i]);
  return ok;
}
