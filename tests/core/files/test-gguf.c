/* test-gguf.c - GGUF files, good and bad: every class of defect that other readers fell for. */
#include "files/tensor-file.h"
#include "gguf-builder.h"
#include "test-support.h"

#include <string.h>

static CwTensorFile *
open_bytes(const GByteArray *bytes, GError **error)
{
  return cw_tensor_file_open_bytes("t.gguf", bytes->data, bytes->len, error);
}

static void
reads_every_kind_of_value(void)
{
  g_autoptr(GByteArray) bytes = gguf_valid();
  g_autoptr(GError) error = NULL;
  g_autoptr(CwTensorFile) file = open_bytes(bytes, &error);
  g_assert_no_error(error);
  int64_t integer;
  double number;
  bool flag;
  const char *text;
  g_assert_true(cw_tensor_file_get_int(file, "k.u8", &integer) && integer == 200);
  g_assert_true(cw_tensor_file_get_int(file, "k.i8", &integer) && integer == -2);
  g_assert_true(cw_tensor_file_get_int(file, "k.u32", &integer) && integer == 4000000000);
  g_assert_true(cw_tensor_file_get_int(file, "k.i32", &integer) && integer == -5);
  g_assert_false(cw_tensor_file_get_int(file, "k.u64", &integer)); /* exceeds int64 */
  g_assert_false(cw_tensor_file_get_int(file, "k.f32", &integer));
  g_assert_false(cw_tensor_file_get_int(file, "absent", &integer));
  g_assert_true(cw_tensor_file_get_double(file, "k.f32", &number) && number == 0.5);
  g_assert_true(cw_tensor_file_get_bool(file, "k.bool", &flag) && flag);
  g_assert_true(cw_tensor_file_get_string(file, "k.string", &text));
  g_assert_cmpstr(text, ==, "text");
  g_assert_false(cw_tensor_file_get_string(file, "a.strings", &text));
}

static void
reads_arrays(void)
{
  g_autoptr(GByteArray) bytes = gguf_valid();
  g_autoptr(CwTensorFile) file = open_bytes(bytes, NULL);
  const char *const *strings;
  const uint32_t *lengths;
  const int32_t *ints;
  const float *floats;
  size_t n;
  g_assert_true(cw_tensor_file_get_strings(file, "a.strings", &strings, &lengths, &n));
  g_assert_cmpuint(n, ==, 3);
  g_assert_cmpmem(strings[1], lengths[1], "\0x", 2);
  g_assert_cmpuint(lengths[2], ==, 0);
  g_assert_true(cw_tensor_file_get_ints(file, "a.ints", &ints, &n));
  g_assert_true(n == 2 && ints[0] == -1 && ints[1] == 7);
  g_assert_true(cw_tensor_file_get_floats(file, "a.floats", &floats, &n));
  g_assert_true(n == 2 && floats[0] == 1.5f && floats[1] == -2);
  g_assert_true(cw_tensor_file_get_ints(file, "a.none", &ints, &n) && n == 0);
  g_assert_false(cw_tensor_file_get_floats(file, "a.ints", &floats, &n));
}

static void
places_tensors(void)
{
  g_autoptr(GByteArray) bytes = gguf_valid();
  g_autoptr(CwTensorFile) file = open_bytes(bytes, NULL);
  const uint8_t *data = bytes->data + bytes->len - 450;
  const CwTensor *tensor = cw_tensor_file_find(file, "f32");
  g_assert_true(tensor->n_dims == 2 && tensor->shape[0] == 3 && tensor->shape[1] == 4);
  g_assert_true(tensor->data == data && tensor->n_bytes == 48);
  tensor = cw_tensor_file_find(file, "q8_0");
  g_assert_true(tensor->data == data + 64 && tensor->n_bytes == 136);
  g_assert_cmpint(tensor->dtype, ==, CWK_Q8_0);
  tensor = cw_tensor_file_find(file, "scalar");
  g_assert_true(tensor->n_dims == 0 && tensor->n_bytes == 2 && tensor->dtype == CWK_F16);
}

/* ---- bad files ------------------------------------------------------------------------- */

static void
expect_refusal(const GByteArray *bytes, int code, const char *expected)
{
  g_autoptr(GError) error = NULL;
  /* An exact heap copy, so that the address sanitizer sees a step beyond it. */
  g_autofree uint8_t *copy = g_memdup2(bytes->data, bytes->len);
  CwTensorFile *file = cw_tensor_file_open_bytes("t.gguf", copy, bytes->len, &error);
  g_assert_null(file);
  g_assert_error(error, CW_ERROR, code);
  if (!g_str_has_prefix(error->message, "t.gguf: ") || strstr(error->message, expected) == NULL)
    g_error("\"%s\" does not say \"%s\"", error->message, expected);
}

