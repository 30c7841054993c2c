/* test-safetensors.c - the safetensors reader and writer on files made byte by byte. */
#include "files/tensor-file.h"
#include "test-support.h"

#include <string.h>

/* Length, header, n_data bytes. */
static GByteArray *
make_file(const char *header, size_t n_data)
{
  GByteArray *bytes = g_byte_array_new();
  uint64_t length = strlen(header);
  g_byte_array_append(bytes, (const uint8_t *)&length, sizeof length);
  g_byte_array_append(bytes, (const uint8_t *)header, (guint)length);
  for (size_t i = 0; i < n_data; i++)
    g_byte_array_append(bytes, (const uint8_t[]){ (uint8_t)i }, 1);
  return bytes;
}

static CwTensorFile *
open_bytes(const GByteArray *bytes, GError **error)
{
  return cw_tensor_file_open_bytes("t.safetensors", bytes->data, bytes->len, error);
}

static const char valid_header[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"b\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[8,20]},"
    "\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
    "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[20,20]},"
    "\"scalar\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[20,21]}}  ";

static void
reads_ranges_in_any_order(void)
{
  g_autoptr(GByteArray) bytes = make_file(valid_header, 21);
  g_autoptr(GError) error = NULL;
  g_autoptr(CwTensorFile) file = open_bytes(bytes, &error);
  g_assert_no_error(error);
  const uint8_t *data = bytes->data + bytes->len - 21;
  g_assert_true(cw_tensor_file_find(file, "b")->data == data + 8);
  g_assert_cmpuint(cw_tensor_file_find(file, "empty")->n_bytes, ==, 0);
  g_assert_cmpint(cw_tensor_file_find(file, "scalar")->n_dims, ==, 0);
  g_autofree char *shape = cw_tensor_dup_shape_text(cw_tensor_file_find(file, "b"));
  g_assert_cmpstr(shape, ==, "[2, 3] bf16");
  g_assert_null(cw_tensor_file_find(file, "__metadata__"));
}

static void
refuses_every_prefix(void)
{
  g_autoptr(GByteArray) bytes = make_file(valid_header, 21);
  for (guint n = 0; n < bytes->len; n++) {
    g_autofree uint8_t *copy = g_memdup2(bytes->data, MAX(n, 1));
    g_autoptr(GError) error = NULL;
    g_assert_null(cw_tensor_file_open_bytes("t.safetensors", copy, n, &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
    g_assert_true(g_str_has_prefix(error->message, "t.safetensors: "));
  }
}

typedef struct {
  const char *header;
  size_t n_data;
  int code;
  const char *expected;
} BadFile;

#define T(name, dtype, shape, offsets) \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const BadFile bad_files[] = {
  { "{" T("a", "F32", "[2]", "[0,8]") "," T("b", "F32", "[2]", "[4,12]") "}", 12,
    CW_ERROR_FORMAT, "tensor b overlaps another" },
  { "{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[8,12]") "}", 12,
    CW_ERROR_FORMAT, "tensor b leaves a gap before it" },
  { "{" T("a", "F32", "[1]", "[4,8]") "}", 8, CW_ERROR_FORMAT, "leaves a gap before it" },
  { "{" T("a", "F32", "[1]", "[0,4]") "}", 8, CW_ERROR_FORMAT,
    "4 bytes follow the last tensor" },
  { "{}", 3, CW_ERROR_FORMAT, "3 bytes follow the last tensor" },
  { "{" T("a", "F32", "[4]", "[0,16]") "," T("z", "F32", "[0]", "[8,8]") "}", 16,
    CW_ERROR_FORMAT, "tensor z overlaps another" },
  { "{" T("a", "F32", "[2]", "[0,8]") "," T("b", "F32", "[2]", "[0,8]") "}", 8, CW_ERROR_FORMAT,
    "overlaps another" },
  { "{" T("a", "F32", "[2]", "[0,8]") "}", 7, CW_ERROR_FORMAT,
    "tensor a ends at byte 8 of the data, which has 7: the file is cut short" },
  { "{" T("a", "F32", "[3]", "[0,8]") "}", 8, CW_ERROR_FORMAT,
    "tensor a [3] f32 needs 12 bytes, its range has 8" },
  { "{" T("a", "F32", "[2]", "[8,0]") "}", 8, CW_ERROR_FORMAT,
    "tensor a has no valid data_offsets" },
  { "{" T("a", "F32", "[2]", "[-8,0]") "}", 8, CW_ERROR_FORMAT, "no valid data_offsets" },
  { "{" T("a", "F32", "[2]", "[0]") "}", 8, CW_ERROR_FORMAT, "no valid data_offsets" },
  { "{" T("a", "F32", "[2]", "[0,8,8]") "}", 8, CW_ERROR_FORMAT, "no valid data_offsets" },
  { "{" T("a", "F32", "[2]", "[0.0,8.0]") "}", 8, CW_ERROR_FORMAT, "no valid data_offsets" },
  { "{" T("a", "F32", "[2]", "[0,\"8\"]") "}", 8, CW_ERROR_FORMAT, "no valid data_offsets" },
  { "{" T("a", "F32", "[2]", "[0,18446744073709551624]") "}", 8, CW_ERROR_FORMAT,
    "no valid data_offsets" },
  { "{" T("a", "F32", "[2]", "[0,9223372036854775807]") "}", 8, CW_ERROR_FORMAT,
    "the file is cut short" },
  { "{" T("a", "F32", "[-2]", "[0,8]") "}", 8, CW_ERROR_FORMAT,
    "tensor a has a size that is no count" },
  { "{" T("a", "F32", "[2.0]", "[0,8]") "}", 8, CW_ERROR_FORMAT, "a size that is no count" },
  { "{" T("a", "F32", "[18446744073709551618]", "[0,8]") "}", 8, CW_ERROR_FORMAT,
    "a size that is no count" },
  { "{" T("a", "F32", "[true]", "[0,8]") "}", 8, CW_ERROR_FORMAT, "a size that is no count" },
  { "{" T("a", "F32", "[4611686018427387904,4]", "[0,0]") "}", 0, CW_ERROR_FORMAT,
    "tensor a: its size overflows" },
  { "{" T("a", "F32", "[4611686018427387905]", "[0,4]") "}", 4, CW_ERROR_FORMAT,
    "its size overflows" },
  { "{" T("a", "F32", "[8589934592,8589934592,0]", "[0,0]") "}", 0, CW_ERROR_FORMAT,
    "its size overflows" },
  { "{" T("a", "F32", "[1,1,1,1,1]", "[0,4]") "}", 4, CW_ERROR_UNSUPPORTED,
    "tensor a has 5 dimensions, at most 4 do" },
  { "{" T("a", "F4", "[2]", "[0,1]") "}", 1, CW_ERROR_UNSUPPORTED,
    "tensor a has the unsupported type F4" },
  { "{" T("a", "f32", "[2]", "[0,8]") "}", 8, CW_ERROR_UNSUPPORTED,
    "the unsupported type f32" },
  { "{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, CW_ERROR_FORMAT,
    "tensor a has no dtype" },
  { "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, CW_ERROR_FORMAT, "has no dtype" },
  { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, CW_ERROR_FORMAT,
    "tensor a has no shape" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, CW_ERROR_FORMAT, "no valid data_offsets" },
  { "{\"a\":[1,2]}", 0, CW_ERROR_FORMAT, "tensor a is described by no object" },
  { "{\"a\":null}", 0, CW_ERROR_FORMAT, "tensor a is described by no object" },
  { "{\"__metadata__\":{\"a\":1}}", 0, CW_ERROR_FORMAT, "__metadata__ a is no string" },
  { "{\"__metadata__\":[]}", 0, CW_ERROR_FORMAT, "__metadata__ is no object" },
  { "{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[0,4]") "}", 4, CW_ERROR_FORMAT,
    "the JSON has a key twice in one object" },
  { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
    CW_ERROR_FORMAT, "the JSON has a key twice in one object" },
  { "{" T("a\\u0000b", "F32", "[1]", "[0,4]") "}", 4, CW_ERROR_FORMAT,
    "a string holds U+0000" },
  { "{" T("a", "F32", "[01]", "[0,4]") "}", 4, CW_ERROR_FORMAT, "a number begins with 0" },
  { "{" T("a", "F32", "[1]", "[0,4]") ",}", 4, CW_ERROR_FORMAT, "a key was expected" },
  { "{/**/}", 0, CW_ERROR_FORMAT, "bad JSON at byte 1: a key was expected" },
  { "{} {}", 0, CW_ERROR_FORMAT, "text after the end of the value" },
};

static void
refuses_bad_headers(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(bad_files); i++) {
    g_autoptr(GByteArray) bytes = make_file(bad_files[i].header, bad_files[i].n_data);
    g_autofree uint8_t *copy = g_memdup2(bytes->data, bytes->len);
    g_autoptr(GError) error = NULL;
    if (cw_tensor_file_open_bytes("t.safetensors", copy, bytes->len, &error) != NULL)
      g_error("%s was read", bad_files[i].header);
    if (!g_error_matches(error, CW_ERROR, bad_files[i].code) ||
        strstr(error->message, bad_files[i].expected) == NULL)
      g_error("%s: \"%s\" (%d) does not say \"%s\"", bad_files[i].header, error->message,
              error->code, bad_files[i].expected);
  }
}

