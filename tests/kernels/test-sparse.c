/* test-sparse.c - the ops of sparse dictionaries against sums in double, on every instruction
 * set, at sizes around words, chunks and tiles. */
#include "test-isa.h"
#include "test-random.h"
#include "test-support.h"

#include <math.h>
#include <string.h>

/* Sums of n products of values up to 2, in f32 whatever the order. */
static double
limit(int64_t n)
{
  return (double)(n + 8) * 4 * 0x1p-24;
}

/* One part with everything it is made of. */
typedef struct {
  int64_t n_features, n_tokens, n_words, n_tiles;
  float *pre, *raw; /* [F, B]: h, and without bias */
  float *bias, *threshold, *norm;
  uint64_t *active, *band;
  int64_t *n_active, *n_band, *first, *token_first;
  double *shortfall;
  int32_t *token, *feature;
  float *value, *token_value;
} Part;

static void
part_init(Part *self, CwkDevice *device, int64_t n_features, int64_t n_tokens, float half_band)
{
  TestRandom random = { (uint64_t)(n_features * 1000 + n_tokens) };
  int64_t n = n_features * n_tokens;
  *self = (Part){ n_features, n_tokens, (n_tokens + 63) / 64, 2 };
  self->raw = test_random_floats(&random, (size_t)n);
  self->pre = g_memdup2(self->raw, (size_t)MAX(n, 1) * sizeof(float));
  self->bias = test_random_floats(&random, (size_t)n_features);
  self->threshold = test_random_floats(&random, (size_t)n_features);
  self->norm = test_random_floats(&random, (size_t)n_features);
  for (int64_t i = 0; i < n_features; i++) {
    self->threshold[i] = 0.3f + 0.2f * self->threshold[i];
    self->norm[i] = 1.2f + self->norm[i];
  }
  self->active = g_new0(uint64_t, n_features * self->n_words + 1);
  self->band = g_new0(uint64_t, n_features * self->n_words + 1);
  self->n_active = g_new0(int64_t, n_features);
  self->n_band = g_new0(int64_t, n_features);
  self->shortfall = g_new0(double, n_features);
  const CwkGatePart part = { n_features,      n_tokens,     self->pre,      self->bias,
                             self->threshold, half_band,    self->active,   self->band,
                             self->n_active,  self->n_band, self->shortfall };
  const CwkGateArgs args = { 1, &part };
  g_assert_cmpint(cwk_gate(device, &args), ==, CWK_OK);
  self->first = g_new0(int64_t, n_features + 1);
  for (int64_t i = 0; i < n_features; i++)
    self->first[i + 1] = self->first[i] + self->n_active[i];
  int64_t n_entries = self->first[n_features];
  self->token = g_new(int32_t, n_entries);
  self->value = g_new(float, n_entries);
  self->token_first = g_new(int64_t, n_tokens + 1);
  self->feature = g_new(int32_t, n_entries);
  self->token_value = g_new(float, n_entries);
  const CwkActiveListsPart lists = { n_features,       n_tokens,          self->pre,
                                     self->active,     self->first,       self->token,
                                     self->value,      self->token_first, self->feature,
                                     self->token_value };
  const CwkActiveListsArgs list_args = { 1, &lists };
  g_assert_cmpint(cwk_active_lists(device, &list_args), ==, CWK_OK);
}

static void
part_clear(Part *self)
{
  void *all[] = { self->raw,    self->pre,         self->bias,      self->threshold,
                  self->norm,   self->active,      self->band,      self->n_active,
                  self->n_band, self->first,       self->shortfall, self->token,
                  self->value,  self->token_first, self->feature,   self->token_value };
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
    g_free(all[i]);
}

/* h of entry (i, b), 0 where it is not active. */
static float
activation(const Part *self, int64_t i, int64_t b)
{
  float h = self->pre[i * self->n_tokens + b];
  return h > self->threshold[i] ? h : 0;
}

static bool
bit(const uint64_t *set, const Part *self, int64_t i, int64_t b)
{
  return (set[i * self->n_words + b / 64] >> (b % 64)) & 1;
}

static const int64_t sizes[][2] = { { 0, 5 },  { 1, 1 },   { 3, 31 },   { 17, 33 },
                                    { 5, 64 }, { 40, 65 }, { 33, 130 }, { 70, 257 } };

