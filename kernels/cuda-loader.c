/* cuda-loader.c - finds and opens the CUDA module, a shared library of its own.
 *
 * The programs link no NVIDIA library. The module is looked for in the build tree the running
 * program belongs to, then where it is installed. Whatever is missing (module, driver, device,
 * cuBLAS) is an answer in words, never a failure to start. */
#include "kernels-private.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE        "libclew-cuda.so"
#define LONGEST_PATH  4096
#define LEVELS_ABOVE  4 /* build/tests/kernels/test-device is two below the build's root */
#define IN_BUILD_TREE "kernels/cuda/" MODULE

typedef const char *(*OpenDevice)(CwkDevice *device, size_t device_bytes, size_t table_bytes,
                                  int ordinal);

static bool
find_in_build_tree(char path[LONGEST_PATH])
{
  char folder[LONGEST_PATH];
  ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
  if (n <= 0)
    return false;
  folder[n] = '\0';
  for (int level = 0; level < LEVELS_ABOVE; level++) {
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
      return false;
    *slash = '\0';
    int length = snprintf(path, LONGEST_PATH, "%s/" IN_BUILD_TREE, folder);
    if (length < LONGEST_PATH && access(path, R_OK) == 0)
      return true;
  }
  return false;
}

static void *
open_module(const char *module_path, const char **why)
{
  char path[LONGEST_PATH] = CLEW_LIB_DIR "/" MODULE;
  if (module_path == NULL && !find_in_build_tree(path))
    snprintf(path, sizeof path, "%s", CLEW_LIB_DIR "/" MODULE);
  const char *chosen = module_path != NULL ? module_path : path;
  if (access(chosen, R_OK) != 0) {
    *why = "the CUDA module (" MODULE ") is not installed";
    return NULL;
  }
  /* It stays mapped: the CUDA runtime does not survive being unloaded. */
  void *module = dlopen(chosen, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (module == NULL)
    *why = "the CUDA module (" MODULE ") cannot be loaded: it is damaged or for another system";
  return module;
}

CwkDevice *
cwk_cuda_new(const char *module_path, int ordinal, const char **why)
{
  const char *reason = NULL;
  CwkDevice *device = NULL;
  OpenDevice open_device = NULL;
  void *module = open_module(module_path, &reason);
  if (module == NULL)
    goto out;
  *(void **)&open_device = dlsym(module, "clew_cuda_open");
  device = calloc(1, sizeof *device);
  if (open_device == NULL)
    reason = "the library given as CUDA module is another one";
  else if (device == NULL)
    reason = "not enough memory";
  else {
    device->kind = CWK_DEVICE_CUDA;
    device->module = module;
    reason = open_device(device, sizeof *device, sizeof(CwkTable), ordinal);
  }
out:
  if (why != NULL)
    *why = reason;
  if (reason == NULL)
    return device;
  free(device);
  if (module != NULL)
    dlclose(module);
  return NULL;
}
