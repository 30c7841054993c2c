/* test-isa.c - see test-isa.h. */
#include "test-isa.h"

CwkDevice *
test_isa_device(gconstpointer isa)
{
  g_setenv("CLEW_ISA", isa, TRUE);
  return cwk_cpu_new(2);
}

void
test_add_per_isa(const char *path, GTestDataFunc test)
{
  static const char *const isas[] = { "baseline", "avx2", "best" };
  for (size_t i = 0; i < G_N_ELEMENTS(isas); i++) {
    g_autofree char *name = g_strdup_printf("%s/%s", path, isas[i]);
    g_test_add_data_func(name, isas[i], test);
  }
}
