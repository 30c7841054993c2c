/* text-fixture.c - see text-fixture.h. */
#include "text-fixture.h"

#include <glib/gstdio.h>

#define MODEL "attribution/llama-clt/model"

int64_t
text_fixture_length(int64_t document)
{
  return 1 + 7 * (document % 5);
}

int32_t
text_fixture_token(int64_t document, int64_t place, int64_t n_vocabulary)
{
  return (int32_t)(3 + (document * 31 + place * 7) % (n_vocabulary - 3));
}

bool
text_fixture_gives_row(int64_t document, int64_t place)
{
  return place < text_fixture_length(document) && place % CONTEXT != 0;
}

/* One file of ids per document, so that no id has to stand between them. */
void
text_fixture_set_up(TextFixture *fixture, gconstpointer unused)
{
  g_autoptr(GError) error = NULL;
  fixture->folder = test_temp_dir();
  fixture->text = g_build_filename(fixture->folder, "text", NULL);
  fixture->output = g_build_filename(fixture->folder, "cache", NULL);
  fixture->model = fixture_load_golden_model(MODEL);
  fixture->device = cwk_cpu_new(2);
  fixture->n_vocabulary = cw_model_peek_config(fixture->model)->n_vocabulary;
  g_assert_cmpint(g_mkdir(fixture->text, 0777), ==, 0);
  for (int64_t d = 0; d < N_DOCUMENTS; d++) {
    int64_t n = text_fixture_length(d);
    g_autofree int32_t *ids = g_new(int32_t, (gsize)n);
    for (int64_t i = 0; i < n; i++)
      ids[i] = text_fixture_token(d, i, fixture->n_vocabulary);
    const CwTensorOut tensor = { "tokens", "I32", 2, { 1, n }, ids };
    g_autofree char *name = g_strdup_printf("%03d.safetensors", (int)d);
    g_autofree char *path = g_build_filename(fixture->text, name, NULL);
    cw_safetensors_write(path, &tensor, 1, NULL, &error);
    g_assert_no_error(error);
  }
}

void
text_fixture_tear_down(TextFixture *fixture, gconstpointer unused)
{
  test_remove_tree(fixture->folder);
  g_free(fixture->folder);
  g_free(fixture->text);
  g_free(fixture->output);
  cw_model_unref(fixture->model);
  cwk_device_free(fixture->device);
}

void
text_sums_add(TextSums *sums, const float *expected, const float *actual, int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    double difference = (double)expected[i] - (double)actual[i];
    sums->energy += (double)expected[i] * (double)expected[i];
    sums->error += difference * difference;
  }
}

uint64_t
text_fixture_hash(const float *row, size_t n)
{
  const unsigned char *bytes = (const unsigned char *)row;
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < n * sizeof *row; i++)
    hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
  return hash;
}
