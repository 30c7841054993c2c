/* test-damaged-transcoders.c - transcoder folders and checkpoints cut short: every file of each
 * format at every boundary of its sections, and with the lengths in it changed. */
#include "cw-transcoder.h"
#include "test-support.h"
#include "transcoder-builder.h"

#include <glib/gstdio.h>
#include <string.h>

static const BuiltTranscoder cross_layer = {
  .n_layers = 2, .n_features = 4, .width = 3, .is_cross_layer = true, .has_threshold = true
};
static const BuiltTranscoder per_layer = {
  .n_layers = 2, .n_features = 4, .width = 3, .has_skip = true
};

static void
put_file(const char *path, const char *data, gsize n)
{
  g_autoptr(GError) error = NULL;
  g_unlink(path); /* else a longer file would be overwritten in place and not cut */
  g_file_set_contents_full(path, data, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error(error);
}

/* Refused with an error that names the folder; with may_open it may also be read after all. */
static void
open_damaged(const char *folder, bool may_open)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_open(folder, &error);
  g_assert_true((transcoder == NULL) == (error != NULL));
  if (!may_open)
    g_assert_null(transcoder);
  if (error != NULL)
    g_assert_nonnull(strstr(error->message, folder));
}

/* Behind the length, inside and behind the header, inside the data, one byte short. */
static void
cut_safetensors(const char *folder, const char *path, const char *data, gsize n)
{
  uint64_t n_header;
  memcpy(&n_header, data, 8);
  const gsize cuts[] = { 0,
                         1,
                         7,
                         8,
                         9,
                         8 + n_header / 2,
                         7 + n_header,
                         8 + n_header,
                         9 + n_header,
                         (8 + n_header + n) / 2,
                         n - 1 };
  for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
    put_file(path, data, cuts[i]);
    open_damaged(folder, false);
  }
}

static void
lie_about_header(const char *folder, const char *path, const char *data, gsize n)
{
  static const uint64_t lengths[] = { 0,          1,         0x7fffffff, 0xffffffff,
                                      1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX - 7,
                                      UINT64_MAX };
  g_autofree char *changed = g_memdup2(data, n);
  for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
    memcpy(changed, &lengths[i], 8);
    put_file(path, changed, n);
    open_damaged(folder, false);
  }
}

/* A description that is cut may still be one. */
static void
cut_text(const char *folder, const char *path, const char *data, gsize n)
{
  for (gsize cut = 0; cut < n; cut++) {
    put_file(path, data, cut);
    open_damaged(folder, true);
  }
}

static void
damage_every_file(const char *folder)
{
  g_autoptr(CwTranscoder) whole = cw_transcoder_open(folder, NULL);
  g_assert_nonnull(whole);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  guint n_tensor_files = 0;
  while ((name = g_dir_read_name(dir)) != NULL)
    g_ptr_array_add(names, g_strdup(name));
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL), *data = NULL;
    gsize n;
    g_assert_true(g_file_get_contents(path, &data, &n, NULL));
    if (g_str_has_suffix(path, ".safetensors")) {
      cut_safetensors(folder, path, data, n);
      lie_about_header(folder, path, data, n);
      n_tensor_files++;
    } else {
      cut_text(folder, path, data, n);
    }
    put_file(path, data, n);
    g_autoptr(CwTranscoder) again = cw_transcoder_open(folder, NULL);
    g_assert_nonnull(again);
  }
  g_assert_cmpuint(n_tensor_files, >, 0);
}

static void
test_folders(void)
{
  const BuiltTranscoder *kinds[] = { &cross_layer, &per_layer };
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_autofree char *folder = test_temp_dir();
    build_circuit_tracer(folder, kinds[i], NULL);
    damage_every_file(folder);
    test_remove_tree(folder);
  }
}

static void
test_checkpoints(void)
{
  for (int n_shards = 0; n_shards <= 2; n_shards += 2) {
    g_autofree char *folder = test_temp_dir();
    build_clt_forge(folder, &cross_layer, n_shards, NULL);
    damage_every_file(folder);
    test_remove_tree(folder);
  }
}

/* Every second decoder row, so that the compact file leaves rows out. */
static bool
blank_rows(BuiltTensor *tensor, gpointer data)
{
  int64_t n = tensor->n_dims == 3 ? tensor->shape[0] * tensor->shape[1] : 0;
  for (int64_t i = 0; i < n; i += 2)
    memset(tensor->values + i * tensor->shape[2], 0, (size_t)tensor->shape[2] * sizeof(float));
  return true;
}

static void
test_compact(gconstpointer kind)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *source = test_temp_dir(), *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "transcoder.safetensors", NULL);
  build_circuit_tracer(source, kind, NULL);
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_open(source, &error);
  g_assert_no_error(error);
  g_assert_true(cw_transcoder_write_compact(transcoder, CWK_I8, path, &error));
  damage_every_file(folder);
  test_remove_tree(source);
  test_remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/damaged-transcoders/folders", test_folders);
  g_test_add_func("/core/damaged-transcoders/checkpoints", test_checkpoints);
  g_test_add_data_func("/core/damaged-transcoders/compact-file", &per_layer, test_compact);
  BuiltTranscoder blanked = cross_layer;
  blanked.spoil = blank_rows;
  g_test_add_data_func("/core/damaged-transcoders/compact-file-without-blank-rows", &blanked,
                       test_compact);
  return g_test_run();
}