/* Every byte counts: no prefix of a file is a file. */
static void
refuses_every_prefix(void)
{
  g_autoptr(GByteArray) bytes = gguf_valid();
  for (guint n = 0; n < bytes->len; n++) {
    g_autofree uint8_t *copy = g_memdup2(bytes->data, MAX(n, 1));
    g_autoptr(GError) error = NULL;
    g_assert_null(cw_tensor_file_open_bytes("t.gguf", copy, n, &error));
    g_assert_nonnull(error);
    g_assert_true(error->code == CW_ERROR_FORMAT || error->code == CW_ERROR_NOT_FOUND);
  }
}

static void
refuses_versions(void)
{
  static const struct {
    uint32_t version;
    const char *expected;
  } cases[] = {
    { 0, "is GGUF version 0; 2 and 3 are read" },
    { 1, "is GGUF version 1" },
    { 4, "is GGUF version 4" },
    { 0x03000000, "is big-endian" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GByteArray) bytes = gguf_begin(cases[i].version, 0, 0);
    expect_refusal(bytes, CW_ERROR_UNSUPPORTED, cases[i].expected);
  }
}

/* Counts whose products with any entry size wrap, or that only fit a bigger file. */
static void
refuses_counts(void)
{
  static const uint64_t counts[] = { 1,          65537,      1ull << 32, 1ull << 60,
                                     1ull << 61, 1ull << 63, UINT64_MAX };
  for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
    g_autoptr(GByteArray) tensors = gguf_begin(3, counts[i], 0);
    g_autoptr(GByteArray) pairs = gguf_begin(3, 0, counts[i]);
    expect_refusal(tensors, CW_ERROR_FORMAT, "tensors, more than it can hold");
    expect_refusal(pairs, CW_ERROR_FORMAT, "metadata keys, more than it can hold");
  }
}

static void
refuses_strings(void)
{
  static const uint64_t lengths[] = { 100, 1ull << 32, (uint64_t)INT64_MAX, UINT64_MAX - 7,
                                      UINT64_MAX };
  for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
    g_autoptr(GByteArray) key = gguf_begin(3, 0, 1);
    gguf_u64(key, lengths[i]);
    gguf_data(key, 1, 16);
    expect_refusal(key, CW_ERROR_FORMAT, "(metadata, byte 32)");
    g_autoptr(GByteArray) value = gguf_begin(3, 0, 1);
    gguf_key(value, "name", GGUF_STRING);
    gguf_u64(value, lengths[i]);
    gguf_data(value, 1, 16);
    expect_refusal(value, CW_ERROR_FORMAT, "bytes, 16 are left (name, byte 48)");
  }
  static const char *const names[] = { "", "\xff\xfe", "a\0b" };
  static const size_t name_lengths[] = { 0, 2, 3 };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autoptr(GByteArray) bytes = gguf_begin(3, 0, 1);
    gguf_string(bytes, names[i], name_lengths[i]);
    gguf_data(bytes, 1, 16);
    expect_refusal(bytes, CW_ERROR_FORMAT, "a name is empty, too long or no UTF-8 text");
  }
}

static void
refuses_values(void)
{
  static const struct {
    uint32_t kind, element;
    uint64_t n;
    int code;
    const char *expected;
  } cases[] = {
    { 13, 0, 0, CW_ERROR_FORMAT, "metadata of the unknown type 13 (key, byte" },
    { UINT32_MAX, 0, 0, CW_ERROR_FORMAT, "metadata of the unknown type 4294967295" },
    { GGUF_ARRAY, 13, 1, CW_ERROR_FORMAT, "an array of the unknown type 13" },
    { GGUF_ARRAY, 0x80000000, 1, CW_ERROR_FORMAT, "an array of the unknown type" },
    { GGUF_ARRAY, GGUF_ARRAY, 1, CW_ERROR_UNSUPPORTED, "an array of arrays" },
    { GGUF_ARRAY, GGUF_U8, 33, CW_ERROR_FORMAT, "an array claims 33 entries" },
    { GGUF_ARRAY, GGUF_U32, 1ull << 62, CW_ERROR_FORMAT, "an array claims" },
    { GGUF_ARRAY, GGUF_F64, (1ull << 61) + 1, CW_ERROR_FORMAT, "an array claims" },
    { GGUF_ARRAY, GGUF_STRING, 5, CW_ERROR_FORMAT, "an array claims 5 entries" },
    { GGUF_ARRAY, GGUF_STRING, UINT64_MAX, CW_ERROR_FORMAT, "an array claims" },
    { GGUF_ARRAY, GGUF_STRING, 2, CW_ERROR_FORMAT, "a string claims" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GByteArray) bytes = gguf_begin(3, 0, 1);
    gguf_key(bytes, "key", cases[i].kind);
    gguf_u32(bytes, cases[i].element);
    gguf_u64(bytes, cases[i].n);
    gguf_data(bytes, 1, 32);
    expect_refusal(bytes, cases[i].code, cases[i].expected);
  }
  g_autoptr(GByteArray) flag = gguf_begin(3, 0, 1);
  gguf_key(flag, "key", GGUF_BOOL);
  gguf_u8(flag, 2);
  expect_refusal(flag, CW_ERROR_FORMAT, "a truth value is neither 0 nor 1 (key, byte");
}

