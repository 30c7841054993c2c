/* test-tensor-file.c - reading tensor files that are as they should be. */
#include "cw-tensor-file.h"
#include "test-support.h"

#include <math.h>
#include <string.h>

static void
reads_a_golden_safetensors(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path =
      test_golden_path("attribution/llama-clt/transcoder/W_dec_0.safetensors");
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  g_assert_false(cw_tensor_file_is_gguf(file));
  g_assert_cmpuint(cw_tensor_file_get_n_tensors(file), ==, 1);
  const CwTensor *tensor = cw_tensor_file_find(file, "W_dec_0");
  g_assert_nonnull(tensor);
  g_assert_true(tensor == cw_tensor_file_peek_tensor(file, 0));
  g_assert_cmpint(tensor->n_dims, ==, 3);
  g_assert_cmpint(tensor->shape[1], ==, 3);
  g_assert_cmpuint(tensor->n_bytes, ==,
                   (size_t)(tensor->shape[0] * tensor->shape[1] * tensor->shape[2]) * 4);
  g_assert_null(cw_tensor_file_find(file, "W_dec_1"));
}

static void
names_both_shapes(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path =
      test_golden_path("attribution/llama-clt/transcoder/W_dec_0.safetensors");
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  const CwTensor *tensor = cw_tensor_file_peek_tensor(file, 0);
  g_assert_nonnull(
      cw_tensor_file_require(file, "W_dec_0", 3, (int64_t[]){ -1, 3, -1 }, &error));
  g_assert_no_error(error);
  g_assert_null(cw_tensor_file_require(file, "W_dec_0", 3, (int64_t[]){ -1, 4, 7 }, &error));
  g_autofree char *expected =
      g_strdup_printf("%s: W_dec_0 has the shape [%d, 3, %d], expected [*, 4, 7]", path,
                      (int)tensor->shape[0], (int)tensor->shape[2]);
  g_assert_error(error, CW_ERROR, CW_ERROR_MISMATCH);
  g_assert_cmpstr(error->message, ==, expected);
}

static void
write_then_read_is_equal(void)
{
  static const float floats[6] = { 1, -2, 0.5f, 4, 5, 6 };
  static const int64_t ids[2] = { -1, G_MAXINT64 };
  static const uint8_t bytes[3] = { 0, 1, 255 };
  static const uint16_t halves[4] = { 0x3c00, 0xbf80, 0x0001, 0x7c00 };
  const CwTensorOut tensors[] = {
    { "bytes", "U8", 1, { 3 }, bytes },        { "floats", "F32", 2, { 2, 3 }, floats },
    { "half \"x\"", "F16", 1, { 4 }, halves }, { "ids", "I64", 1, { 2 }, ids },
    { "none", "F32", 2, { 0, 3 }, NULL },      { "scalar", "F32", 0, { 0 }, floats },
  };
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "t.safetensors", NULL);
  const char *const metadata[] = { "note", "a \"b\"\n", "format", "pt", NULL };
  g_assert_true(cw_safetensors_write(path, tensors, G_N_ELEMENTS(tensors), metadata, &error));
  g_assert_no_error(error);

  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  const char *note;
  g_assert_true(cw_tensor_file_get_string(file, "note", &note));
  g_assert_cmpstr(note, ==, "a \"b\"\n");
  g_assert_cmpuint(cw_tensor_file_get_n_tensors(file), ==, G_N_ELEMENTS(tensors));
  g_assert_cmpmem(cw_tensor_file_find(file, "floats")->data, 24, floats, 24);
  g_assert_cmpmem(cw_tensor_file_find(file, "ids")->data, 16, ids, 16);
  g_assert_cmpmem(cw_tensor_file_find(file, "bytes")->data, 3, bytes, 3);
  g_assert_cmpuint(cw_tensor_file_find(file, "none")->n_bytes, ==, 0);
  g_assert_cmpuint((uintptr_t)cw_tensor_file_find(file, "floats")->data % 4, ==, 0);
  g_autofree char *text = cw_tensor_dup_shape_text(cw_tensor_file_find(file, "half \"x\""));
  g_assert_cmpstr(text, ==, "[4] f16");
  g_autofree float *wide =
      cw_tensor_dup_floats(cw_tensor_file_find(file, "half \"x\""), &error);
  g_assert_no_error(error);
  g_assert_cmpfloat(wide[0], ==, 1.0f);
  g_assert_cmpfloat(wide[1], ==, -1.875f);
  g_assert_cmpfloat(wide[2], ==, 0x1p-24f);
  g_assert_cmpfloat(wide[3], ==, INFINITY);
  test_remove_tree(folder);
}

static void
reads_a_real_gguf(void)
{
  g_autofree char *path = test_smollm2_path_or_skip();
  if (path == NULL)
    return;
  g_autoptr(GError) error = NULL;
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  g_assert_true(cw_tensor_file_is_gguf(file));
  const char *architecture;
  g_assert_true(cw_tensor_file_get_string(file, "general.architecture", &architecture));
  g_assert_cmpstr(architecture, ==, "llama");
  int64_t width;
  g_assert_true(cw_tensor_file_get_int(file, "llama.embedding_length", &width));
  g_assert_cmpint(width, ==, 576);
  const char *const *tokens;
  const uint32_t *lengths;
  const int32_t *types;
  size_t n, n_types;
  g_assert_true(
      cw_tensor_file_get_strings(file, "tokenizer.ggml.tokens", &tokens, &lengths, &n));
  g_assert_true(cw_tensor_file_get_ints(file, "tokenizer.ggml.token_type", &types, &n_types));
  g_assert_cmpuint(n, ==, 49152);
  g_assert_cmpuint(n_types, ==, n);
  g_assert_cmpmem(tokens[1], lengths[1], "<|im_start|>", 12);
  const CwTensor *embedding =
      cw_tensor_file_require(file, "token_embd.weight", 2, (int64_t[]){ 49152, 576 }, &error);
  g_assert_no_error(error);
  g_assert_cmpint(embedding->type, ==, CW_TYPE_FLOAT);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/tensor-file/reads-a-golden-safetensors", reads_a_golden_safetensors);
  g_test_add_func("/core/tensor-file/names-both-shapes", names_both_shapes);
  g_test_add_func("/core/tensor-file/write-then-read-is-equal", write_then_read_is_equal);
  g_test_add_func("/core/tensor-file/reads-a-real-gguf", reads_a_real_gguf);
  return g_test_run();
}
