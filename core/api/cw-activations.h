/* cw-activations.h - what a transcoder learns from: MLP inputs and outputs of every layer, over
 * text, kept compressed on disk or made while they are read.
 *
 * A row is one token. Batches come layer-major, [L, B, D], in f32, as the trainer's products
 * want them. */
#pragma once

#include "cw-model.h"

G_BEGIN_DECLS

/* ---- an opened store of rows ----------------------------------------------------------- */

typedef struct _CwActivations CwActivations;

typedef struct {
  int64_t n_rows, n_layers, width;
  const char *model_name, *model_hash;  /* "" where the store does not say */
  const char *input_hook, *output_hook; /* as TransformerLens names them; or "" */
  int64_t context_tokens;               /* 0 where unknown */
  const char *format;                   /* "clew-cache", "clt-forge-split", "live" */
  const char *codec;                    /* "none", "int8", "int4" */
  double held_out_fraction; /* of the documents, kept in frames of their own; 0 where none is */
  bool is_live;             /* made while they are read: n_rows is 0, only streams are given */
} CwActivationsConfig;

/* path: a cache folder (or one that holds all parts of a split job), a .safetensors split with
 * act_in, act_out [N, L, D] (tokens [N] optional), or a folder of such splits (read in order of
 * their numbers). The index is checked here; frames are checked when they are read. Immutable,
 * any thread. */
CwActivations *cw_activations_open(const char *path, GError **error);
CwActivations *cw_activations_ref(CwActivations *activations);
void cw_activations_unref(CwActivations *activations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwActivations, cw_activations_unref)
const CwActivationsConfig *cw_activations_peek_config(const CwActivations *activations);
/* SHA-256 of what identifies the data (manifest, or contents of splits), for checkpoints to
 * hold on to. NULL if the files cannot be read. Owned by the store. */
const char *cw_activations_get_hash(CwActivations *activations);
/* Reads every frame and compares checksums; the error names file, frame and byte. */
bool cw_activations_verify(CwActivations *activations, const CwProgress *progress,
                           CwCancel *cancel, GError **error);
/* Rows first .. first + n - 1 in stored order; in, out and tokens may be NULL. Random access:
 * costs the frames that hold the rows. Tokens are -1 where the store has none. */
bool cw_activations_read(CwActivations *activations, int64_t first, int64_t n, float *in,
                         /* [L, n, D] */ float *out, /* [L, n, D] */
                         int32_t *tokens /* [n] or NULL */, GError **error);
/* Where these rows stood: document's number and token's place in it (0 is the document's first
 * token). A window holds the tokens of one document from a multiple of context_tokens - 1 on,
 * so that document and place give the whole context back. -1 where the store does not say;
 * either may be NULL. */
bool cw_activations_read_places(CwActivations *activations, int64_t first, int64_t n,
                                int64_t *documents, int64_t *places, GError **error);

/* ---- batches --------------------------------------------------------------------------- */

typedef struct _CwActivationStream CwActivationStream;

typedef enum { CW_ROWS_TRAINING, CW_ROWS_HELD_OUT } CwRowsPart;

typedef struct {
  int64_t batch_tokens;
  bool is_shuffled; /* globally, anew each pass; else stored order */
  uint64_t seed;
  /* 0: none is held out, CW_ROWS_TRAINING is everything. Whole documents are held out, chosen
   * by a hash of their number, the same for every seed; runs of 256 rows where documents are
   * not known. Reading the held-out part is cheapest with the fraction that the cache was made
   * with, whose rows lie in frames of their own. */
  double held_out_fraction;
  CwRowsPart part;
  bool has_prefetch; /* a thread decodes the next batch while this one is used */
  int n_threads;     /* that decode; 0: one */
} CwStreamOptions;

