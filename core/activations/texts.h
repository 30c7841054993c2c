/* texts.h - documents out of files, and windows of tokens out of documents. */
#pragma once

#include "cw-activations.h"

/* What a run of the model sees: n tokens, start included. */
typedef struct {
  int64_t document; /* its number in the order of the input */
  int64_t place;    /* of the first token behind the start, within the document */
  int64_t n;
  const int32_t *tokens; /* until the next call */
} CwWindow;

/* Where the next window begins. */
typedef struct {
  int64_t document, place;
} CwTextCursor;

typedef struct _CwTexts CwTexts;

CwTexts *cw_texts_new(const CwModel *model, const CwTextOptions *options, GError **error);
void cw_texts_free(CwTexts *texts);
/* Documents outside of the part are passed over, as cw_document_is_held_out says. */
void cw_texts_set_part(CwTexts *texts, double held_out_fraction, CwRowsPart part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwTexts, cw_texts_free)
int64_t cw_texts_get_context(const CwTexts *texts);
/* -1 if windows have no start token. */
int32_t cw_texts_get_start(const CwTexts *texts);
/* SHA-256 of the files' contents; NULL if they cannot be read. Transfer full. */
char *cw_texts_dup_identity(const CwTexts *texts);
/* The next window with one row at least; false at the end (no error) or on failure. */
bool cw_texts_next(CwTexts *texts, CwWindow *window, GError **error);
/* Gives the last window again next time. */
void cw_texts_push_back(CwTexts *texts);
/* Windows are taken up at the cursor: documents before it are passed over unread. */
bool cw_texts_seek(CwTexts *texts, CwTextCursor cursor, GError **error);
CwTextCursor cw_texts_get_cursor(const CwTexts *texts);
/* Share of the input's bytes that is read. */
double cw_texts_get_fraction(const CwTexts *texts);
