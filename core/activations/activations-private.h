/* activations-private.h - what every kind of store gives to the streams: rows in frames that
 * are loaded together. */
#pragma once

#include "cw-activations.h"

/* Rows that follow each other in stored order and are loaded together. */
typedef struct {
  int64_t first_row;
  int32_t n_rows;
  bool is_held_out; /* all rows are of documents held out by the store's own fraction */
} CwFrameFacts;

/* A frame in memory. `data` belongs to the kind of store. */
typedef struct {
  int64_t frame;
  void *data;
} CwLoadedFrame;

typedef struct {
  const CwLoadedFrame *loaded;
  int32_t row; /* within the frame */
} CwRowRef;

/* Where gathered rows go: [L, n, D], layers layer_stride floats apart; either may be NULL. */
typedef struct {
  float *in, *out;
  int64_t layer_stride;
} CwRowTarget;

/* One kind of store. Any thread may load; gather uses the device's pool. load takes over the
 * memory of the frame that was loaded there before, if it was not unloaded; where it fails
 * nothing is loaded. */
typedef struct {
  void (*free)(gpointer source);
  bool (*load)(gpointer source, CwLoadedFrame *loaded, GError **error);
  void (*unload)(gpointer source, CwLoadedFrame *loaded);
  bool (*gather)(gpointer source, CwkDevice *device, const CwRowRef *rows, int64_t n,
                 const CwRowTarget *target, GError **error);
  /* Of one frame; each array may be NULL. */
  bool (*read_places)(gpointer source, int64_t frame, int32_t *tokens, int64_t *documents,
                      int64_t *places, GError **error);
  bool (*verify_frame)(gpointer source, int64_t frame, GError **error);
  char *(*dup_hash)(gpointer source); /* NULL if it cannot be had */
  /* Of a source that has no frames but gives batches itself, else NULL; what stands above but
   * for free is then not called. */
  CwActivationStream *(*open_stream)(const CwActivations *activations,
                                     const CwStreamOptions *options, GError **error);
} CwStoreKind;

struct _CwActivations {
  gatomicrefcount ref_count;
  CwActivationsConfig config;
  const CwStoreKind *kind;
  gpointer source;
  const CwFrameFacts *frames; /* [n_frames], owned by the source */
  int64_t n_frames;
  int64_t pool_frames;    /* mixed at a time, at least, where rows are shuffled */
  int64_t ordered_frames; /* loaded at a time where they are not */
  GMutex hash_mutex;
  char *hash; /* under hash_mutex */
};

/* Rows of the frame that belong to the part, as numbers within the frame, into rows [n_rows]
 * (or NULL to count them). */
bool cw_activations_select(const CwActivations *activations, int64_t frame, double fraction,
                           CwRowsPart part, int32_t *rows, int32_t *n, GError **error);
/* Whether that fraction of all documents includes this one. */
bool cw_document_is_held_out(int64_t document, double fraction);

/* One without kind and source. */
CwActivations *cw_activations_alloc(void);

/* The kinds. Each fills config, kind, source and frames of a fresh object. */
bool cw_cache_store_open(CwActivations *activations, const char *folder, GError **error);
bool cw_split_store_open(CwActivations *activations, const char *path, GError **error);
