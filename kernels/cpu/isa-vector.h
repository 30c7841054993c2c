/* isa-vector.h - the widest vectors of the instruction set that a file is compiled for: VL
 * floats in GCC's vector extensions, and the functions over them that several files need. */
#pragma once

#include <math.h>
#include <stdint.h>

#if defined(__x86_64__)
#  include <immintrin.h>
#endif

#if defined(__AVX512F__)
#  define VL 16
#elif defined(__AVX2__)
#  define VL 8
#else
#  define VL 4
#endif

typedef float Vec __attribute__((vector_size(VL * 4)));
typedef float VecU __attribute__((vector_size(VL * 4), aligned(4), may_alias));
typedef int32_t VecI __attribute__((vector_size(VL * 4)));

static inline Vec
load(const float *p)
{
  return *(const VecU *)p;
}

static inline void
store(float *p, Vec v)
{
  *(VecU *)p = v;
}

static inline Vec
splat(float x)
{
  return x - (Vec){ 0 };
}

static inline float
reduce(Vec v)
{
  float sum = 0;
  for (int i = 0; i < VL; i++)
    sum += v[i];
  return sum;
}

static inline Vec
to_float(VecI v)
{
  return __builtin_convertvector(v, Vec);
}

static inline Vec
select_vec(VecI mask, Vec a, Vec b)
{
  return (Vec)((mask & (VecI)a) | (~mask & (VecI)b));
}

/* exp to 2 ulp on [-87.3, 88.7], 0 below and +inf above: 2^n times a polynomial of degree 6
 * on [-ln 2 / 2, ln 2 / 2] (coefficients: Cephes, expf). */
static inline Vec
exp_vec(Vec x)
{
  VecI is_low = x<splat(-87.33654f), is_high = x> splat(88.72283f);
  Vec clamped = select_vec(is_low, splat(-87.33654f), select_vec(is_high, splat(88.72283f), x));
  Vec shifted = clamped * splat(1.44269504f) + splat(12582912.0f); /* rounds to nearest */
  Vec n = shifted - splat(12582912.0f);
  Vec r = clamped - n * splat(0.693359375f) - n * splat(-2.12194440e-4f);
  Vec p = splat(1.9875691500e-4f);
  p = p * r + splat(1.3981999507e-3f);
  p = p * r + splat(8.3334519073e-3f);
  p = p * r + splat(4.1665795894e-2f);
  p = p * r + splat(1.6666665459e-1f);
  p = p * r + splat(5.0000001201e-1f);
  p = p * r * r + r + splat(1.0f);
  /* 2^n in two steps, for n = 128 does not fit one exponent. */
  VecI whole = __builtin_convertvector(n, VecI);
  VecI half = whole >> 1;
  Vec first = (Vec)((half + 127) << 23), second = (Vec)((whole - half + 127) << 23);
  Vec y = p * first * second;
  y = select_vec(is_low, (Vec){ 0 }, y);
  y = select_vec(is_high, splat(INFINITY), y);
  return select_vec(x != x, x, y);
}

/* tanh through exp of -2|x|, and a short series near 0 where the difference would cancel. */
static inline Vec
tanh_vec(Vec x)
{
  VecI sign = (VecI)x & (VecI)splat(-0.0f);
  Vec a = (Vec)((VecI)x & ~(VecI)splat(-0.0f));
  Vec e = exp_vec(splat(-2.0f) * a);
  Vec far = (splat(1.0f) - e) / (splat(1.0f) + e);
  Vec x2 = a * a;
  Vec near = splat(-5.70498872745e-3f) * x2 + splat(2.06390887954e-2f);
  near = near * x2 + splat(-5.37397155531e-2f);
  near = near * x2 + splat(1.33314422036e-1f);
  near = near * x2 + splat(-3.33332819422e-1f);
  near = near * x2 * a + a;
  Vec y = select_vec(a < splat(0.625f), near, far);
  return (Vec)((VecI)y | sign);
}