/* Batches of a store, pass after pass, the last incomplete batch of a pass carried over into
 * the next. What batch number i holds depends on the store, seed and options only.
 *
 * Shuffling: the frames of a cache, each of which already holds rows from many documents, are
 * permuted; 64 or more at a time are mixed row by row. Rows of splits are permuted one by one.
 * Holds those frames' codes in memory: about 64 times 4 MB. */
CwActivationStream *cw_activation_stream_new(CwActivations *activations,
                                             const CwStreamOptions *options, GError **error);
void cw_activation_stream_free(CwActivationStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwActivationStream, cw_activation_stream_free)
/* Rows of the chosen part in one pass; 0 where rows are made while they are read, since no one
 * has counted them. */
int64_t cw_activation_stream_get_pass_rows(const CwActivationStream *stream);
/* The next batch. in or out may be NULL. */
bool cw_activation_stream_next(CwActivationStream *stream, float *in /* [L, B, D] */,
                               float *out /* [L, B, D] */, CwCancel *cancel, GError **error);
/* Number of the batch that next gives; seek costs the pool, not the position. */
int64_t cw_activation_stream_get_position(const CwActivationStream *stream);
bool cw_activation_stream_seek(CwActivationStream *stream, int64_t position, GError **error);
/* A word that says where in its text a live stream is; "" for others. With it, a new stream
 * with the same options goes to that position without reading the text before it. */
char *cw_activation_stream_dup_cursor(const CwActivationStream *stream);
bool cw_activation_stream_seek_cursor(CwActivationStream *stream, int64_t position,
                                      const char *cursor, GError **error);

/* ---- writing a cache -------------------------------------------------------------------- */

typedef enum {
  CW_CODEC_NONE, /* f16 */
  CW_CODEC_INT8, /* codes of 8 bits whose step follows from the error; outliers kept apart */
  CW_CODEC_INT4  /* the same with codes of 4 bits */
} CwCodec;

typedef struct {
  int64_t n_layers, width;
  const char *model_name, *model_hash, *input_hook, *output_hook;
  int64_t context_tokens;
  CwCodec codec;
  /* Energy of the error over that of the values, in every layer; 0: the codec's default. */
  double target_error;
  uint64_t seed;            /* of the order of rows within a batch */
  double held_out_fraction; /* of the documents; their rows get frames of their own */
  char *settings_json;      /* the collector's settings, a JSON object kept as it is; or NULL */
} CwCacheOptions;

/* A cache folder that is being written. Its manifest.json is written last; until then it is
 * unfinished and can be taken up again. One thread. */
typedef struct _CwCacheWriter CwCacheWriter;

/* Begins folder, which must be new or empty, or, if is_resumed, takes an unfinished one up
 * behind its last whole batch; other options than it was begun with are an error that names the
 * difference. The same batches give the same bytes, however often a run was stopped. */
CwCacheWriter *cw_cache_writer_begin(const char *folder, const CwCacheOptions *options,
                                     bool is_resumed, GError **error);
/* Whole batches already stored: the collector skips these. */
int64_t cw_cache_writer_get_n_batches(const CwCacheWriter *writer);
/* Appends one batch of the collector, such as 64 windows of 128 tokens, whose rows are mixed
 * among each other. It is encoded on the pool of device (NULL: on this thread) and on disk when
 * this returns. n >= 1; values that are not finite are an error that names layer and row. After
 * a failure the folder can be taken up again, the writer only be discarded. */
bool cw_cache_writer_append(CwCacheWriter *writer, CwkDevice *device,
                            const float *in /* [L, n, D] */, const float *out /* [L, n, D] */,
                            const int32_t *tokens /* [n] */, const int32_t *documents /* [n] */,
                            const int32_t *positions /* [n] */, int64_t n, GError **error);
/* Writes index and manifest. Frees the writer in any case; if it fails, the folder can be taken
 * up again. */
bool cw_cache_writer_finish(CwCacheWriter *writer, GError **error);
/* Closes the folder as it is: unfinished. NULL is fine. */
void cw_cache_writer_discard(CwCacheWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwCacheWriter, cw_cache_writer_discard)

