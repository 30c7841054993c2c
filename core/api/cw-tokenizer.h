/* cw-tokenizer.h - text to token ids and back, as the model's own tokenizer does it.
 *
 * Byte-level BPE (GPT-2, SmolLM2, Llama 3, Qwen) and SentencePiece-style BPE with byte fallback
 * (Llama 2, Gemma), from tokenizer.json or from GGUF metadata. Immutable, any thread. */
#pragma once

#include "cw-tensor-file.h"

G_BEGIN_DECLS

typedef struct _CwTokenizer CwTokenizer;

CwTokenizer *cw_tokenizer_new_from_gguf(const CwTensorFile *file, GError **error);
/* path: a tokenizer.json; its folder's tokenizer_config.json and config.json name BOS and EOS.
 */
CwTokenizer *cw_tokenizer_new_from_json(const char *path, GError **error);
CwTokenizer *cw_tokenizer_ref(CwTokenizer *tokenizer);
void cw_tokenizer_unref(CwTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwTokenizer, cw_tokenizer_unref)

int64_t cw_tokenizer_get_n_tokens(const CwTokenizer *tokenizer);
int32_t cw_tokenizer_get_bos(const CwTokenizer *tokenizer); /* -1 if there is none */
int32_t cw_tokenizer_get_eos(const CwTokenizer *tokenizer); /* -1 if there is none */
bool cw_tokenizer_is_special(const CwTokenizer *tokenizer, int32_t id);
/* The id put in front of a prompt that does not begin with a special token: BOS, else pad, else
 * EOS, else the first special id; -1 if there is no special token. Id 0 counts. */
int32_t cw_tokenizer_get_prompt_start(const CwTokenizer *tokenizer);

/* Special tokens written in the text ("<|im_start|>") become their ids; no BOS is added. Bytes
 * that are not UTF-8 are encoded as bytes where the vocabulary can. Returns a new array
 * (transfer full) and its length; empty text gives n = 0. Cost O(n log n). */
int32_t *cw_tokenizer_encode(const CwTokenizer *tokenizer, const char *text, gssize n_bytes,
                             size_t *n, GError **error);
/* The text of some tokens, special ones included; invalid bytes stay as they are. */
char *cw_tokenizer_decode(const CwTokenizer *tokenizer, const int32_t *ids, size_t n,
                          size_t *n_bytes);
/* One token for display: valid UTF-8; bytes that are no text on their own as "\xe4". A leading
 * space is kept as a space, a newline as a newline. Transfer full. */
char *cw_tokenizer_dup_piece(const CwTokenizer *tokenizer, int32_t id);
/* The same in quotes with control characters escaped, for a line of text; "#id" without a
 * tokenizer (NULL) or beyond its vocabulary. Transfer full. */
char *cw_tokenizer_dup_quoted_piece(const CwTokenizer *tokenizer, int32_t id);

G_END_DECLS
