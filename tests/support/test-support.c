/* test-support.c - see test-support.h. */
#include "test-support.h"

#include <glib/gstdio.h>
#include <math.h>
#include <time.h>

#include "cw-tensor-file.h"

static char *
path_below(const char *variable, const char *rest)
{
  const char *root = g_getenv(variable);
  if (root == NULL)
    g_error("%s is not set: run the tests through meson", variable);
  return g_build_filename(root, rest, NULL);
}

char *
test_golden_path(const char *rest)
{
  return path_below("CLEW_TEST_GOLDEN", rest);
}

char *
test_broken_path(const char *rest)
{
  return path_below("CLEW_TEST_BROKEN", rest);
}

static char *
path_or_skip(char *path)
{
  if (g_file_test(path, G_FILE_TEST_EXISTS))
    return path;
  g_autofree char *reason = g_strdup_printf("%s is not on this machine", path);
  g_test_skip(reason);
  g_free(path);
  return NULL;
}

char *
test_shared_path_or_skip(const char *rest)
{
  return path_or_skip(path_below("CLEW_TEST_SHARED", rest));
}

char *
test_smollm2_path_or_skip(void)
{
  const char *path = g_getenv("CLEW_TEST_SMOLLM2");
  if (path != NULL)
    return path_or_skip(g_strdup(path));
  return path_or_skip(g_build_filename(g_get_user_data_dir(), "clew", "models",
                                       "SmolLM2-135M-Instruct.Q4_1.gguf", NULL));
}

char *
test_temp_dir(void)
{
  g_autoptr(GError) error = NULL;
  char *path = g_dir_make_tmp("clew-test-XXXXXX", &error);
  g_assert_no_error(error);
  return path;
}

void
test_remove_tree(const char *path)
{
  if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
      g_autofree char *child = g_build_filename(path, name, NULL);
      test_remove_tree(child);
    }
    if (dir != NULL)
      g_dir_close(dir);
  }
  g_remove(path);
}

double
test_max_difference(const float *a, const float *b, size_t n)
{
  double largest = 0;
  for (size_t i = 0; i < n; i++) {
    double d = fabs((double)a[i] - (double)b[i]);
    if (!isfinite(d))
      return NAN;
    largest = MAX(largest, d);
  }
  return largest;
}

double
test_max_abs(const float *a, size_t n)
{
  double largest = 0;
  for (size_t i = 0; i < n; i++)
    largest = MAX(largest, fabs((double)a[i]));
  return largest;
}

double
test_process_cpu_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

char *
test_write_token_ids(const char *folder, int64_t n)
{
  g_autoptr(GError) error = NULL;
  g_autofree int32_t *ids = g_new(int32_t, n);
  for (int64_t i = 0; i < n; i++)
    ids[i] = (int32_t)(3 + (i * 7 + i / 31) % 29);
  const CwTensorOut tensor = { "tokens", "I32", 2, { n / 100, 100 }, ids };
  char *path = g_build_filename(folder, "tokens.safetensors", NULL);
  cw_safetensors_write(path, &tensor, 1, NULL, &error);
  g_assert_no_error(error);
  return path;
}