static void
refuses_header_lengths(void)
{
  static const struct {
    uint64_t length;
    const char *expected;
  } cases[] = {
    { 0, "bad JSON at byte 0" },
    { 1, "bad JSON at byte 1: a key was expected" },
    { 5, "has 12 bytes, fewer than its header of 5: it is cut short" },
    { (16 << 20) + 1, "claims a header of 16777217 bytes, more than 16777216" },
    { INT64_MAX, "claims a header of 9223372036854775807 bytes" },
    { UINT64_MAX - 7, "claims a header of" },
    { UINT64_MAX, "claims a header of 18446744073709551615 bytes" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GByteArray) bytes = make_file("{}  ", 0);
    memcpy(bytes->data, &cases[i].length, 8);
    g_autoptr(GError) error = NULL;
    g_assert_null(open_bytes(bytes, &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
    if (strstr(error->message, cases[i].expected) == NULL)
      g_error("\"%s\" does not say \"%s\"", error->message, cases[i].expected);
  }
}

/* 70,000 entries of no bytes: small, well-formed, and refused by number. */
static void
refuses_too_many_tensors(void)
{
  g_autoptr(GString) header = g_string_new("{");
  for (int i = 0; i < 70000; i++)
    g_string_append_printf(header,
                           "%s\"%d\":{\"dtype\":\"U8\",\"shape\":[0],"
                           "\"data_offsets\":[0,0]}",
                           i > 0 ? "," : "", i);
  g_string_append_c(header, '}');
  g_autoptr(GByteArray) bytes = make_file(header->str, 0);
  g_autoptr(GError) error = NULL;
  g_assert_null(open_bytes(bytes, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, "has 70000 tensors, more than 65536"));
}

static void
names_what_it_is_instead(void)
{
  static const struct {
    const char *text;
    size_t n;
    int code;
    const char *expected;
  } cases[] = {
    { "PK\003\004........", 12, CW_ERROR_UNSUPPORTED, "pickled PyTorch file" },
    { "\x80\x02}q\0.......", 12, CW_ERROR_UNSUPPORTED, "pickled PyTorch file" },
    { "version https://git-lfs.github.com/spec/v1\n", 43, CW_ERROR_UNSUPPORTED,
      "git lfs pull" },
    { "lmgg............", 16, CW_ERROR_UNSUPPORTED, "older than GGUF" },
    { "<!doctype html>.", 16, CW_ERROR_FORMAT, "is neither GGUF nor safetensors" },
    { "", 0, CW_ERROR_FORMAT, "it has only 0 bytes" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(cw_tensor_file_open_bytes("f", cases[i].text, cases[i].n, &error));
    g_assert_error(error, CW_ERROR, cases[i].code);
    g_assert_nonnull(strstr(error->message, cases[i].expected));
  }
}

static void
refuses_what_is_no_file(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autoptr(GError) error = NULL;
  g_assert_null(cw_tensor_file_open(folder, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_clear_error(&error);
  g_assert_null(cw_tensor_file_open("/dev/zero", &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, "a device or a pipe"));
  g_clear_error(&error);
  g_autofree char *absent = g_build_filename(folder, "absent", NULL);
  g_assert_null(cw_tensor_file_open(absent, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_NOT_FOUND);
  test_remove_tree(folder);
}

static void
survives_every_changed_byte(void)
{
  g_autoptr(GByteArray) bytes = make_file(valid_header, 21);
  guint n_refused = 0;
  for (guint i = 0; i < bytes->len - 21; i++)
    for (int change = 1; change < 256; change = change * 2 + 1) {
      g_autofree uint8_t *copy = g_memdup2(bytes->data, bytes->len);
      copy[i] ^= (uint8_t)change;
      g_autoptr(GError) error = NULL;
      g_autoptr(CwTensorFile) file =
          cw_tensor_file_open_bytes("t.safetensors", copy, bytes->len, &error);
      g_assert_true((file == NULL) == (error != NULL));
      n_refused += file == NULL;
      for (size_t t = 0; file != NULL && t < cw_tensor_file_get_n_tensors(file); t++) {
        const CwTensor *tensor = cw_tensor_file_peek_tensor(file, t);
        size_t at = (size_t)((const uint8_t *)tensor->data - copy);
        g_assert_true(at <= bytes->len && tensor->n_bytes <= bytes->len - at);
      }
    }
  g_assert_cmpuint(n_refused, >, 500);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/safetensors/reads-ranges-in-any-order", reads_ranges_in_any_order);
  g_test_add_func("/core/safetensors/refuses-every-prefix", refuses_every_prefix);
  g_test_add_func("/core/safetensors/refuses-bad-headers", refuses_bad_headers);
  g_test_add_func("/core/safetensors/refuses-header-lengths", refuses_header_lengths);
  g_test_add_func("/core/safetensors/refuses-too-many-tensors", refuses_too_many_tensors);
  g_test_add_func("/core/safetensors/names-what-it-is-instead", names_what_it_is_instead);
  g_test_add_func("/core/safetensors/refuses-what-is-no-file", refuses_what_is_no_file);
  g_test_add_func("/core/safetensors/survives-every-changed-byte", survives_every_changed_byte);
  return g_test_run();
}