/* ---- gate and lists -----------------------------------------------------------------------
 */

static void
check_feature(const Part *self, int64_t i, float half_band)
{
  int64_t n_active = 0, n_band = 0;
  double shortfall = 0;
  for (int64_t b = 0; b < self->n_tokens; b++) {
    float h = self->raw[i * self->n_tokens + b] + self->bias[i];
    g_assert_true(self->pre[i * self->n_tokens + b] == h);
    bool is_active = h > self->threshold[i];
    bool is_near = fabsf(h - self->threshold[i]) < half_band;
    g_assert_true(bit(self->active, self, i, b) == is_active);
    g_assert_true(bit(self->band, self, i, b) == is_near);
    if (is_active) {
      g_assert_cmpint(self->token[self->first[i] + n_active], ==, b);
      g_assert_true(self->value[self->first[i] + n_active] == h);
    }
    n_active += is_active;
    n_band += is_near;
    shortfall += is_active ? 0 : (double)(self->threshold[i] - h);
  }
  g_assert_cmpint(self->n_active[i], ==, n_active);
  g_assert_cmpint(self->n_band[i], ==, n_band);
  g_assert_cmpfloat_with_epsilon(self->shortfall[i], shortfall, limit(self->n_tokens) * 4);
}

static void
test_gate(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
    Part part;
    part_init(&part, device, sizes[k][0], sizes[k][1], 0.4f);
    for (int64_t i = 0; i < part.n_features; i++)
      check_feature(&part, i, 0.4f);
    for (int64_t b = 0; b < part.n_tokens; b++) {
      int64_t e = part.token_first[b];
      for (int64_t i = 0; i < part.n_features; i++)
        if (bit(part.active, &part, i, b)) {
          g_assert_cmpint(part.feature[e], ==, i);
          g_assert_true(part.token_value[e] == part.pre[i * part.n_tokens + b]);
          e++;
        }
      g_assert_cmpint(part.token_first[b + 1], ==, e);
    }
    part_clear(&part);
  }
  cwk_device_free(device);
}

static void
test_tanh(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
    Part p;
    part_init(&p, device, sizes[k][0], sizes[k][1], 0.4f);
    g_autofree double *sums = g_new0(double, 3 * p.n_features + 1);
    g_autofree float *derivative = g_new0(float, p.first[p.n_features] + 1);
    const CwkTanhPenaltyPart part = { .n_features = p.n_features,
                                      .entries = { p.first, p.token },
                                      .value = p.value,
                                      .norm = p.norm,
                                      .threshold = p.threshold,
                                      .half_band = 0.4f,
                                      .scale = 4,
                                      .sum = sums,
                                      .norm_sum = sums + p.n_features,
                                      .band_sum = sums + 2 * p.n_features,
                                      .derivative = derivative };
    const CwkTanhPenaltyArgs args = { 1, &part };
    g_assert_cmpint(cwk_tanh_penalty(device, &args), ==, CWK_OK);
    for (int64_t i = 0; i < p.n_features; i++) {
      double expected[3] = { 0 };
      for (int64_t e = p.first[i]; e < p.first[i + 1]; e++) {
        double a = (double)p.value[e], t = tanh(4 * (double)p.norm[i] * a), d = 1 - t * t;
        expected[0] += t;
        expected[1] += 4 * a * d;
        if (p.value[e] - p.threshold[i] < 0.4f)
          expected[2] += 4 * (double)p.norm[i] * d;
        g_assert_cmpfloat_with_epsilon((double)derivative[e], 4 * (double)p.norm[i] * d, 1e-5);
      }
      for (int s = 0; s < 3; s++)
        g_assert_cmpfloat_with_epsilon(sums[s * p.n_features + i], expected[s],
                                       limit(p.n_active[i]) * 40);
    }
    part_clear(&p);
  }
  cwk_device_free(device);
}

/* ---- decoding and its adjoint ---------------------------------------------------------------
 */

