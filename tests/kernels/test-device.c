/* test-device.c - devices: the CPU's table is complete, and a machine without CUDA module,
 * driver or device is told so in words. */
#include "kernels-private.h"
#include "test-support.h"

#include <dlfcn.h>
#include <string.h>

static void
test_every_op_has_a_cpu_body(void)
{
#define CWK_OP(name, Args) g_assert_nonnull(cwk_cpu_table.name);
#include "ops.def"
#undef CWK_OP
  g_assert_nonnull(cwk_cpu_table.memory_alloc);
  g_assert_nonnull(cwk_cpu_table.memory_free);
  g_assert_nonnull(cwk_cpu_table.memory_upload);
  g_assert_nonnull(cwk_cpu_table.memory_download);
  g_assert_nonnull(cwk_cpu_table.close);
}

static void
test_cpu_memory(void)
{
  CwkDevice *device = cwk_cpu_new(1);
  g_assert_nonnull(device);
  void *memory = NULL;
  g_assert_cmpint(cwk_memory_alloc(device, 100, &memory), ==, CWK_OK);
  g_assert_cmpuint((guintptr)memory % 64, ==, 0);
  char sent[100], back[100] = { 0 };
  memset(sent, 0x5a, sizeof sent);
  g_assert_cmpint(cwk_memory_upload(device, memory, sent, sizeof sent), ==, CWK_OK);
  g_assert_cmpint(cwk_memory_download(device, back, memory, sizeof back), ==, CWK_OK);
  g_assert_cmpmem(sent, sizeof sent, back, sizeof back);
  cwk_memory_free(device, memory);
  cwk_device_free(device);
}

static void
count_item(void *data, int64_t item)
{
  ((unsigned char *)data)[item]++;
}

static void
test_parallel_for_visits_each_item_once(void)
{
  for (int n_threads = 1; n_threads <= 3; n_threads++) {
    CwkDevice *device = cwk_cpu_new(n_threads);
    g_assert_cmpint(cwk_device_n_threads(device), ==, n_threads);
    unsigned char visits[1001] = { 0 };
    cwk_parallel_for(device, 1000, count_item, visits);
    for (int i = 0; i < 1000; i++)
      g_assert_cmpint(visits[i], ==, 1);
    g_assert_cmpint(visits[1000], ==, 0);
    cwk_device_free(device);
  }
}

static void
test_no_module(void)
{
  const char *why = NULL;
  g_assert_null(cwk_cuda_new("/nowhere/libclew-cuda.so", 0, &why));
  g_assert_nonnull(why);
  g_assert_nonnull(strstr(why, "not installed"));
  g_assert_null(cwk_cuda_new("/nowhere/libclew-cuda.so", 0, NULL));
}

static void
test_damaged_module(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "libclew-cuda.so", NULL);
  g_assert_true(g_file_set_contents(path, "no library at all", -1, NULL));
  const char *why = NULL;
  g_assert_null(cwk_cuda_new(path, 0, &why));
  g_assert_nonnull(strstr(why, "cannot be loaded"));
  test_remove_tree(folder);
}

static void
test_other_library(void)
{
  Dl_info info;
  g_assert_true(dladdr((void *)g_strdup, &info) != 0);
  const char *why = NULL;
  g_assert_null(cwk_cuda_new(info.dli_fname, 0, &why));
  g_assert_nonnull(strstr(why, "another one"));
}

/* The module as it was built, or none: either a device with a name, or the reason. */
static void
test_module_of_this_build(void)
{
  const char *why = "";
  CwkDevice *device = cwk_cuda_new(NULL, 0, &why);
  if (device != NULL) {
    g_assert_null(why);
    g_assert_cmpint(cwk_device_kind(device), ==, CWK_DEVICE_CUDA);
    g_test_message("%s", cwk_device_name(device));
    cwk_device_free(device);
    return;
  }
  g_test_message("no CUDA device: %s", why);
  g_assert_cmpstr(why, !=, "");
#if CLEW_HAS_CUDA_MODULE
  g_assert_null(strstr(why, "not installed"));
  g_assert_null(strstr(why, "cannot be loaded"));
#endif
}

static void
test_ordinal_out_of_range(void)
{
  const char *why = NULL;
  g_assert_null(cwk_cuda_new(NULL, -1, &why));
  g_assert_nonnull(why);
  g_assert_null(cwk_cuda_new(NULL, 1 << 20, &why));
  g_assert_nonnull(why);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/kernels/device/every-op-has-a-cpu-body", test_every_op_has_a_cpu_body);
  g_test_add_func("/kernels/device/cpu-memory-round-trip", test_cpu_memory);
  g_test_add_func("/kernels/device/parallel-for-visits-each-item-once",
                  test_parallel_for_visits_each_item_once);
  g_test_add_func("/kernels/device/cuda-absent-module-is-named", test_no_module);
  g_test_add_func("/kernels/device/cuda-damaged-module-is-named", test_damaged_module);
  g_test_add_func("/kernels/device/cuda-other-library-is-refused", test_other_library);
  g_test_add_func("/kernels/device/cuda-module-of-this-build", test_module_of_this_build);
  g_test_add_func("/kernels/device/cuda-ordinal-out-of-range", test_ordinal_out_of_range);
  return g_test_run();
}
