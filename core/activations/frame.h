/* frame.h - one frame of a cache, from rows to bytes and back. */
#pragma once

#include "activations/cache-format.h"

/* What a frame is made of: rows of a batch [L, n, D], picked by their numbers. */
typedef struct {
  CwCodec codec;
  int64_t n_layers, width, n; /* n: of the batch */
  const float *in, *out;
  const int32_t *tokens, *documents, *positions;
  const float *steps; /* [L, 2] */
} CwFrameSource;

typedef struct {
  uint8_t *bytes;     /* places, then body */
  CwFrameEntry entry; /* but for the offset and flags */
  double *errors;     /* [L, 2] squares */
} CwPackedFrame;

/* Any thread. False if there is no memory. */
bool cw_frame_pack(const CwFrameSource *source, const int64_t *rows, int64_t n_rows,
                   CwPackedFrame *packed, GError **error);
void cw_packed_frame_clear(CwPackedFrame *packed);

/* A body, decompressed. */
typedef struct {
  uint8_t *bytes;
  const CwPlaneHead *planes; /* [L, 2] */
  const CwEscape **escapes;  /* [L, 2] */
  const uint8_t *codes;      /* [L, 2, n, D] */
} CwOpenFrame;

/* Whether an entry can be true: sizes within their bounds. */
bool cw_frame_entry_is_sane(const CwFrameEntry *entry, CwCodec codec, int64_t n_layers,
                            int64_t width);
/* Both return NULL, or what is wrong. */
const char *cw_frame_open_body(const CwFrameEntry *entry, CwCodec codec, int64_t n_layers,
                               int64_t width, const void *body, CwOpenFrame *frame);
const char *cw_frame_open_places(const CwFrameEntry *entry, const void *bytes,
                                 int32_t *places /* [3, n_rows] */);
void cw_open_frame_clear(CwOpenFrame *frame);
