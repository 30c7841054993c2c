/* frame.h - one frame of a cache, from rows to bytes and back. */
#pragma once

#include "activations/cache-format.h"
#include "base/room.h"

/* What a frame is made of: rows of a batch [L, n, D], picked by their numbers. */
typedef struct {
  CwCodec codec;
  int64_t n_layers, width, n; /* n: of the batch */
  const float *in, *out;
  const int32_t *tokens, *documents, *positions;
  const float *steps; /* [L, 2] */
} CwFrameSource;

/* Zero at first; may be packed into again and again. */
typedef struct {
  CwRoom room; /* places, then body */
  size_t n_bytes;
  CwFrameEntry entry; /* but for the offset and flags */
  double *errors;     /* [L, 2] squares */
} CwPackedFrame;

/* What packing needs beside: one thread at a time, any number of frames. */
typedef struct _CwFramePacker CwFramePacker;
CwFramePacker *cw_frame_packer_new(void); /* NULL if there is no memory */
void cw_frame_packer_free(CwFramePacker *packer);

/* Any thread. False if there is no memory. */
bool cw_frame_pack(CwFramePacker *packer, const CwFrameSource *source, const int64_t *rows,
                   int64_t n_rows, CwPackedFrame *packed, GError **error);
void cw_packed_frame_clear(CwPackedFrame *packed);

/* What unpacking needs beside, likewise. */
typedef struct {
  struct ZSTD_DCtx_s *context;
  CwRoom bytes; /* for the caller: as they lie in the file */
} CwFrameReader;

CwFrameReader *cw_frame_reader_new(void); /* NULL if there is no memory */
void cw_frame_reader_free(CwFrameReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwFrameReader, cw_frame_reader_free)

/* A body, decompressed. Zero at first; may be opened again and again for the same shape. */
typedef struct {
  CwRoom room;
  const CwPlaneHead *planes; /* [L, 2] */
  const CwEscape **escapes;  /* [L, 2] */
  const uint8_t *codes;      /* [L, 2, n, D], 64-byte aligned */
} CwOpenFrame;

/* Whether an entry can be true: sizes within their bounds. */
bool cw_frame_entry_is_sane(const CwFrameEntry *entry, CwCodec codec, int64_t n_layers,
                            int64_t width);
/* Both return NULL, or what is wrong. */
const char *cw_frame_open_body(CwFrameReader *reader, const CwFrameEntry *entry, CwCodec codec,
                               int64_t n_layers, int64_t width, const void *body,
                               CwOpenFrame *frame);
const char *cw_frame_open_places(CwFrameReader *reader, const CwFrameEntry *entry,
                                 const void *bytes, int32_t *places /* [3, n_rows] */);
void cw_open_frame_clear(CwOpenFrame *frame);
