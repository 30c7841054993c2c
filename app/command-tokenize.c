/* command-tokenize.c - clew tokenize: the ids and pieces that a model reads a text as. */
#include <stdio.h>

#include "commands.h"
#include "facts.h"
#include "prompt.h"

static void
print_json(const CwTokenizer *tokenizer, const int32_t *ids, size_t n)
{
  g_autoptr(CwaFacts) facts = cwa_facts_new();
  cwa_facts_begin_list(facts, "tokens");
  for (size_t i = 0; i < n; i++) {
    g_autofree char *piece = cw_tokenizer_dup_piece(tokenizer, ids[i]);
    cwa_facts_begin_item(facts);
    cwa_facts_add_integer(facts, "id", ids[i]);
    cwa_facts_add_text(facts, "piece", piece);
    cwa_facts_end_item(facts);
  }
  cwa_facts_end_list(facts);
  cwa_facts_print(facts, true);
}

static void
print_lines(const CwTokenizer *tokenizer, const int32_t *ids, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    g_autofree char *piece = cw_tokenizer_dup_quoted_piece(tokenizer, ids[i]);
    printf("%7d  %s\n", ids[i], piece);
  }
}

static bool
find_bos(const CwTokenizer *tokenizer, int32_t *bos, GError **error)
{
  *bos = cw_tokenizer_get_bos(tokenizer);
  if (*bos < 0)
    g_set_error_literal(error, CW_ERROR, CW_ERROR_ARGUMENT,
                        "--bos: this model's tokenizer names no token that begins a text");
  return *bos >= 0;
}

static bool
run_tokenize(CwaRun *run, GError **error)
{
  g_autoptr(CwModel) model = cwa_model_open(run, error);
  CwTokenizer *tokenizer = model != NULL ? cwa_model_require_tokenizer(model, error) : NULL;
  int32_t start = -1;
  if (tokenizer == NULL)
    return false;
  if (cwa_arguments_flag(run->arguments, "bos") && !find_bos(tokenizer, &start, error))
    return false;
  gsize n_bytes = 0;
  g_autofree char *text =
      cwa_text_or_stdin(cwa_arguments_operand(run->arguments, 0), &n_bytes, error);
  size_t n = 0;
  g_autofree int32_t *ids = NULL;
  if (text == NULL || !cwa_text_encode(tokenizer, text, n_bytes, start, &ids, &n, error))
    return false;
  size_t n_twice = start >= 0 && n > 1 && ids[1] == start ? 1 : 0;
  if (cwa_arguments_flag(run->arguments, "json"))
    print_json(tokenizer, ids + n_twice, n - n_twice);
  else
    print_lines(tokenizer, ids + n_twice, n - n_twice);
  return true;
}

static const CwaOption tokenize_options[] = {
  CWA_OPTION_ROW_MODEL,
  { "bos", CWA_OPTION_FLAG, NULL,
    "put the token that begins a text in front, unless the text begins with it" },
  { "json", CWA_OPTION_FLAG, NULL,
    "print {\"tokens\": [{\"id\": 504, \"piece\": \"The\"}, ...]}" },
  { NULL },
};

const CwaCommand cwa_command_tokenize = {
  .name = "tokenize",
  .summary = "token ids and pieces of a text",
  .usage = "[--model M] TEXT",
  .description =
      "Shows how a model's own tokenizer cuts TEXT: one line a token, with its id and its "
      "piece. Special tokens written in the text (<|im_start|>) become their ids. No token is "
      "put in front unless --bos asks for it.\n\n"
      "A piece that is not text on its own, such as half of a character, is shown by its "
      "bytes, \\xe4. TEXT may be - to read standard input.",
  .examples = "clew tokenize \"The capital of France is\"\n"
              "clew tokenize --model gemma-3-270m.gguf --json \"Hello\" > tokens.json\n"
              "clew tokenize - < notes.txt",
  .options = tokenize_options,
  .n_operands_least = 1,
  .n_operands_most = 1,
  .operand_kind = CWA_OPERAND_TEXT,
  .common_note = "Tokenizing needs no device and no random draw: --device, --threads and "
                 "--seed are accepted, as by every command, and change nothing.",
  .run = run_tokenize,
};