static void
refuses_equal_names(void)
{
  g_autoptr(GByteArray) keys = gguf_begin(3, 0, 2);
  for (int i = 0; i < 2; i++) {
    gguf_key(keys, "key", GGUF_U8);
    gguf_u8(keys, 1);
  }
  expect_refusal(keys, CW_ERROR_FORMAT, "has the metadata key key twice");
  g_autoptr(GByteArray) tensors = gguf_begin(3, 2, 0);
  gguf_tensor(tensors, "t", 1, (uint64_t[]){ 1 }, 0, 0);
  gguf_tensor(tensors, "t", 1, (uint64_t[]){ 1 }, 0, 32);
  gguf_data(tensors, 32, 64);
  expect_refusal(tensors, CW_ERROR_FORMAT, "has two tensors named t");
}

static void
refuses_alignments(void)
{
  static const uint32_t values[] = { 0, 3, 48, 131072, UINT32_MAX };
  for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
    g_autoptr(GByteArray) bytes = gguf_begin(3, 0, 1);
    gguf_key(bytes, "general.alignment", GGUF_U32);
    gguf_u32(bytes, values[i]);
    expect_refusal(bytes, CW_ERROR_FORMAT, "no power of two up to 65536");
  }
  g_autoptr(GByteArray) text = gguf_begin(3, 0, 1);
  gguf_key(text, "general.alignment", GGUF_STRING);
  gguf_string(text, "32", 2);
  expect_refusal(text, CW_ERROR_FORMAT, "general.alignment is no integer");
}

static void
refuses_tensors(void)
{
  const uint64_t huge = 1ull << 33;
  const struct {
    uint32_t n_dims;
    uint64_t dims[5];
    uint32_t type;
    uint64_t offset;
    int code;
    const char *expected;
  } cases[] = {
    { 5, { 1, 1, 1, 1, 1 }, 0, 0, CW_ERROR_FORMAT, "tensor t has 5 dimensions, at most 4 do" },
    { UINT32_MAX, { 1 }, 0, 0, CW_ERROR_FORMAT, "dimensions, at most 4 do" },
    { 1, { 1ull << 63 }, 0, 0, CW_ERROR_FORMAT, "tensor t has a negative size" },
    { 1, { UINT64_MAX }, 0, 0, CW_ERROR_FORMAT, "tensor t has a negative size" },
    { 2, { huge, huge }, 0, 0, CW_ERROR_FORMAT, "its size overflows" },
    { 4,
      { 1ull << 16, 1ull << 16, 1ull << 16, 1ull << 16 },
      0,
      0,
      CW_ERROR_FORMAT,
      "its size overflows" },
    { 3, { 0, huge, huge }, 0, 0, CW_ERROR_FORMAT, "its size overflows" },
    { 1, { 1ull << 62 }, 0, 0, CW_ERROR_FORMAT, "its size overflows" },
    { 2, { 33, 2 }, 8, 0, CW_ERROR_FORMAT, "its rows hold no whole blocks" },
    { 2, { 128, 2 }, 12, 0, CW_ERROR_FORMAT, "its rows hold no whole blocks" },
    { 0, { 0 }, 2, 0, CW_ERROR_FORMAT, "its rows hold no whole blocks" },
    { 1, { 4 }, 10, 0, CW_ERROR_UNSUPPORTED, "tensor t has the unsupported type 10 (Q2_K)" },
    { 1, { 4 }, 4, 0, CW_ERROR_UNSUPPORTED, "tensor t has the unsupported type 4 (unknown)" },
    { 1, { 4 }, UINT32_MAX, 0, CW_ERROR_UNSUPPORTED, "the unsupported type 4294967295" },
    { 1, { 4 }, 0, 1, CW_ERROR_FORMAT, "tensor t is not aligned to 32 bytes" },
    { 1, { 64 }, 0, 32, CW_ERROR_FORMAT, "exceeds the 256 bytes of data" },
    { 1, { 65 }, 0, 0, CW_ERROR_FORMAT, "tensor t of 260 bytes at offset 0 exceeds" },
    { 1, { 4 }, 0, 1ull << 62, CW_ERROR_FORMAT, "exceeds the 256 bytes of data" },
    { 1, { 16 }, 0, UINT64_MAX - 31, CW_ERROR_FORMAT, "exceeds the 256 bytes of data" },
    { 1, { 1ull << 60 }, 0, 0, CW_ERROR_FORMAT, "exceeds the 256 bytes of data" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GByteArray) bytes = gguf_begin(3, 1, 0);
    gguf_tensor(bytes, "t", MIN(cases[i].n_dims, 5), cases[i].dims, cases[i].type,
                cases[i].offset);
    memcpy(bytes->data + 24 + 9, &cases[i].n_dims, 4);
    gguf_data(bytes, 32, 256);
    expect_refusal(bytes, cases[i].code, cases[i].expected);
  }
}

