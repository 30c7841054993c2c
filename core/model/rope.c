/* rope.c - the frequencies of rotary positions (RoFormer, 10.48550/arXiv.2104.09864).
 *
 * Llama 3 stretches long waves by `factor`, leaves short ones, and blends in between; the
 * borders are wavelengths of original_context / low_factor and original_context / high_factor.
 * Computed in double and rounded once. */
#include "model/rope.h"

#include <math.h>

static double
stretch_llama3(const CwRopePlan *rope, double frequency)
{
  double wavelength = 2 * G_PI / frequency;
  if (wavelength < rope->original_context / rope->high_factor)
    return frequency;
  if (wavelength > rope->original_context / rope->low_factor)
    return frequency / rope->factor;
  double share = (rope->original_context / wavelength - rope->low_factor) /
                 (rope->high_factor - rope->low_factor);
  return (1 - share) * frequency / rope->factor + share * frequency;
}

void
cw_rope_fill_frequencies(const CwRopePlan *rope, int64_t n_rotary, const float *divisors,
                         float *out)
{
  for (int64_t i = 0; i < n_rotary / 2; i++) {
    double frequency = pow(rope->base, -2.0 * (double)i / (double)n_rotary);
    if (rope->scaling == CW_ROPE_LINEAR)
      frequency /= rope->factor;
    else if (rope->scaling == CW_ROPE_LLAMA3)
      frequency = stretch_llama3(rope, frequency);
    if (divisors != NULL)
      frequency /= (double)divisors[i];
    out[i] = (float)frequency;
  }
}
