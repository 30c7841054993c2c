/* texts.c - documents to token ids to windows.
 *
 * A window is the start token and up to context - 1 tokens of one document; windows of a
 * document lie end to end, the last one being as short as the rest is. */
#include "activations/texts.h"

#include <string.h>

#include "activations/activations-private.h"
#include "activations/document-reader.h"
#include "files/file-identity.h"

struct _CwTexts {
  const CwModel *model;
  CwTokenizer *tokenizer; /* or NULL */
  CwDocumentReader *reader;
  int64_t context;
  int32_t bos, start;
  int64_t n_vocabulary;
  int32_t *tokens; /* of the current document */
  int64_t n_tokens;
  CwTextCursor cursor, last; /* next and last window */
  int32_t *window;           /* [context] */
  double held_out_fraction;  /* 0: every document is read */
  CwRowsPart part;
};

CwTexts *
cw_texts_new(const CwModel *model, const CwTextOptions *options, GError **error)
{
  const CwModelConfig *config = cw_model_peek_config(model);
  g_autoptr(CwTexts) texts = g_new0(CwTexts, 1);
  texts->model = model;
  texts->context = options->context_tokens > 0 ? options->context_tokens : 128;
  texts->tokenizer = cw_model_peek_tokenizer(model);
  texts->n_vocabulary = config->n_vocabulary;
  texts->bos = texts->start = -1;
  int32_t eos = -1;
  if (texts->context < 2 || texts->context > config->n_context) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "A context of %" G_GINT64_FORMAT " tokens does not fit %s, which takes 2 to "
                "%" G_GINT64_FORMAT,
                texts->context, config->name, config->n_context);
    return NULL;
  }
  if (options->n_jobs > 0 && (options->job < 0 || options->job >= options->n_jobs)) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "There is no job %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT "; the first is 0",
                options->job, options->n_jobs);
    return NULL;
  }
  if (texts->tokenizer != NULL) {
    texts->bos = cw_tokenizer_get_bos(texts->tokenizer);
    eos = cw_tokenizer_get_eos(texts->tokenizer);
    texts->start = cw_tokenizer_get_prompt_start(texts->tokenizer);
  }
  texts->reader = cw_document_reader_new(options, texts->bos, eos, error);
  if (texts->reader == NULL)
    return NULL;
  texts->window = g_new(int32_t, (gsize)texts->context);
  texts->cursor.document = -1;
  return g_steal_pointer(&texts);
}

void
cw_texts_free(CwTexts *texts)
{
  if (texts == NULL)
    return;
  g_clear_pointer(&texts->reader, cw_document_reader_free);
  g_free(texts->tokens);
  g_free(texts->window);
  g_free(texts);
}

void
cw_texts_set_part(CwTexts *texts, double held_out_fraction, CwRowsPart part)
{
  texts->held_out_fraction = held_out_fraction;
  texts->part = part;
}

int64_t
cw_texts_get_context(const CwTexts *texts)
{
  return texts->context;
}

int32_t
cw_texts_get_start(const CwTexts *texts)
{
  return texts->start;
}

char *
cw_texts_dup_identity(const CwTexts *texts)
{
  return cw_files_dup_identity(cw_document_reader_peek_paths(texts->reader));
}

double
cw_texts_get_fraction(const CwTexts *texts)
{
  return cw_document_reader_get_fraction(texts->reader);
}

CwTextCursor
cw_texts_get_cursor(const CwTexts *texts)
{
  return texts->cursor;
}

void
cw_texts_push_back(CwTexts *texts)
{
  texts->cursor = texts->last;
}

/* Ids that the caller gave are checked here, where the document can be named. */
static bool
check_tokens(const CwTexts *texts, int64_t document, GError **error)
{
  for (int64_t i = 0; i < texts->n_tokens; i++)
    if (texts->tokens[i] < 0 || texts->tokens[i] >= texts->n_vocabulary) {
      g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                  "Document %" G_GINT64_FORMAT ": token %" G_GINT64_FORMAT
                  " is no id of %s, which has ids 0 to %" G_GINT64_FORMAT,
                  document, i, cw_model_peek_config(texts->model)->name,
                  texts->n_vocabulary - 1);
      return false;
    }
  return true;
}

