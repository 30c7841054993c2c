/* targets.h - which logits are attributed. Private to core/attribution. */
#pragma once

#include "attribution/replacement.h"

typedef struct {
  int64_t n;
  int64_t *token;     /* [n] vocabulary ids; a difference has V */
  float *probability; /* [n] */
  float *value;       /* [n] logit minus the vocabulary's mean, before a soft cap; a - b */
  double *constant;   /* [n] the part of value that comes from the unembedding's bias */
  float *vectors;     /* [n, D] u_t */
} CwTargetSet;

/* Chooses targets as the options say. Errors: ids outside the vocabulary, none given. */
CwTargetSet *cw_target_set_new(const CwReplacement *replacement,
                               const CwAttributionOptions *options, GError **error);
void cw_target_set_free(CwTargetSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwTargetSet, cw_target_set_free)
