/* model-private.h - what loading leaves and the forward pass reads. */
#pragma once

#include "model/model-plan.h"
#include "model/weight-source.h"

/* A layer as the pass runs it: maps that read the same input are one product where their
 * storage allows. */
typedef struct {
  CwLayer parts;
  bool is_fused;                  /* q, k and v by `qkv` */
  CwLinear qkv;                   /* D -> (H + 2 G) K */
  const float *inverse_frequency; /* [n_rotary / 2] or NULL */
} CwModelLayer;

struct _CwModel {
  gatomicrefcount ref_count;
  char *path;
  CwModelPlan *plan;
  CwWeightSource *source;
  CwTokenizer *tokenizer; /* or NULL */
  CwModelLayer *layers;   /* [L] */
  GPtrArray *row_lists;   /* of fused maps */
  CwkRows embedding;
  const float *positions;
  CwLinear unembedding;
  const float *final_norm_weight, *final_norm_bias;
  GMutex hash_mutex;
  char *hash; /* under hash_mutex */
};

/* Looks up every tensor of the plan (weights.c). */
bool cw_model_read_weights(CwModel *model, GError **error);
