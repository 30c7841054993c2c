/* stream-private.h - what a source of batches, stored or live, gives to its stream. */
#pragma once

#include "activations/activations-private.h"

/* A source fills any batch by its number; the stream adds position and prefetching. */
typedef struct {
  bool (*fill)(gpointer source, int64_t position, float *in, float *out, CwCancel *cancel,
               GError **error);
  void (*free)(gpointer source);
  /* Both NULL where a position says all. */
  char *(*dup_cursor)(gpointer source, int64_t position);
  bool (*take_cursor)(gpointer source, int64_t position, const char *cursor, GError **error);
} CwBatchKind;

/* Takes the source, also on failure. floats: of one side of a batch. */
CwActivationStream *cw_activation_stream_wrap(const CwBatchKind *kind, gpointer source,
                                              size_t floats, bool has_prefetch,
                                              int64_t pass_rows, GError **error);