static void
test_decode(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
    Part p;
    part_init(&p, device, sizes[k][0], sizes[k][1], 0.4f);
    TestRandom random = { 5 };
    int64_t row = p.n_tiles * CWK_TILE, n_out = 2 * row * p.n_tokens;
    g_autofree float *weight = test_random_floats(&random, (size_t)(2 * row * p.n_features));
    g_autofree float *bias = test_random_floats(&random, (size_t)(2 * row));
    g_autofree float *out = g_new0(float, n_out + 1);
    out[n_out] = 7.25f;
    /* Two targets; the second source has the same entries. */
    const CwkDecodeSource source = {
      p.n_features, { p.token_first, p.feature }, p.token_value, weight
    };
    const CwkDecodeSource sources[] = { source, source };
    const CwkSparseDecodeArgs args = { 2, p.n_tokens, p.n_tiles, true, sources, bias, out };
    g_assert_cmpint(cwk_sparse_decode(device, &args), ==, CWK_OK);
    g_assert_true(out[n_out] == 7.25f);
    for (int64_t at = 0; at < n_out; at++) {
      int64_t tile = at / CWK_TILE / p.n_tokens, b = at / CWK_TILE % p.n_tokens;
      int64_t j = at % CWK_TILE, target = tile / p.n_tiles, t = tile % p.n_tiles;
      double sum = (double)bias[tile * CWK_TILE + j];
      for (int64_t l = 0; l <= target; l++)
        for (int64_t i = 0; i < p.n_features; i++)
          sum += (double)activation(&p, i, b) *
                 (double)
                     weight[(((target - l) * p.n_tiles + t) * p.n_features + i) * CWK_TILE + j];
      g_assert_cmpfloat_with_epsilon((double)out[at], sum, limit(2 * p.n_features));
    }
    part_clear(&p);
  }
  cwk_device_free(device);
}

static double
dot_of(const Part *p, const float *upstream, const float *weight, int64_t i, int64_t b)
{
  double sum = 0;
  for (int64_t t = 0; t < p->n_tiles; t++)
    for (int64_t j = 0; j < CWK_TILE; j++)
      sum += (double)upstream[(t * p->n_tokens + b) * CWK_TILE + j] *
             (double)weight[(t * p->n_features + i) * CWK_TILE + j];
  return sum;
}

static double
gradient_at(const Part *p, const float *upstream, const float *weight, const float *scale,
            int64_t i, int64_t t, int64_t j)
{
  double sum = (double)scale[i] * (double)weight[(t * p->n_features + i) * CWK_TILE + j];
  for (int64_t b = 0; b < p->n_tokens; b++)
    sum += (double)activation(p, i, b) * (double)upstream[(t * p->n_tokens + b) * CWK_TILE + j];
  return sum;
}

static void
check_adjoint(const Part *p, const CwkSparseAdjointPart *part, const float *before)
{
  double columns = (double)(p->n_tiles * CWK_TILE), most = limit(p->n_tiles * CWK_TILE);
  for (int64_t i = 0; i < p->n_features; i++) {
    double band = 0, norm2 = 0;
    for (int64_t b = 0; b < p->n_tokens; b++)
      if (bit(p->band, p, i, b))
        band += dot_of(p, part->upstream, part->weight, i, b);
    for (int64_t e = p->first[i]; e < p->first[i + 1]; e++)
      g_assert_cmpfloat_with_epsilon(
          (double)part->adjoint[e],
          (double)before[e] + dot_of(p, part->upstream, part->weight, i, p->token[e]), most);
    for (int64_t t = 0; t < p->n_tiles; t++)
      for (int64_t j = 0; j < CWK_TILE; j++) {
        double g = gradient_at(p, part->upstream, part->weight, part->weight_scale, i, t, j);
        norm2 += g * g;
      }
    g_assert_cmpfloat_with_epsilon(part->band_sum[i], band,
                                   most * (double)MAX(p->n_band[i], 1));
    g_assert_cmpfloat_with_epsilon(part->gradient_norm2[i], norm2,
                                   limit(p->n_active[i]) * sqrt(columns * norm2 + 1) * 4);
  }
}

