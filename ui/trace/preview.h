/* preview.h - what is known of a prompt before it is traced: its tokens, whether it fits, and
 * what the model says next. Plain data, made on any thread. */
#pragma once

#include "cw-attribution.h"

G_BEGIN_DECLS

typedef struct {
  int32_t id;
  bool is_special;
  char *piece; /* for display, see cw_tokenizer_dup_piece */
  /* Bytes of the text that became this token; end == start for a token put in front, and for
   * all after a place where the tokenizer has changed the text. */
  size_t start, end;
} CwuToken;

typedef struct {
  int32_t id;
  char *piece;
  double probability;
} CwuNextToken;

/* The tokens of one text. */
typedef struct {
  char *text;
  CwuToken *tokens; /* [n_tokens] */
  size_t n_tokens;
  bool has_start; /* tokens[0] was put in front */
  char *problem;  /* why it cannot be traced, with numbers; NULL if it can */
  bool fits_context;
} CwuPreview;

/* The model must have a tokenizer; an error without one. Text "" has no tokens. O(n log n). */
CwuPreview *cwu_preview_new(const CwModel *model, const char *text, GError **error);
void cwu_preview_free(CwuPreview *preview);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuPreview, cwu_preview_free)

/* The ids alone; transfer full. */
int32_t *cwu_preview_dup_ids(const CwuPreview *preview);

/* What the model says next: one forward pass, [n] entries, the most probable first. */
CwuNextToken *cwu_next_tokens_new(CwModel *model, CwkDevice *device, const int32_t *tokens,
                                  size_t n_tokens, size_t n, CwCancel *cancel, GError **error);
void cwu_next_tokens_free(CwuNextToken *next, size_t n);

G_END_DECLS
