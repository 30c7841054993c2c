/* test-cli-eval.c - clew eval: its report, what it refuses, and that it leaves no half file. */
#include <glib/gstdio.h>
#include <string.h>

#include "cw-tensor-file.h"
#include "program.h"
#include "test-schema.h"

typedef struct {
  char *folder, *report, *split, *transcoder;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
  self->folder = test_temp_dir();
  self->report = g_build_filename(self->folder, "report.json", NULL);
  self->split = test_golden_path("training/clt/activations_split_0.safetensors");
  self->transcoder = test_golden_path("training/clt/initial");
}

static void
tear_down(Fixture *self, gconstpointer data)
{
  test_remove_tree(self->folder);
  g_free(self->folder);
  g_free(self->report);
  g_free(self->split);
  g_free(self->transcoder);
}

/* The report on stdout, in the file, and as text say the same. */
static void
test_activations(Fixture *self, gconstpointer data)
{
  g_autoptr(Outcome) json =
      run_clew("eval", "--transcoder", self->transcoder, "--activations", self->split, "--part",
               "all", "--output", self->report, "--json", "--quiet", NULL);
  assert_status(json, 0);
  test_schema_check("evaluation.schema.json", json->out);
  g_autofree char *file = NULL;
  g_assert_true(g_file_get_contents(self->report, &file, NULL, NULL));
  g_assert_cmpstr(file, ==, json->out);
  assert_contains(json->out, "\"n_layers\" : 4");
  g_autofree char *page = g_build_filename(self->folder, "page.svg", NULL);
  g_autofree char *drawn = NULL;
  g_autoptr(Outcome) text =
      run_clew("eval", "--transcoder", self->transcoder, "--activations", self->split, "--part",
               "all", "--threads", "1", "--plot", page, NULL);
  assert_status(text, 0);
  g_assert_true(g_file_get_contents(page, &drawn, NULL, NULL));
  assert_contains(drawn, "Explained variance");
  assert_contains(drawn, "Firing rates");
  assert_contains(text->out, "Explained variance");
  assert_contains(text->out, "4 layers of 40 features");
}

/* Text given as token ids: rows and predictions by the small model itself. */
static void
test_text(Fixture *self, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *model = test_golden_path("attribution/gpt2-clt/model");
  g_autofree char *transcoder = test_golden_path("attribution/gpt2-clt/transcoder");
  g_autofree char *text = g_build_filename(self->folder, "tokens.safetensors", NULL);
  int32_t tokens[2][20];
  for (int i = 0; i < 40; i++)
    tokens[i / 20][i % 20] = 7 + i * 37 % 200;
  const CwTensorOut tensor = { "tokens", "I32", 2, { 2, 20 }, tokens };
  g_assert_true(cw_safetensors_write(text, &tensor, 1, NULL, &error));
  g_autoptr(Outcome) json =
      run_clew("eval", "--transcoder", transcoder, "--model", model, "--text", text,
               "--context", "10", "--each-layer", "--json", "--quiet", NULL);
  assert_status(json, 0);
  test_schema_check("evaluation.schema.json", json->out);
  assert_contains(json->out, "\"n_windows\" : 4");
  g_autoptr(Outcome) table =
      run_clew("eval", "--transcoder", transcoder, "--model", model, "--text", text,
               "--context", "10", "--predictions", "5", "--quiet", NULL);
  assert_status(table, 0);
  assert_contains(table->out, "8 predictions");
  assert_contains(table->out, "changed stream");
  g_autoptr(Outcome) other = run_clew("eval", "--transcoder", self->transcoder, "--model",
                                      model, "--text", text, NULL);
  assert_status(other, 1);
  assert_contains(other->err, "4 layers of width 16");
  assert_contains(other->err, "3 layers of width 32");
}

static void
test_refusals(Fixture *self, gconstpointer data)
{
  g_autoptr(Outcome) nothing = run_clew("eval", "--transcoder", self->transcoder, NULL);
  assert_status(nothing, 2);
  assert_contains(nothing->err, "--activations PATH");
  g_autoptr(Outcome) held_out =
      run_clew("eval", "--transcoder", self->transcoder, "--activations", self->split, NULL);
  assert_status(held_out, 1);
  assert_contains(held_out->err, self->split);
  assert_contains(held_out->err, "nothing apart");
  g_autoptr(Outcome) no_text = run_clew("eval", "--transcoder", self->transcoder,
                                        "--activations", self->split, "--each-layer", NULL);
  assert_status(no_text, 2);
  assert_contains(no_text->err, "--text FILE");
  g_autoptr(Outcome) plot = run_clew("eval", "--transcoder", self->transcoder, "--activations",
                                     self->split, "--plot", "page.gif", NULL);
  assert_status(plot, 2);
  g_autoptr(Outcome) ending =
      run_clew("eval", "--transcoder", self->transcoder, "--activations", self->split, "--part",
               "all", "--output", "report.txt", NULL);
  assert_status(ending, 2);
  g_autofree char *other = test_golden_path("attribution/gpt2-clt/transcoder");
  g_autoptr(Outcome) shapes = run_clew("eval", "--transcoder", other, "--activations",
                                       self->split, "--part", "all", "-o", self->report, NULL);
  assert_status(shapes, 1);
  assert_contains(shapes->err, "3 layers of width 32");
  g_assert_false(g_file_test(self->report, G_FILE_TEST_EXISTS));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define ADD(name, test) \
  g_test_add("/app/cli-eval/" name, Fixture, NULL, set_up, test, tear_down)
  ADD("activations", test_activations);
  ADD("text", test_text);
  ADD("refusals", test_refusals);
#undef ADD
  return g_test_run();
}