static bool
take_document(CwTexts *texts, const CwTextDocument *document, GError **error)
{
  size_t n = document->n_tokens;
  g_clear_pointer(&texts->tokens, g_free);
  texts->n_tokens = 0;
  if (document->tokens != NULL)
    texts->tokens = g_memdup2(document->tokens, MAX(n, 1) * sizeof *texts->tokens);
  else if (texts->tokenizer == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "%s has no tokenizer; give token ids in .safetensors instead of text",
                cw_model_peek_path(texts->model));
    return false;
  } else
    texts->tokens = cw_tokenizer_encode(texts->tokenizer, document->text,
                                        (gssize)document->n_bytes, &n, error);
  if (texts->tokens == NULL)
    return false;
  size_t n_start = n > 0 && texts->bos >= 0 && texts->tokens[0] == texts->bos ? 1 : 0;
  memmove(texts->tokens, texts->tokens + n_start, (n - n_start) * sizeof *texts->tokens);
  texts->n_tokens = (int64_t)(n - n_start);
  if (document->number > INT32_MAX || n > INT32_MAX) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                        "The text has more than 2^31 documents, or one with as many tokens");
    return false;
  }
  return check_tokens(texts, document->number, error);
}

/* Without a start token the first token of a window gives no row. */
static int64_t
least_tokens(const CwTexts *texts)
{
  return texts->start >= 0 ? 1 : 2;
}

static bool
is_of_part(const CwTexts *texts, int64_t document)
{
  bool is_held_out = cw_document_is_held_out(document, texts->held_out_fraction);
  return is_held_out == (texts->part == CW_ROWS_HELD_OUT);
}

static bool
find_document(CwTexts *texts, GError **error)
{
  while (texts->tokens == NULL || texts->n_tokens - texts->cursor.place < least_tokens(texts)) {
    CwTextDocument document = { .number = texts->cursor.document };
    do
      if (!cw_document_reader_next(texts->reader, document.number + 1, &document, error))
        return false;
    while (!is_of_part(texts, document.number));
    if (!take_document(texts, &document, error))
      return false;
    texts->cursor = (CwTextCursor){ document.number, 0 };
  }
  return true;
}

bool
cw_texts_next(CwTexts *texts, CwWindow *window, GError **error)
{
  if (!find_document(texts, error))
    return false;
  int64_t n_start = texts->start >= 0 ? 1 : 0;
  int64_t n = MIN(texts->n_tokens - texts->cursor.place, texts->context - n_start);
  texts->window[0] = texts->start;
  memcpy(texts->window + n_start, texts->tokens + texts->cursor.place,
         (size_t)n * sizeof *texts->window);
  *window =
      (CwWindow){ texts->cursor.document, texts->cursor.place, n + n_start, texts->window };
  texts->last = texts->cursor;
  texts->cursor.place += n;
  return true;
}

bool
cw_texts_seek(CwTexts *texts, CwTextCursor cursor, GError **error)
{
  cw_document_reader_rewind(texts->reader);
  g_clear_pointer(&texts->tokens, g_free);
  texts->n_tokens = 0;
  texts->cursor = (CwTextCursor){ -1, 0 };
  if (cursor.document < 0)
    return true;
  CwTextDocument document;
  g_autoptr(GError) failure = NULL;
  if (!cw_document_reader_next(texts->reader, cursor.document, &document, &failure)) {
    if (failure == NULL)
      g_set_error(&failure, CW_ERROR, CW_ERROR_MISMATCH,
                  "The text ends before document %" G_GINT64_FORMAT, cursor.document);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
  }
  if (!take_document(texts, &document, error))
    return false;
  texts->cursor = cursor;
  return true;
}