/* Bands of no, few and all tokens: listed ones and looked up ones. */
static void
test_adjoint(gconstpointer isa)
{
  static const float half_bands[] = { 0, 0.02f, 0.4f, 9 };
  CwkDevice *device = test_isa_device(isa);
  for (size_t k = 0; k < G_N_ELEMENTS(sizes) * G_N_ELEMENTS(half_bands); k++) {
    Part p;
    const int64_t *size = sizes[k / G_N_ELEMENTS(half_bands)];
    part_init(&p, device, size[0], size[1], half_bands[k % G_N_ELEMENTS(half_bands)]);
    TestRandom random = { 9 };
    int64_t row = p.n_tiles * CWK_TILE, n_entries = p.first[p.n_features];
    g_autofree float *weight = test_random_floats(&random, (size_t)(row * p.n_features));
    g_autofree float *upstream = test_random_floats(&random, (size_t)(row * p.n_tokens));
    g_autofree float *scale = test_random_floats(&random, (size_t)p.n_features);
    g_autofree float *before = test_random_floats(&random, (size_t)n_entries);
    g_autofree float *adjoint = g_new0(float, n_entries + 1);
    g_autofree double *sums = g_new0(double, 2 * p.n_features + 1);
    if (n_entries > 0)
      memcpy(adjoint, before, (size_t)n_entries * sizeof *adjoint);
    const CwkSparseAdjointPart part = { .n_features = p.n_features,
                                        .n_tokens = p.n_tokens,
                                        .n_tiles = p.n_tiles,
                                        .upstream = upstream,
                                        .weight = weight,
                                        .entries = { p.first, p.token },
                                        .value = p.value,
                                        .adjoint = adjoint,
                                        .weight_scale = scale,
                                        .gradient_norm2 = sums,
                                        .band = p.band,
                                        .n_band = p.n_band,
                                        .band_sum = sums + p.n_features };
    const CwkSparseAdjointArgs args = { 1, &part };
    g_assert_cmpint(cwk_sparse_adjoint(device, &args), ==, CWK_OK);
    check_adjoint(&p, &part, before);
    part_clear(&p);
  }
  cwk_device_free(device);
}

/* ---- rows and Adam --------------------------------------------------------------------------
 */

static void
check_adam(const Part *p, const CwkSparseRowsPart *part, const CwkSparseAdamArgs *args,
           const float *before, const float *source)
{
  const CwkAdam *adam = &args->adam;
  for (int64_t i = 0; i < p->n_features; i++) {
    double norm2 = 0;
    for (int64_t t = 0; t < p->n_tiles; t++)
      for (int64_t j = 0; j < CWK_TILE; j++) {
        int64_t at = (t * p->n_features + i) * CWK_TILE + j;
        double g = gradient_at(p, source, before, part->weight_scale, i, t, j) +
                   (double)part->shift_scale[i] * (double)part->shift[t * CWK_TILE + j];
        g *= (double)args->gradient_factor;
        /* Moments began at 0. */
        double m = (1 - (double)adam->beta1) * g, v = (1 - (double)adam->beta2) * g * g;
        double w = (double)before[at] - (double)adam->step_size * m /
                                            (sqrt(v) * (double)adam->inverse_root_correction +
                                             (double)adam->epsilon);
        double most = limit(p->n_active[i] + 2) * 2;
        g_assert_cmpfloat_with_epsilon((double)part->m[at], m, most);
        g_assert_cmpfloat_with_epsilon((double)part->v[at], v, most * 8);
        /* The step is up to step_size; where g is next to 0 its sign may differ. */
        if (fabs(g) > 100 * most)
          g_assert_cmpfloat_with_epsilon((double)part->weight[at], w, 1e-5);
        norm2 += (double)part->weight[at] * (double)part->weight[at];
      }
    g_assert_cmpfloat_with_epsilon(part->norm2[i], norm2, norm2 * 1e-5);
  }
}

/* Adds to what is there, without weights and shifts. */
static void
check_sum(const Part *p, const CwkSparseRowsPart *rows, CwkDevice *device)
{
  int64_t n = p->n_tiles * CWK_TILE * p->n_features;
  g_autofree float *sum = g_new(float, n + 1);
  g_autofree float *no_scale = g_new0(float, p->n_features + 1);
  for (int64_t at = 0; at <= n; at++)
    sum[at] = 0.75f;
  CwkSparseRowsPart part = *rows;
  part.m = sum;
  part.weight = NULL;
  const CwkSparseRowsArgs args = { 1, &part };
  g_assert_cmpint(cwk_sparse_gradient_sum(device, &args), ==, CWK_OK);
  for (int64_t i = 0; i < p->n_features; i++)
    for (int64_t t = 0; t < p->n_tiles; t++)
      for (int64_t j = 0; j < CWK_TILE; j++) {
        double g = gradient_at(p, part.source, rows->weight, no_scale, i, t, j);
        g_assert_cmpfloat_with_epsilon((double)sum[(t * p->n_features + i) * CWK_TILE + j],
                                       0.75 + g, limit(p->n_active[i] + 2) * 2);
      }
  g_assert_true(sum[n] == 0.75f);
}