/* Makes one cache of finished parts, in this order, which must agree in model, hooks, shapes
 * and codec. Their frames are linked into folder where the file system can, else copied. */
bool cw_cache_join(const char *const *parts, size_t n, const char *folder, GError **error);

/* ---- from text to rows ----------------------------------------------------------------- */

/* Text for a model: plain text (a file is a document), JSON lines (*.jsonl, *.ndjson: a line is
 * a document), token ids (*.safetensors with `tokens` or `input_ids`, I32 or I64: of [N] the
 * documents stand between BOS or EOS ids, of [n, T] a row is a document, less the BOS before
 * and the EOS behind it), or folders of such, in order of their names.
 *
 * Documents are cut into windows of at most context_tokens: the model's start token (none where
 * it has none) and tokens of this one document, none of which is lost. The first position of a
 * window gives no row. */
typedef struct {
  const char *const *paths; /* NULL-terminated, borrowed */
  const char *text_field;   /* of JSON lines; NULL: "text" */
  int64_t context_tokens;   /* 0: 128 */
  int64_t job, n_jobs;      /* documents whose number is job modulo n_jobs; 0, 0: all */
} CwTextOptions;

typedef struct {
  CwTextOptions text;
  CwCodec codec;
  double target_error;      /* as CwCacheOptions has it */
  double held_out_fraction; /* of the documents; negative: 1/64 */
  int64_t n_tokens;         /* rows to make at most; 0: all of the text */
  int64_t batch_tokens;     /* rows held in f32 and mixed before they are written; 0: 512 MB */
  uint64_t seed;            /* of the order within a batch */
  bool is_reduced;          /* the model runs with CW_FORWARD_REDUCED */
  /* Called for each window that the model has run over, not for those that are passed over:
   * rows so far, and the share of all. May be NULL. */
  void (*made)(int64_t n_rows, double fraction, gpointer user_data);
  gpointer made_data;
} CwCollectOptions;

typedef struct {
  int64_t n_rows, n_documents, n_windows;
  int64_t n_resumed_rows;                 /* found from a run that was cut off */
  double capture_seconds, encode_seconds; /* wall, of this run */
} CwCollectReport;

/* Runs the model over text and writes a cache into the folder `output`. A run that was cut off
 * goes on behind its last whole batch if it is started again with the same options, and leaves
 * the same bytes. Job i of n writes into output/part-i-of-n, for cw_cache_join; document
 * numbers are those of the whole text in every part. */
bool cw_activations_collect(CwModel *model, CwkDevice *device, const CwCollectOptions *options,
                            const char *output, CwCollectReport *report,
                            const CwProgress *progress, CwCancel *cancel, GError **error);

/* ---- rows made while they are read ------------------------------------------------------ */

typedef struct {
  CwTextOptions text;       /* copied */
  double held_out_fraction; /* of the documents, by default; negative: 1/64 */
  int64_t buffer_bytes;     /* rows in f32 that a stream holds at most; 0: 1 GiB */
  int n_threads;            /* that run the model, beside the caller's; 0: one a core */
  bool is_reduced;          /* the model runs with CW_FORWARD_REDUCED */
} CwLiveOptions;

/* A store that keeps nothing: each of its streams has a thread that runs the model over the
 * text, pass after pass, into a buffer, while batches are taken from it. It has no rows to read
 * at random. Batches depend on text, model, buffer_bytes and the stream's options, neither on
 * threads nor on timing; rows equal those of a cache of the same text but for its codec.
 *
 * Shuffling: two thirds of the buffer are mixed at a time, row by row, half of them having been
 * held back from the time before. A text that fits is mixed whole. Taking a stream up in the
 * middle costs what the model needs for 4/3 of the buffer. Not shuffled, rows come in the
 * text's order. */
CwActivations *cw_activations_open_live(CwModel *model, const CwLiveOptions *options,
                                        GError **error);

G_END_DECLS
