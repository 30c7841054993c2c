/* fuzz-checkpoint.c - manifest and tensors of a training's checkpoint.
 *
 * The input is both files, one behind the other. Their checksums are put right, so that what
 * lies behind them is reached; what can be read is trained on for a step. */
#include <string.h>
#include <xxhash.h>

#include "cw-tensor-file.h"
#include "files/folder.h"
#include "fuzz-folder.h"
#include "fuzz.h"
#include "train/checkpoint.h"

#define MAX_VALUES 4096 /* of a decoder; a trainer is made for every input */

typedef struct {
  uint16_t manifest_bytes; /* the tensors have the rest */
} Head;

static void
repair(GString *manifest)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(fuzz_folder_peek(), CW_CHECKPOINT_STATE, NULL);
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, &error);
  const char *sums = strstr(manifest->str, "\"checksums\"");
  gsize from = sums != NULL ? (gsize)(sums - manifest->str) : manifest->len;
  for (size_t i = 0; file != NULL && i < cw_tensor_file_get_n_tensors(file); i++) {
    const CwTensor *tensor = cw_tensor_file_peek_tensor(file, i);
    g_autofree char *key = g_strdup_printf("\"%s\":", tensor->name);
    g_autofree char *sum = g_strdup_printf("%016" G_GINT64_MODIFIER "x",
                                           (guint64)XXH3_64bits(tensor->data, tensor->n_bytes));
    fuzz_replace_string(manifest, from, key, sum);
  }
  fuzz_repair_checksum(manifest);
}

static bool
is_small(const CwTrainSettings *settings)
{
  double n_layers = (double)settings->n_layers, batch = (double)settings->batch;
  double n = n_layers * n_layers * (double)settings->d_latent * (double)settings->d_model;
  batch *= (double)settings->gradient_accumulation_steps;
  return n >= 0 && n <= MAX_VALUES && batch <= 64;
}

static void
train_on(CwTrainer *trainer)
{
  g_autoptr(GError) error = NULL;
  const CwTrainSettings *settings = cw_trainer_peek_settings(trainer);
  int64_t n_rows = settings->n_layers * cw_trainer_get_batch_tokens(trainer);
  CwTrainStep step;
  g_autofree float *in = g_new0(float, (gsize)(n_rows * settings->d_model));
  g_autofree float *out = g_new0(float, (gsize)(n_rows * settings->d_model));
  for (int64_t i = 0; i < n_rows * settings->d_model; i++)
    in[i] = out[i] = (float)(i % 7) - 3;
  if (!cw_trainer_step(trainer, in, out, &step, &error) && error == NULL)
    g_error("neither a step nor an error");
}

static void
read_checkpoint(CwkDevice *device)
{
  CwTrainSettings settings;
  CwCheckpointNote note = { 0 };
  int64_t step;
  g_autoptr(GError) error = NULL;
  const char *folder = fuzz_folder_peek();
  if (!cw_checkpoint_read_settings(folder, &settings, &step, &error)) {
    if (error == NULL)
      g_error("neither settings nor an error");
    return;
  }
  if (!is_small(&settings))
    return;
  g_autoptr(CwTrainer) trainer =
      cw_trainer_new(&settings, settings.n_layers, settings.d_model, device, &error);
  if (trainer == NULL)
    return;
  bool is_read = cw_checkpoint_read(trainer, &note, folder, &error);
  if (is_read == (error != NULL))
    g_error("a result and an error at once, or neither");
  if (is_read)
    train_on(trainer);
  cw_checkpoint_note_clear(&note);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  Head head;
  if (n < sizeof head)
    return 0;
  memcpy(&head, data, sizeof head);
  data += sizeof head;
  n -= sizeof head;
  size_t n_manifest = MIN(head.manifest_bytes, n);
  g_autoptr(GString) manifest = g_string_new_len((const char *)data, (gssize)n_manifest);
  fuzz_folder_write(CW_CHECKPOINT_STATE, data + n_manifest, n - n_manifest);
  repair(manifest);
  fuzz_folder_write(CW_CHECKPOINT_MANIFEST, manifest->str, manifest->len);
  CwkDevice *device = cwk_cpu_new(1);
  if (device != NULL)
    read_checkpoint(device);
  cwk_device_free(device);
  return 0;
}

/* ---- seeds ------------------------------------------------------------------------------ */

static void
add_checkpoint(GPtrArray *seeds, const CwTrainSettings *settings)
{
  g_autoptr(GError) error = NULL;
  const CwCheckpointNote note = { .stream_position = 3,
                                  .data_hash = (char *)"data",
                                  .data_cursor = (char *)"1 2 0 3 4" };
  CwkDevice *device = cwk_cpu_new(1);
  g_autoptr(CwTrainer) trainer = cw_trainer_new(settings, 2, 3, device, &error);
  g_assert_no_error(error);
  g_autofree char *run = g_dir_make_tmp("clew-fuzz-XXXXXX", &error);
  g_assert_no_error(error);
  cw_checkpoint_write(trainer, &note, run, false, &error);
  g_assert_no_error(error);
  g_autoptr(GPtrArray) list = cw_checkpoint_list(run);
  Head head = { 0 };
  GByteArray *seed = g_byte_array_new();
  g_byte_array_append(seed, (const uint8_t *)&head, sizeof head);
  head.manifest_bytes =
      (uint16_t)fuzz_file_append(list->pdata[0], CW_CHECKPOINT_MANIFEST, seed);
  fuzz_file_append(list->pdata[0], CW_CHECKPOINT_STATE, seed);
  memcpy(seed->data, &head, sizeof head);
  g_ptr_array_add(seeds, seed);
  cw_folder_remove(list->pdata[0], NULL);
  cw_folder_remove(run, NULL);
  cwk_device_free(device);
}

GPtrArray *
fuzz_make_seeds(void)
{
  GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
  for (int i = 0; i < 2; i++) {
    CwTrainSettings settings;
    cw_train_settings_init(&settings,
                           i == 0 ? CW_RECIPE_CLT_FORGE : CW_RECIPE_ANTHROPIC_2025_01);
    settings.d_latent = 5;
    settings.batch = 4;
    settings.cross_layer_decoders = i == 0;
    add_checkpoint(seeds, &settings);
  }
  return seeds;
}
