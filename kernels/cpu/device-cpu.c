/* device-cpu.c - the CPU device: which instruction set runs, its pool, its memory, its table.
 */
#include "cpu/cpu-private.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#  include <cpuid.h>
#endif

#define ALIGNMENT 64

#if defined(__x86_64__)
/* Clang 14's __builtin_cpu_supports does not know this one. The bit alone would not do: that
 * the system keeps the wide registers is known from AVX2. */
static bool
has_f16c(void)
{
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

static CwkIsa
best_isa(void)
{
#if defined(__x86_64__)
  __builtin_cpu_init();
  CwkIsa best = CWK_ISA_BASELINE;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c())
    best = CWK_ISA_AVX2;
  if (best == CWK_ISA_AVX2 && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    best = CWK_ISA_AVX512;
  /* A lower set can be forced, so that tests reach every body on one machine. */
  const char *forced = getenv("CLEW_ISA");
  if (forced != NULL && strcmp(forced, "baseline") == 0)
    return CWK_ISA_BASELINE;
  if (forced != NULL && strcmp(forced, "avx2") == 0 && best > CWK_ISA_AVX2)
    return CWK_ISA_AVX2;
  return best;
#else
  return CWK_ISA_BASELINE;
#endif
}

const CwkCodeKernels *
cwk_code_kernels(void)
{
#if defined(__x86_64__)
  static const CwkCodeKernels *const tables[] = { &cwk_codes_baseline, &cwk_codes_avx2,
                                                  &cwk_codes_avx512 };
  return tables[best_isa()];
#else
  return &cwk_codes_baseline;
#endif
}

static int
n_cores(void)
{
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  int n = CPU_COUNT(&set);
  return n > 0 ? n : 1;
}

void *
cwk_cpu_scratch(CwkDevice *device, int slot, size_t n_bytes)
{
  n_bytes = n_bytes > 0 ? n_bytes : 1;
  if (device->scratch_bytes[slot] >= n_bytes)
    return device->scratch[slot];
  void *grown = NULL;
  if (posix_memalign(&grown, ALIGNMENT, n_bytes) != 0)
    return NULL;
  free(device->scratch[slot]);
  device->scratch[slot] = grown;
  device->scratch_bytes[slot] = n_bytes;
  return grown;
}

CwkStatus
cwk_cpu_reserve_threads(CwkDevice *device, size_t n_bytes)
{
  for (int i = 0; i < device->n_scratch - 1; i++)
    if (cwk_cpu_scratch(device, i, n_bytes) == NULL)
      return CWK_NO_MEMORY;
  return CWK_OK;
}

static CwkStatus
cpu_memory_alloc(CwkDevice *device, size_t n_bytes, void **memory)
{
  return posix_memalign(memory, ALIGNMENT, n_bytes > 0 ? n_bytes : 1) == 0 ? CWK_OK
                                                                           : CWK_NO_MEMORY;
}

static void
cpu_memory_free(CwkDevice *device, void *memory)
{
  free(memory);
}

static CwkStatus
cpu_memory_copy(CwkDevice *device, void *to, const void *from, size_t n_bytes)
{
  memcpy(to, from, n_bytes);
  return CWK_OK;
}

static void
cpu_close(CwkDevice *device)
{
  cwk_pool_free(device->pool);
  for (int i = 0; device->scratch != NULL && i < device->n_scratch; i++)
    free(device->scratch[i]);
  free(device->scratch);
  free(device->scratch_bytes);
}

const CwkTable cwk_cpu_table = {
#define CWK_OP(name, Args) .name = cwk_cpu_##name,
#include "ops.def"
#undef CWK_OP
  .memory_alloc = cpu_memory_alloc,
  .memory_free = cpu_memory_free,
  .memory_upload = cpu_memory_copy,
  .memory_download = cpu_memory_copy,
  .close = cpu_close,
};

CwkDevice *
cwk_cpu_new(int n_threads)
{
  static const char *const isa_names[] = { "baseline x86-64", "AVX2", "AVX-512" };
  CwkDevice *device = calloc(1, sizeof *device);
  if (device == NULL)
    return NULL;
  if (n_threads <= 0)
    n_threads = n_cores();
  device->kind = CWK_DEVICE_CPU;
  device->table = &cwk_cpu_table;
  device->isa = best_isa();
#if defined(__x86_64__)
  device->has_vnni = device->isa == CWK_ISA_AVX512 && __builtin_cpu_supports("avx512vnni") != 0;
#endif
  device->n_scratch = n_threads + 1;
  device->pool = cwk_pool_new(n_threads);
  device->scratch = calloc((size_t)device->n_scratch, sizeof *device->scratch);
  device->scratch_bytes = calloc((size_t)device->n_scratch, sizeof *device->scratch_bytes);
  if (device->pool == NULL || device->scratch == NULL || device->scratch_bytes == NULL) {
    cpu_close(device);
    free(device);
    return NULL;
  }
  snprintf(device->name, sizeof device->name, "CPU, %s, %d thread%s", isa_names[device->isa],
           n_threads, n_threads == 1 ? "" : "s");
  return device;
}
