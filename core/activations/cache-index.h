/* cache-index.h - the files of a cache: heads, index and manifest, written and checked. */
#pragma once

#include <json-glib/json-glib.h>

#include "activations/cache-format.h"

/* SHA-256 of up to three pieces, the later ones may be NULL. */
void cw_cache_digest(const void *const *pieces, const size_t *sizes, size_t n, uint8_t to[32]);
void cw_cache_head_fill(CwCacheHead *head, CwCodec codec, int64_t n_layers, int64_t width);
/* Whether head is one for such frames; else an error that names path. */
bool cw_cache_head_check(const CwCacheHead *head, CwCodec codec, int64_t n_layers,
                         int64_t width, const char *path, GError **error);
/* entries and energies [4, L] directly behind one another in `rest`. */
void cw_batch_head_digest(const CwBatchHead *head, const void *rest, int64_t n_layers,
                          uint8_t to[32]);
size_t cw_batch_rest_bytes(uint32_t n_frames, int64_t n_layers);

/* All of n_bytes at offset, or an error that names path and byte. */
bool cw_read_at(int fd, const char *path, uint64_t offset, void *to, size_t n_bytes,
                GError **error);

/* A file of frames, as the manifest has it. */
typedef struct {
  char *name; /* "frames-0000.bin" */
  uint64_t n_bytes;
  int64_t n_rows, n_frames, n_batches;
  char *index_sha256;
} CwCacheFile;

/* What manifest.json says. */
typedef struct {
  int64_t n_layers, width, context_tokens;
  char *model_name, *model_hash, *input_hook, *output_hook;
  CwCodec codec;
  double target_error, held_out_fraction;
  uint64_t seed;
  char *settings_json; /* or NULL */
  GArray *files;       /* of CwCacheFile */
  GArray *energies;    /* of double, [4, L]: as in a batch, of everything */
} CwManifest;

void cw_manifest_init(CwManifest *manifest, const CwCacheOptions *options);
void cw_manifest_clear(CwManifest *manifest);
/* JSON; with files and errors unless it is to say what an unfinished cache will be. */
char *cw_manifest_dup_text(const CwManifest *manifest, bool is_finished);
bool cw_manifest_load(CwManifest *manifest, const char *path, GError **error);
/* The name of the first member of the options in which they differ, or NULL. */
const char *cw_manifest_find_difference(const CwManifest *a, const CwManifest *b);
bool cw_manifest_write(const CwManifest *manifest, const char *folder, GError **error);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CwManifest, cw_manifest_clear)
