/* row-store.h - rows of direct effects, kept as they come.
 *
 * Private to core/attribution. A target at layer l and position c can only be reached from
 * layers < l and positions <= c, so its row holds that cone and nothing else: for every
 * position p <= c the features of layers < l (in column order), the errors of layers < l, and
 * the token. A quarter of a dense row on average. */
#pragma once

#include "attribution/replacement.h"

typedef struct {
  int32_t layer; /* L for logits */
  int32_t position;
  int64_t active; /* active index of a feature, or -1 - its number for a logit */
  float *values;  /* the cone, in the store */
  double sum_abs; /* over the cone */
  double rest;    /* unattributed */
  float value;    /* of the target */
} CwRow;

typedef struct {
  const CwReplacement *replacement;
  int64_t *prefix;   /* [(L + 1) * (T + 1)] values before position p in a row of layer l */
  GArray *rows;      /* CwRow */
  GPtrArray *chunks; /* float *, one a batch, NULL once given back */
  GArray *chunk_end; /* guint, the first row behind each chunk */
} CwRowStore;

CwRowStore *cw_row_store_new(const CwReplacement *replacement);
void cw_row_store_free(CwRowStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwRowStore, cw_row_store_free)

/* Number of values of a row. */
int64_t cw_row_store_length(const CwRowStore *store, int64_t layer, int64_t position);
/* Offset in a row of layer `layer` of the block of position p; of error (l, p); of token p. */
int64_t cw_row_store_block(const CwRowStore *store, int64_t layer, int64_t p);
int64_t cw_row_store_error(const CwRowStore *store, int64_t layer, int64_t l, int64_t p);
int64_t cw_row_store_token(const CwRowStore *store, int64_t layer, int64_t p);

/* Gives back the values of a chunk's rows, which then have none. */
void cw_row_store_drop_chunk(CwRowStore *store, guint chunk);

/* Appends n rows (values zeroed, in one chunk); false without memory. The rows stay where they
 * are until the store is freed; their index in store->rows is *first. */
bool cw_row_store_append(CwRowStore *store, const CwRow *rows, size_t n, size_t *first,
                         GError **error);