/* Each fits the data on its own; together they alias. */
static void
refuses_overlaps(void)
{
  g_autoptr(GByteArray) bytes = gguf_begin(3, 3, 0);
  gguf_tensor(bytes, "a", 1, (uint64_t[]){ 32 }, 0, 0);
  gguf_tensor(bytes, "c", 1, (uint64_t[]){ 32 }, 0, 128);
  gguf_tensor(bytes, "b", 1, (uint64_t[]){ 16 }, 0, 96);
  gguf_data(bytes, 32, 256);
  expect_refusal(bytes, CW_ERROR_FORMAT, "tensor b overlaps a");
}

/* Whatever a changed byte makes of a file, no view may leave it. */
static void
check_views(const CwTensorFile *file, const uint8_t *bytes, size_t n)
{
  for (size_t i = 0; i < cw_tensor_file_get_n_tensors(file); i++) {
    const CwTensor *tensor = cw_tensor_file_peek_tensor(file, i);
    const uint8_t *data = tensor->data;
    g_assert_true(data >= bytes && data <= bytes + n);
    g_assert_cmpuint(tensor->n_bytes, <=, (size_t)(bytes + n - data));
  }
}

static void
survives_every_changed_byte(void)
{
  g_autoptr(GByteArray) bytes = gguf_valid();
  guint n_header = bytes->len - 450, n_open = 0, n_refused = 0;
  for (guint i = 0; i < n_header; i++)
    for (int change = 1; change < 256; change = change * 2 + 1) {
      g_autofree uint8_t *copy = g_memdup2(bytes->data, bytes->len);
      copy[i] ^= (uint8_t)change;
      g_autoptr(GError) error = NULL;
      g_autoptr(CwTensorFile) file =
          cw_tensor_file_open_bytes("t.gguf", copy, bytes->len, &error);
      g_assert_true((file == NULL) == (error != NULL));
      file != NULL ? n_open++ : n_refused++;
      if (file != NULL)
        check_views(file, copy, bytes->len);
    }
  g_assert_cmpuint(n_open, >, 0);
  g_assert_cmpuint(n_refused, >, n_open / 4);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/gguf/reads-every-kind-of-value", reads_every_kind_of_value);
  g_test_add_func("/core/gguf/reads-arrays", reads_arrays);
  g_test_add_func("/core/gguf/places-tensors", places_tensors);
  g_test_add_func("/core/gguf/refuses-every-prefix", refuses_every_prefix);
  g_test_add_func("/core/gguf/refuses-versions", refuses_versions);
  g_test_add_func("/core/gguf/refuses-counts", refuses_counts);
  g_test_add_func("/core/gguf/refuses-strings", refuses_strings);
  g_test_add_func("/core/gguf/refuses-values", refuses_values);
  g_test_add_func("/core/gguf/refuses-equal-names", refuses_equal_names);
  g_test_add_func("/core/gguf/refuses-alignments", refuses_alignments);
  g_test_add_func("/core/gguf/refuses-tensors", refuses_tensors);
  g_test_add_func("/core/gguf/refuses-overlaps", refuses_overlaps);
  g_test_add_func("/core/gguf/survives-every-changed-byte", survives_every_changed_byte);
  return g_test_run();
}
