/* schedule.c - learning rate and sparsity coefficient, defined for every step.
 *
 * Step 0 has the value of the warm-up's beginning (0, if there is one), and the decay ends with
 * the run: the last step is one short of final_lr_scale, so that no step is spent at a rate of
 * nothing (CLT-Forge takes its first step at the full rate and its recipes train the last
 * quarter at rate 0). */
#include <math.h>

#include "cw-train.h"

static double
warm_up(CwWarmUp shape, int64_t step, int64_t n_steps)
{
  if (step >= n_steps)
    return 1;
  double t = (double)step / (double)n_steps;
  return shape == CW_WARM_UP_COSINE ? 0.5 * (1 - cos(G_PI * t)) : t;
}

double
cw_train_lr(const CwTrainSettings *settings, int64_t step)
{
  int64_t decay_start = settings->total_steps - settings->lr_decay_steps;
  double lr = settings->lr *
              warm_up((CwWarmUp)settings->lr_warm_up_type, step, settings->lr_warm_up_steps);
  if (step < decay_start)
    return lr;
  double t = (double)(step - decay_start + 1) / (double)(settings->lr_decay_steps + 1);
  return lr * (1 - t * (1 - settings->final_lr_scale));
}

double
cw_train_l0_coefficient(const CwTrainSettings *settings, int64_t step)
{
  if (step < settings->l0_waiting_steps)
    return 0;
  return settings->l0_coefficient * warm_up((CwWarmUp)settings->l0_warm_up_type,
                                            step - settings->l0_waiting_steps,
                                            settings->l0_warm_up_steps);
}
