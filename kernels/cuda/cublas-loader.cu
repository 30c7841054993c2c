/* cublas-loader.cu - cuBLAS, opened at run time.
 *
 * cuBLAS is half a gigabyte and never shipped with Clew; it is looked for by name on the
 * loader's path and then where the toolkit installs it. It stays mapped once opened: unloading
 * it under a live driver is not safe. */
#include "cuda-private.h"

#include <dlfcn.h>
#include <stdio.h>

#define STRINGIFY_(x) #x
#define STRINGIFY(x)  STRINGIFY_(x)
#define LIBRARY       "libcublas.so." STRINGIFY(CUBLAS_VER_MAJOR)

static void *
open_library(void)
{
  static const char *const places[] = { LIBRARY, "/usr/local/cuda/lib64/" LIBRARY,
                                        "/usr/lib/x86_64-linux-gnu/" LIBRARY,
                                        "/opt/cuda/lib64/" LIBRARY };
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    void *library = dlopen(places[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library != NULL)
      return library;
  }
  return NULL;
}

const char *
cwk_cublas_open(CwkCublas *cublas, cudaStream_t stream)
{
  cublas->library = open_library();
  if (cublas->library == NULL)
    return LIBRARY " is not installed: it comes with NVIDIA's CUDA toolkit";
  auto create = (decltype(&cublasCreate_v2))dlsym(cublas->library, "cublasCreate_v2");
  auto set_stream = (decltype(&cublasSetStream_v2))dlsym(cublas->library, "cublasSetStream_v2");
  auto set_mode = (decltype(&cublasSetMathMode))dlsym(cublas->library, "cublasSetMathMode");
  cublas->destroy = (decltype(&cublasDestroy_v2))dlsym(cublas->library, "cublasDestroy_v2");
  cublas->sgemm = (decltype(&cublasSgemm_v2_64))dlsym(cublas->library, "cublasSgemm_v2_64");
  const char *why = NULL;
  if (create == NULL || set_stream == NULL || set_mode == NULL || cublas->destroy == NULL ||
      cublas->sgemm == NULL)
    why = LIBRARY " lacks a function that Clew needs";
  else if (create(&cublas->handle) != CUBLAS_STATUS_SUCCESS)
    why = "cuBLAS does not start on this device";
  else if (set_stream(cublas->handle, stream) != CUBLAS_STATUS_SUCCESS ||
           /* Products in f32 through and through: TF32 keeps 10 bits and would lose the
              goldens. */
           set_mode(cublas->handle, CUBLAS_PEDANTIC_MATH) != CUBLAS_STATUS_SUCCESS)
    why = "cuBLAS refuses exact f32 products on this device";
  if (why != NULL)
    cwk_cublas_close(cublas);
  return why;
}

void
cwk_cublas_close(CwkCublas *cublas)
{
  if (cublas->handle != NULL)
    (void)cublas->destroy(cublas->handle);
  if (cublas->library != NULL)
    (void)dlclose(cublas->library);
  cublas->handle = NULL;
  cublas->library = NULL;
}