static void
test_adam(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
    Part p;
    part_init(&p, device, sizes[k][0], sizes[k][1], 0.4f);
    TestRandom random = { 13 };
    int64_t row = p.n_tiles * CWK_TILE, n = row * p.n_features;
    g_autofree float *weight = test_random_floats(&random, (size_t)n);
    g_autofree float *before = g_new0(float, n + 1);
    g_autofree float *source = test_random_floats(&random, (size_t)(row * p.n_tokens));
    g_autofree float *scale = test_random_floats(&random, (size_t)p.n_features);
    g_autofree float *shift_scale = test_random_floats(&random, (size_t)p.n_features);
    g_autofree float *shift = test_random_floats(&random, (size_t)row);
    g_autofree float *m = g_new0(float, n + 1), *v = g_new0(float, n + 1);
    g_autofree double *norm2 = g_new0(double, p.n_features + 1);
    if (n > 0)
      memcpy(before, weight, (size_t)n * sizeof *before);
    const CwkSparseRowsPart part = { .n_features = p.n_features,
                                     .n_tiles = p.n_tiles,
                                     .entries = { p.first, p.token },
                                     .coefficient = p.value,
                                     .source = source,
                                     .source_tile_stride = p.n_tokens * CWK_TILE,
                                     .source_token_stride = CWK_TILE,
                                     .weight = weight,
                                     .m = m,
                                     .v = v,
                                     .tile_stride = p.n_features * CWK_TILE,
                                     .row_stride = CWK_TILE,
                                     .weight_scale = scale,
                                     .shift = shift,
                                     .shift_scale = shift_scale,
                                     .norm2 = norm2 };
    const CwkSparseRowsArgs norms = { 1, &part };
    const CwkSparseAdamArgs args = { 1, &part, 0.5f, { 0.9f, 0.999f, 0.01f, 31.6f, 1e-8f } };
    g_assert_cmpint(cwk_sparse_gradient_norm(device, &norms), ==, CWK_OK);
    for (int64_t i = 0; i < p.n_features; i++) {
      double expected = 0;
      for (int64_t t = 0; t < p.n_tiles; t++)
        for (int64_t j = 0; j < CWK_TILE; j++) {
          double g = gradient_at(&p, source, before, scale, i, t, j) +
                     (double)shift_scale[i] * (double)shift[t * CWK_TILE + j];
          expected += g * g;
        }
      g_assert_cmpfloat_with_epsilon(norm2[i], expected,
                                     limit(p.n_active[i] + 2) * (expected + 100));
    }
    g_assert_cmpint(cwk_sparse_adam(device, &args), ==, CWK_OK);
    check_adam(&p, &part, &args, before, source);
    check_sum(&p, &part, device);
    part_clear(&p);
  }
  cwk_device_free(device);
}

static void
test_values(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  for (int64_t n = 0; n < 40; n++) {
    TestRandom random = { (uint64_t)n };
    g_autofree float *gradient = test_random_floats(&random, (size_t)n);
    g_autofree float *w = g_new0(float, n + 1), *m = g_new0(float, n + 1);
    g_autofree float *v = g_new0(float, n + 1);
    w[n] = m[n] = v[n] = 7.25f;
    const CwkAdamArgs args = {
      n, gradient, w, m, v, 1, { 0.9f, 0.999f, 0.01f, 31.622777f, 0 }
    };
    g_assert_cmpint(cwk_adam(device, &args), ==, CWK_OK);
    /* The first step is step_size (1 - beta1) against the gradient's sign. */
    for (int64_t i = 0; i < n; i++)
      g_assert_cmpfloat_with_epsilon((double)w[i], gradient[i] > 0 ? -0.001 : 0.001, 1e-6);
    g_assert_true(w[n] == 7.25f && m[n] == 7.25f && v[n] == 7.25f);
  }
  cwk_device_free(device);
}

