/* cache-format.h - the bytes of an activation cache.
 *
 * folder/manifest.json      what it holds and how exactly; written last, names all other files
 * folder/frames-0000.bin    CwCacheHead, then batches; a joined cache has several such files
 * folder/frames-0000.index  CwIndexHead, then a CwFrameEntry for each frame of that file
 * folder/unfinished.json    the options, only while there is no manifest
 *
 * A batch is what the collector appended at a time: CwBatchHead, its frames' entries (offsets
 * from the batch's first byte), 4 L doubles (energy of the inputs and of their errors, of the
 * outputs and of theirs, per layer), then the frames. A frame is two zstd frames, both with
 * content size and checksum:
 *   places: i32 tokens [n], documents [n], positions [n];
 *   body:   2 L times CwPlaneHead (layer 0's input, its output, layer 1's input, ...), the
 *           planes' escapes, then 2 L planes of codes [n, D] in i8 or f16.
 * Little endian. Every number is checked against the file before it is used. */
#pragma once

#include "cw-activations.h"

#define CW_CACHE_VERSION     1
#define CW_CACHE_MAGIC       "CLEWACT1"
#define CW_BATCH_MAGIC       "CWBATCH1"
#define CW_INDEX_MAGIC       "CWINDEX1"
#define CW_FRAME_IS_HELD_OUT 1u
/* Codes of a frame before zstd: large enough for entropy coding to pay, small enough that a
 * row read alone costs a millisecond or two. */
#define CW_FRAME_TARGET_BYTES (2 << 20)
#define CW_FRAME_MAX_BYTES    (256 << 20)
#define CW_MAX_CACHE_LAYERS   4096
#define CW_MAX_CACHE_WIDTH    (1 << 20)

G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN);

typedef struct {
  char magic[8];
  uint32_t version, codec, n_layers, width;
  uint8_t sha256[32]; /* of what stands before */
} CwCacheHead;

typedef struct {
  char magic[8];
  uint64_t number, n_bytes; /* n_bytes: of the whole batch */
  uint32_t n_frames, n_rows;
  uint8_t sha256[32]; /* of what stands before, the entries and the doubles */
} CwBatchHead;

typedef struct {
  uint64_t offset;
  uint32_t places_bytes, body_bytes, n_rows, n_escapes, flags;
  uint32_t checksum; /* zstd's of the body */
} CwFrameEntry;

typedef struct {
  char magic[8];
  uint64_t n_frames;
} CwIndexHead;

typedef struct {
  float step;
  uint32_t n_escapes;
} CwPlaneHead;

/* A value that no code stands for: beyond the codes' range. */
typedef struct {
  uint32_t at; /* within the plane [n, D], ascending */
  float value;
} CwEscape;

G_STATIC_ASSERT(sizeof(CwCacheHead) == 56);
G_STATIC_ASSERT(sizeof(CwBatchHead) == 64);
G_STATIC_ASSERT(sizeof(CwFrameEntry) == 32);
G_STATIC_ASSERT(sizeof(CwIndexHead) == 16);
G_STATIC_ASSERT(sizeof(CwEscape) == 8);

static inline size_t
cw_codec_value_bytes(CwCodec codec)
{
  return codec == CW_CODEC_NONE ? 2 : 1;
}

/* "none", "int8", "int4". */
const char *cw_codec_name(CwCodec codec);
bool cw_codec_from_name(const char *name, CwCodec *codec);
/* 0 of CW_CODEC_NONE, which has no target. */
double cw_codec_default_error(CwCodec codec);
