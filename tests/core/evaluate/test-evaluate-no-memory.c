/* test-evaluate-no-memory.c - every allocation of an evaluation fails once, the Nth for every
 * N: the answer is an error that says so, nothing is handed out, and the same model and
 * transcoder then give the same numbers as before. */
#include <string.h>

#include "../attribution/golden-case.h"
#include "../failing-memory.h"
#include "cw-evaluate.h"
#include "cw-tensor-file.h"
#include "test-support.h"

#define CONTEXT  9
#define N_TOKENS 20

typedef struct {
  GoldenCase one;
  char *folder, *path;
} Fixture;

static void
set_up(Fixture *self, gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  int32_t tokens[N_TOKENS];
  golden_case_open(&self->one, name);
  for (int i = 0; i < N_TOKENS; i++)
    tokens[i] = 7 + i * 37 % 200;
  self->folder = test_temp_dir();
  self->path = g_build_filename(self->folder, "tokens.safetensors", NULL);
  const CwTensorOut tensor = { "tokens", "I32", 2, { 1, N_TOKENS }, tokens };
  g_assert_true(cw_safetensors_write(self->path, &tensor, 1, NULL, &error));
}

static void
tear_down(Fixture *self, gconstpointer name)
{
  golden_case_close(&self->one);
  test_remove_tree(self->folder);
  g_free(self->folder);
  g_free(self->path);
}

/* On rows of the text, or inside the model. `numbers` receives the means; whether it went well.
 * A device of its own each time, so that its scratch memory is asked for again. */
typedef bool (*Evaluate)(Fixture *self, CwkDevice *device, double numbers[4], GError **error);

static bool
evaluate_rows(Fixture *self, CwkDevice *device, double numbers[4], GError **error)
{
  const char *const paths[] = { self->path, NULL };
  const CwTextOptions text = { .paths = paths, .context_tokens = CONTEXT };
  const CwEvaluateRows options = { 0 };
  g_autoptr(CwActivationQuality) quality =
      cw_evaluate_text(self->one.transcoder, self->one.model, device, &text, &options, error);
  if (quality == NULL)
    return false;
  numbers[0] = quality->explained_variance;
  numbers[1] = quality->l0;
  numbers[2] = quality->slope;
  numbers[3] = quality->layers[0].decoder_norms[3];
  return true;
}

static bool
evaluate_model(Fixture *self, CwkDevice *device, double numbers[4], GError **error)
{
  const char *const paths[] = { self->path, NULL };
  const CwTextOptions text = { .paths = paths, .context_tokens = CONTEXT };
  const CwEvaluateModel options = { .has_layers = true };
  g_autoptr(CwModelQuality) quality =
      cw_evaluate_model(self->one.transcoder, self->one.model, device, &text, &options, error);
  if (quality == NULL)
    return false;
  numbers[0] = quality->cross_entropy;
  numbers[1] = quality->own_stream.kl;
  numbers[2] = quality->changed_stream.kl;
  numbers[3] = quality->layers[0].replaced.kl;
  return true;
}

/* Whether the allocation was asked for. */
static bool
run_failing_at(Fixture *self, Evaluate evaluate, int n, double numbers[4])
{
  g_autoptr(GError) error = NULL;
  CwkDevice *device = cwk_cpu_new(1);
  failing_memory_set(n);
  bool is_done = evaluate(self, device, numbers, &error);
  bool has_failed = failing_memory_take();
  if (has_failed) {
    g_assert_false(is_done);
    g_assert_error(error, CW_ERROR, CW_ERROR_NO_MEMORY);
    g_assert_cmpstr(error->message, !=, "");
  } else {
    g_assert_no_error(error);
    g_assert_true(is_done);
  }
  cwk_device_free(device);
  return has_failed;
}

static void
fail_all(Fixture *self, Evaluate evaluate)
{
  double before[4] = { 0 }, after[4] = { 0 }, none[4] = { 0 };
  int n = 0;
  g_assert_false(run_failing_at(self, evaluate, -1, before));
  while (run_failing_at(self, evaluate, n, after)) {
    g_assert_cmpmem(after, sizeof after, none, sizeof none);
    n++;
  }
  g_test_message("%d allocations, each failed once", n);
  g_assert_cmpint(n, >, 20);
  g_assert_cmpmem(before, sizeof before, after, sizeof after);
}

static void
test_rows(Fixture *self, gconstpointer name)
{
  fail_all(self, evaluate_rows);
}

static void
test_model(Fixture *self, gconstpointer name)
{
  fail_all(self, evaluate_model);
}

int
main(int argc, char **argv)
{
  static const char *const names[] = { "gpt2-clt", "gpt2-plt_skip" };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *rows = g_strconcat("/core/evaluate/no-memory/rows/", names[i], NULL);
    g_autofree char *model = g_strconcat("/core/evaluate/no-memory/model/", names[i], NULL);
    g_test_add(rows, Fixture, names[i], set_up, test_rows, tear_down);
    g_test_add(model, Fixture, names[i], set_up, test_model, tear_down);
  }
  return g_test_run();
}
