/* fuzz-tensor-file.c - GGUF and safetensors: no view leaves the file, every byte of every view
 * and of the metadata can be read. */
#include <string.h>

#include "core/files/gguf-builder.h"
#include "files/tensor-file.h"
#include "fuzz.h"

/* Touches what a getter hands out; the sum keeps the reads from being optimised away. */
static uint64_t
read_metadata(const CwTensorFile *file)
{
  GHashTableIter iter;
  gpointer key;
  uint64_t sum = 0;
  g_hash_table_iter_init(&iter, file->metadata);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    const char *const *strings;
    const uint32_t *lengths;
    const int32_t *ints;
    const float *floats;
    const char *text;
    size_t n;
    if (cw_tensor_file_get_string(file, key, &text))
      sum += strlen(text);
    if (cw_tensor_file_get_strings(file, key, &strings, &lengths, &n))
      for (size_t i = 0; i < n; i++)
        sum += lengths[i] > 0 ? (uint8_t)strings[i][lengths[i] - 1] : 0;
    if (cw_tensor_file_get_ints(file, key, &ints, &n) && n > 0)
      sum += (uint64_t)ints[n - 1];
    if (cw_tensor_file_get_floats(file, key, &floats, &n) && n > 0)
      sum += floats[n - 1] > 0;
  }
  return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  static volatile uint64_t sink;
  g_autoptr(GError) error = NULL;
  g_autoptr(CwTensorFile) file = cw_tensor_file_open_bytes("f", data, n, &error);
  if ((file == NULL) != (error != NULL))
    g_error("a result and an error at once, or neither");
  if (file == NULL)
    return 0;
  uint64_t sum = read_metadata(file);
  for (size_t i = 0; i < cw_tensor_file_get_n_tensors(file); i++) {
    const CwTensor *tensor = cw_tensor_file_peek_tensor(file, i);
    if (tensor->n_bytes > n)
      g_error("a tensor larger than its file");
    for (size_t b = 0; b < tensor->n_bytes; b++)
      sum += ((const uint8_t *)tensor->data)[b];
    g_autofree char *shape = cw_tensor_dup_shape_text(tensor);
    g_autofree float *floats = cw_tensor_dup_floats(tensor, NULL);
    sum += strlen(shape) + (floats != NULL);
  }
  sink = sum;
  (void)sink;
  return 0;
}

static void
add_safetensors(GPtrArray *seeds, const char *header, size_t n_data)
{
  GByteArray *bytes = g_byte_array_new();
  uint64_t length = strlen(header);
  g_byte_array_append(bytes, (const uint8_t *)&length, sizeof length);
  g_byte_array_append(bytes, (const uint8_t *)header, (guint)length);
  for (size_t i = 0; i < n_data; i++)
    g_byte_array_append(bytes, (const uint8_t[]){ (uint8_t)i }, 1);
  g_ptr_array_add(seeds, bytes);
}

GPtrArray *
fuzz_make_seeds(void)
{
  GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
  g_ptr_array_add(seeds, gguf_valid());
  GByteArray *empty = gguf_begin(3, 0, 0);
  g_ptr_array_add(seeds, empty);
  add_safetensors(seeds, "{}", 0);
  add_safetensors(seeds,
                  "{\"__metadata__\":{\"format\":\"pt\"},"
                  "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                  "\"b\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[24,26]},"
                  "\"c\":{\"dtype\":\"I8\",\"shape\":[0],\"data_offsets\":[26,26]}} ",
                  26);
  add_safetensors(seeds,
                  "{\"h\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,2]},"
                  "\"l\":{\"dtype\":\"I64\",\"shape\":[1,1,1,1],\"data_offsets\":[2,10]}}",
                  10);
  return seeds;
}