static void
test_residual(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  static const int64_t widths[] = { 1, 63, 64, 65, 100, 128 };
  for (size_t k = 0; k < G_N_ELEMENTS(widths); k++) {
    int64_t width = widths[k], n_tiles = (width + 63) / 64, n = 13, padded = n_tiles * CWK_TILE;
    TestRandom random = { 3 };
    g_autofree float *prediction = test_random_floats(&random, (size_t)(2 * padded * n));
    g_autofree float *before = g_memdup2(prediction, (size_t)(2 * padded * n) * sizeof(float));
    g_autofree float *actual = test_random_floats(&random, (size_t)(2 * width * n));
    g_autofree float *sums = g_new0(float, 2 * padded);
    g_autofree float *weight = test_random_floats(&random, (size_t)(2 * n));
    bool has_weight = k % 2 == 0;
    g_autofree double *errors = g_new0(double, 2 * n_tiles),
                      *weighted = g_new0(double, 2 * n_tiles),
                      *deviations = g_new0(double, 2 * n_tiles);
    const CwkResidualArgs args = { .n_targets = 2,
                                   .n_tokens = n,
                                   .n_tiles = n_tiles,
                                   .width = width,
                                   .prediction = prediction,
                                   .actual = actual,
                                   .weight = has_weight ? weight : NULL,
                                   .factor = 0.25f,
                                   .column_sums = sums,
                                   .square_errors = errors,
                                   .weighted_errors = weighted,
                                   .square_deviations = deviations };
    g_assert_cmpint(cwk_residual(device, &args), ==, CWK_OK);
    for (int64_t tile = 0; tile < 2 * n_tiles; tile++) {
      double error = 0, weighted_error = 0, deviation = 0;
      for (int64_t j = 0; j < CWK_TILE; j++) {
        int64_t column = tile % n_tiles * CWK_TILE + j;
        double sum = 0, mean = 0, square = 0;
        for (int64_t b = 0; b < n; b++) {
          int64_t at = (tile * n + b) * CWK_TILE + j;
          double y =
              column < width ? (double)actual[(tile / n_tiles * n + b) * width + column] : 0;
          double e = column < width ? (double)before[at] - y : 0;
          double w = has_weight ? (double)weight[tile / n_tiles * n + b] : 1;
          g_assert_cmpfloat_with_epsilon((double)prediction[at], 0.25 * w * e, 1e-6);
          sum += 0.25 * w * e;
          error += e * e;
          weighted_error += w * e * e;
          mean += y / (double)n;
          square += y * y;
        }
        deviation += square - (double)n * mean * mean;
        g_assert_cmpfloat_with_epsilon((double)sums[tile * CWK_TILE + j], sum, 1e-5);
      }
      g_assert_cmpfloat_with_epsilon(errors[tile], error, 1e-5 * (error + 1));
      g_assert_cmpfloat_with_epsilon(weighted[tile], weighted_error, 1e-5 * (error + 1));
      g_assert_cmpfloat_with_epsilon(deviations[tile], deviation, 1e-5 * (deviation + 1));
    }
  }
  cwk_device_free(device);
}

static void
test_refuses_nonsense(void)
{
  CwkDevice *device = cwk_cpu_new(1);
  const CwkGatePart gate = { .n_features = 2, .n_tokens = 3 };
  const CwkGateArgs gates = { 1, &gate };
  g_assert_cmpint(cwk_gate(device, &gates), ==, CWK_SHAPE);
  const CwkResidualArgs residual = { .n_targets = 1, .n_tokens = 0, .n_tiles = 1, .width = 64 };
  g_assert_cmpint(cwk_residual(device, &residual), ==, CWK_SHAPE);
  const CwkAdamArgs adam = { .n = 3 };
  g_assert_cmpint(cwk_adam(device, &adam), ==, CWK_SHAPE);
  cwk_device_free(device);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  test_add_per_isa("/kernels/sparse/gate-and-lists", test_gate);
  test_add_per_isa("/kernels/sparse/tanh-penalty", test_tanh);
  test_add_per_isa("/kernels/sparse/decode", test_decode);
  test_add_per_isa("/kernels/sparse/residual", test_residual);
  test_add_per_isa("/kernels/sparse/adjoint", test_adjoint);
  test_add_per_isa("/kernels/sparse/rows-and-adam", test_adam);
  test_add_per_isa("/kernels/sparse/adam-of-values", test_values);
  g_test_add_func("/kernels/sparse/refuses-nonsense", test_refuses_nonsense);
  return g_test_run();
}
