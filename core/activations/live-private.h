/* live-private.h - rows that a model makes of text while they are read: what its store, the
 * thread that makes them and the batches share. */
#pragma once

#include "activations/capture.h"
#include "activations/stream-private.h"

typedef struct {
  CwModel *model;
  char **paths;
  char *text_field, *hash;
  CwLiveOptions options; /* text.paths and text.text_field are the two above */
} CwLiveStore;

/* Rows that are mixed together: windows of the text that follow each other, as many as fit. A
 * chunk ends where the text does, so that it holds no row twice. */
typedef struct {
  int64_t pass;       /* over the text */
  CwTextCursor start; /* of its first window */
  GArray *slots;      /* of int32_t: where its rows are */
} CwLiveChunk;

void cw_live_chunk_free(CwLiveChunk *chunk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwLiveChunk, cw_live_chunk_free)

/* The thread that runs the model and the buffer that it fills. */
typedef struct _CwLiveBuffer CwLiveBuffer;

/* n_slots rows are held at most, those of a chunk being chunk_rows at most. The store must
 * outlive it. */
CwLiveBuffer *cw_live_buffer_new(const CwLiveStore *store, double held_out_fraction,
                                 CwRowsPart part, int64_t n_slots, int64_t chunk_rows,
                                 GError **error);
void cw_live_buffer_free(CwLiveBuffer *buffer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwLiveBuffer, cw_live_buffer_free)

/* Stops the thread and empties the buffer; chunks that were taken are void then. */
void cw_live_buffer_stop(CwLiveBuffer *buffer);
/* Where a chunk begins that is neither made nor run, only counted, and where the next one does.
 * Between stop and start. */
bool cw_live_buffer_count(CwLiveBuffer *buffer, CwLiveChunk *chunk, int64_t *n_rows,
                          CwCancel *cancel, GError **error);
/* Chunks are made from this one on. */
bool cw_live_buffer_start(CwLiveBuffer *buffer, const CwLiveChunk *first, GError **error);
/* Waits for the next chunk. NULL on failure, after which stop is due. */
CwLiveChunk *cw_live_buffer_take(CwLiveBuffer *buffer, CwCancel *cancel, GError **error);
/* in and out of a slot, [2, L, D]; until it is released. */
const float *cw_live_buffer_peek(const CwLiveBuffer *buffer, int32_t slot);
void cw_live_buffer_release(CwLiveBuffer *buffer, const int32_t *slots, int64_t n);

/* Batches out of a buffer. */
CwActivationStream *cw_live_batches_open(const CwActivations *activations,
                                         const CwStreamOptions *options, GError **error);
