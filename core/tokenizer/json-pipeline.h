/* json-pipeline.h - what a tokenizer.json does to text before merging. */
#pragma once

#include "tokenizer/pretokenise.h"
#include "tokenizer/tokenizer-private.h"

typedef struct {
  bool is_byte_level;   /* pieces in the byte alphabet */
  bool has_space_marks; /* U+2581 for spaces */
  bool is_composed;
  bool splits_at_spaces;
  CwPrefix prefix;
  bool is_prefix_optional;
  CwSplit splits[CW_MAX_SPLITS];
  size_t n_splits;
} CwJsonPipeline;

/* A part of a file; n_bytes 0: absent. */
typedef struct {
  const char *text;
  size_t n_bytes;
} CwJsonSlice;

/* The file's "normalizer" and "pre_tokenizer". Anything but a known combination is an error
 * that names path and the step. */
bool cw_json_pipeline_read(CwJsonPipeline *pipeline, const char *path, CwJsonSlice normalizer,
                           CwJsonSlice pre_tokenizer, GError **error);
