/* model-plan.h - all that has to be known of a model before its weights are looked up.
 *
 * Read from config.json (model-plan-hf.c) or from GGUF metadata (model-plan-gguf.c), and
 * checked there: sizes are positive, bounded and fit each other, and what Clew cannot compute
 * is refused by name. */
#pragma once

#include "cw-model.h"

typedef enum { CW_ROPE_PLAIN, CW_ROPE_LINEAR, CW_ROPE_LLAMA3 } CwRopeScaling;

/* Rotary positions: frequencies base^(-2i / n_rotary), and how they are stretched. */
typedef struct {
  double base; /* 0: the model has no rotary positions */
  CwRopeScaling scaling;
  double factor;
  double low_factor, high_factor, original_context; /* Llama 3 */
} CwRopePlan;

typedef struct {
  CwModelConfig config; /* config.name is `name`, config.given is `given` */
  char *name, *given;
  CwRopePlan rope;       /* of layers that see everything */
  CwRopePlan local_rope; /* of layers with a window */
  int64_t n_rotary;      /* of K */
  bool is_rope_interleaved;
  int64_t *windows;       /* [L], 0: all */
  bool adds_one_to_norms; /* the file keeps w where 1 + w is meant */
  bool has_input_rows;    /* linear maps are stored [in, out] (GPT-2's Conv1D) */
  bool is_fused_qkv;      /* one matrix for q, k and v */
  bool is_head_optional;  /* tied exactly if there is no head (GGUF) */
} CwModelPlan;

CwModelPlan *cw_model_plan_new_from_hf(const char *path, GError **error);
CwModelPlan *cw_model_plan_new_from_gguf(const CwTensorFile *file, GError **error);
void cw_model_plan_free(CwModelPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwModelPlan, cw_model_plan_free)

/* What both readers share: windows for every `period`-th layer being global (0: no windows
 * unless all), and the final check of all sizes. `where` begins the message. */
bool cw_model_plan_set_windows(CwModelPlan *plan, int64_t window, int64_t period,
                               const char *where, GError **error);
bool cw_model_plan_check(const CwModelPlan *plan, const char *where, GError **error);
