/* kernels-private.h - what backends share: the table of ops and the device. */
#pragma once

#include "cwk.h"

typedef struct CwkPool CwkPool;

/* A pool of n_threads - 1 threads; the caller is the last one. NULL without memory or threads.
 */
CwkPool *cwk_pool_new(int n_threads);
void cwk_pool_free(CwkPool *pool);
void cwk_pool_run(CwkPool *pool, int64_t n_items, CwkTask task, void *data);
int cwk_pool_n_threads(const CwkPool *pool);
/* 0 .. n_threads - 1 within a task of cwk_pool_run; 0 outside. */
int cwk_pool_thread_index(void);

/* The bodies of one backend; an absent one is NULL (CWK_UNSUPPORTED). */
typedef struct {
#define CWK_OP(name, Args) CwkStatus (*name)(CwkDevice * device, const Args *args);
#include "ops.def"
#undef CWK_OP
  CwkStatus (*memory_alloc)(CwkDevice *device, size_t n_bytes, void **memory);
  void (*memory_free)(CwkDevice *device, void *memory);
  CwkStatus (*memory_upload)(CwkDevice *device, void *to, const void *from, size_t n_bytes);
  CwkStatus (*memory_download)(CwkDevice *device, void *to, const void *from, size_t n_bytes);
  void (*close)(CwkDevice *device);
} CwkTable;

typedef enum { CWK_ISA_BASELINE, CWK_ISA_AVX2, CWK_ISA_AVX512 } CwkIsa;

struct CwkDevice {
  CwkDeviceKind kind;
  const CwkTable *table;
  char name[128];
  /* CPU */
  CwkPool *pool;
  CwkIsa isa;
  bool has_vnni;  /* AVX-512 with it */
  void **scratch; /* [n_threads + 1] grown on demand, the last one shared */
  size_t *scratch_bytes;
  int n_scratch;
  /* CUDA */
  void *module; /* dlopen handle */
  void *state;  /* the module's own */
};

extern const CwkTable cwk_cpu_table;
bool cwk_cpu_has_int8(const CwkDevice *device, CwkDtype dtype);

/* Scratch of the CPU device that lives until the next call asks slot `i` for more; NULL without
 * memory. Slot n_threads is shared, the others belong to a thread each. */
void *cwk_cpu_scratch(CwkDevice *device, int slot, size_t n_bytes);
/* The same for the slot of every thread. */
CwkStatus cwk_cpu_reserve_threads(CwkDevice *device, size_t n_bytes);
