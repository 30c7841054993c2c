/* fuzz-seeds.c - seeds out of texts. */
#include <string.h>

#include "fuzz.h"

GPtrArray *
fuzz_seeds_of_texts(const char *const *texts, size_t n)
{
  GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
  for (size_t i = 0; i < n; i++) {
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, (const uint8_t *)texts[i], (guint)strlen(texts[i]));
    g_ptr_array_add(seeds, bytes);
  }
  return seeds;
}
