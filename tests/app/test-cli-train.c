/* test-cli-train.c - clew train: a run, killed and resumed, stopped, refused; from a store and
 * from text. */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "small-text.h"

#define N_STEPS "600"

typedef struct {
  char *folder, *split;
  char *text, *model; /* token ids, and what reads them */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
  fixture->folder = test_temp_dir();
  fixture->split = test_golden_path("training/clt/activations_split_0.safetensors");
  fixture->model = test_golden_path("attribution/llama-clt/model");
  fixture->text = g_build_filename(fixture->folder, "text.safetensors", NULL);
  small_text_write(fixture->text);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  test_remove_tree(fixture->folder);
  g_free(fixture->folder);
  g_free(fixture->split);
  g_free(fixture->model);
  g_free(fixture->text);
}

/* A run of N_STEPS on what source names; extra: one more argument, or NULL. Transfer
 * container. */
static GPtrArray *
list_arguments(const char *const *source, const char *output, const char *threads,
               const char *extra)
{
  static const char *const settings[] = {
    "--batch",
    "32",
    "--d-latent",
    "96",
    "--total-steps",
    N_STEPS,
    "--checkpoint-every-steps",
    "9",
    "--lr-warm-up-steps",
    "5",
    "--quiet",
  };
  GPtrArray *arguments = g_ptr_array_new();
  g_ptr_array_add(arguments, (gpointer) "train");
  for (; *source != NULL; source++)
    g_ptr_array_add(arguments, (gpointer)*source);
  for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
    g_ptr_array_add(arguments, (gpointer)settings[i]);
  g_ptr_array_add(arguments, (gpointer) "--output");
  g_ptr_array_add(arguments, (gpointer)output);
  g_ptr_array_add(arguments, (gpointer) "--threads");
  g_ptr_array_add(arguments, (gpointer)threads);
  g_ptr_array_add(arguments, (gpointer)extra);
  g_ptr_array_add(arguments, NULL);
  return arguments;
}

/* A signal comes after so many ms, unless they are negative. */
static Outcome *
train_on(const char *const *source, const char *output, const char *threads, const char *extra,
         int signal, int after_ms)
{
  g_autoptr(GPtrArray) arguments = list_arguments(source, output, threads, extra);
  return run_clew_signalled((const char *const *)arguments->pdata, signal, after_ms);
}

static Outcome *
train(const Fixture *fixture, const char *output, const char *threads, const char *extra,
      int signal, int after_ms)
{
  const char *const source[] = { "--activations", fixture->split, NULL };
  return train_on(source, output, threads, extra, signal, after_ms);
}

static void
assert_same_file(const char *a_folder, const char *b_folder, const char *name)
{
  g_autofree char *a_path = g_build_filename(a_folder, name, NULL);
  g_autofree char *b_path = g_build_filename(b_folder, name, NULL);
  g_autofree char *a = NULL, *b = NULL;
  gsize n_a = 0, n_b = 0;
  g_assert_true(g_file_get_contents(a_path, &a, &n_a, NULL));
  g_assert_true(g_file_get_contents(b_path, &b, &n_b, NULL));
  g_assert_cmpmem(a, n_a, b, n_b);
}

static guint
count_lines(const char *folder, const char *part)
{
  g_autofree char *path = g_build_filename(folder, "metrics.jsonl", NULL);
  g_autofree char *text = NULL;
  guint n = 0;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  for (const char *p = text; (p = strstr(p, part)) != NULL; p++)
    n++;
  return n;
}

static void
assert_same_files(const char *whole, const char *broken)
{
  static const char *const names[] = { "checkpoint-000000600/state.safetensors",
                                       "checkpoint-000000600/checkpoint.json",
                                       "transcoder/W_enc_0.safetensors",
                                       "transcoder/W_dec_2.safetensors", "settings.json" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    assert_same_file(whole, broken, names[i]);
}

static void
assert_same_run(const char *whole, const char *broken)
{
  assert_same_files(whole, broken);
  /* Lines of steps that were taken twice are there once. */
  g_assert_cmpuint(count_lines(whole, "\"lr\""), ==, count_lines(broken, "\"lr\""));
}

/* Killed at so many moments, by one and two threads in turn: the same bytes as the unbroken
 * run. A run that gets to its end all the same is compared, and another one is broken. */
static void
check_killed(const Fixture *fixture, const char *const *source, int n_kills)
{
  g_autofree char *whole = g_build_filename(fixture->folder, "whole", NULL);
  g_autofree char *broken = g_build_filename(fixture->folder, "broken", NULL);
  gint64 began = g_get_monotonic_time();
  g_autoptr(Outcome) outcome = train_on(source, whole, "2", NULL, 0, -1);
  assert_status(outcome, 0);
  int run_ms = (int)((g_get_monotonic_time() - began) / 1000);
  g_autoptr(GRand) random = g_rand_new_with_seed(17);
  int n_killed = 0;
  for (int i = 0; i < 10 * n_kills && n_killed < n_kills; i++) {
    int after_ms = g_rand_int_range(random, 1, MAX(run_ms / 2, 4));
    g_autoptr(Outcome) killed =
        train_on(source, broken, i % 2 == 0 ? "1" : "2", "--resume", SIGKILL, after_ms);
    n_killed += killed->status == 128 + SIGKILL;
    if (killed->status == 0) {
      assert_same_run(whole, broken);
      test_remove_tree(broken);
    }
  }
  g_assert_cmpint(n_killed, ==, n_kills);
  g_autoptr(Outcome) last = train_on(source, broken, "1", "--resume", 0, -1);
  assert_status(last, 0);
  assert_same_run(whole, broken);
}

static void
test_killed_and_resumed(Fixture *fixture, gconstpointer data)
{
  const char *const source[] = { "--activations", fixture->split, NULL };
  check_killed(fixture, source, 20);
}

/* The text is read some five times; --held-out-fraction keeps documents apart. */
static void
test_live_killed_and_resumed(Fixture *fixture, gconstpointer data)
{
  const char *const source[] = { "--text",
                                 fixture->text,
                                 "--model",
                                 fixture->model,
                                 "--context",
                                 "32",
                                 "--buffer",
                                 "1",
                                 "--held-out-fraction",
                                 "0.1",
                                 "--eval-every-steps",
                                 "200",
                                 "--eval-tokens",
                                 "64",
                                 NULL };
  check_killed(fixture, source, 8);
  g_autofree char *whole = g_build_filename(fixture->folder, "whole", NULL);
  g_assert_cmpuint(count_lines(whole, "held_out"), >=, 3);
}

/* ---- full disks and damage -------------------------------------------------------------- */

/* The newest file of that name in a run's checkpoints. Transfer full. */
static char *
find_in_checkpoint(const char *run, const char *name)
{
  g_autoptr(GDir) dir = g_dir_open(run, 0, NULL);
  g_autofree char *newest = NULL;
  const char *entry;
  while ((entry = g_dir_read_name(dir)) != NULL)
    if (g_str_has_prefix(entry, "checkpoint-") &&
        (newest == NULL || strcmp(entry, newest) > 0)) {
      g_free(newest);
      newest = g_strdup(entry);
    }
  g_assert_nonnull(newest);
  return g_build_filename(run, newest, name, NULL);
}

/* A checkpoint that finds no room is told of, the one before stays, and with room again the run
 * goes on to the bytes of one that had room all the time. */
static void
test_full_disk(Fixture *fixture, gconstpointer data)
{
  const char *const source[] = { "--activations", fixture->split, NULL };
  g_autofree char *whole = g_build_filename(fixture->folder, "whole", NULL);
  g_autofree char *mount = g_build_filename(fixture->folder, "disk", NULL);
  SmallDisk disk;
  small_disk_init(&disk, mount, (guint64)64 << 20);
  g_autofree char *run = g_build_filename(mount, "run", NULL);
  g_autoptr(Outcome) unbroken = train_on(source, whole, "2", NULL, 0, -1);
  assert_status(unbroken, 0);
  g_autoptr(Outcome) begun = train_on(source, run, "2", "--steps=18", 0, -1);
  assert_status(begun, 0);
  g_autofree char *state = find_in_checkpoint(run, "state.safetensors");
  g_autofree char *before = NULL, *after = NULL;
  gsize n_before = 0, n_after = 0;
  g_assert_true(g_file_get_contents(state, &before, &n_before, NULL));
  for (int i = 1; i <= 3; i++) {
    g_autoptr(GPtrArray) arguments = list_arguments(source, run, "2", "--resume");
    g_autoptr(Outcome) full = small_disk_run_squeezed(&disk, n_before / 4 * (guint64)i,
                                                      (const char *const *)arguments->pdata);
    assert_status(full, 1);
    assert_contains(full->err, "state.safetensors: cannot write");
    assert_contains(full->err, "make room");
    g_assert_true(g_file_get_contents(state, &after, &n_after, NULL));
    g_assert_cmpmem(before, n_before, after, n_after);
    g_clear_pointer(&after, g_free);
  }
  g_autoptr(Outcome) again = train_on(source, run, "1", "--resume", 0, -1);
  assert_status(again, 0);
  assert_same_files(whole, run);
  small_disk_clear(&disk);
}

/* A bit anywhere in the newest checkpoint: the file is named, the one before is taken, and the
 * run ends as if nothing had been. */
static void
test_damage_is_named(Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "state.safetensors", "checkpoint.json" };
  const char *const source[] = { "--activations", fixture->split, NULL };
  g_autofree char *whole = g_build_filename(fixture->folder, "whole", NULL);
  g_autofree char *run = g_build_filename(fixture->folder, "run", NULL);
  g_autoptr(Outcome) unbroken = train_on(source, whole, "2", NULL, 0, -1);
  assert_status(unbroken, 0);
  for (int i = 0; i < 4; i++) {
    const char *name = names[i % 2];
    g_autoptr(Outcome) begun = train_on(source, run, "2", "--steps=18", 0, -1);
    assert_status(begun, 0);
    g_autofree char *path = find_in_checkpoint(run, name), *bytes = NULL;
    gsize n = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    bytes[n * (gsize)i / 4] ^= 0x10;
    g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
    g_autoptr(Outcome) resumed = train_on(source, run, "2", "--resume", 0, -1);
    assert_status(resumed, 0);
    assert_contains(resumed->err, path);
    assert_same_files(whole, run);
    test_remove_tree(run);
  }
}

static bool
has_checkpoint(const char *run)
{
  g_autoptr(GDir) dir = g_dir_open(run, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    if (g_str_has_prefix(name, "checkpoint-"))
      return true;
  return false;
}

/* Ctrl+C saves and says how to go on. */
static void
test_stopped(Fixture *fixture, gconstpointer data)
{
  g_autofree char *run = g_build_filename(fixture->folder, "run", NULL);
  g_autoptr(Outcome) stopped = train(fixture, run, "1", NULL, SIGINT, 150);
  if (stopped->status == 0) {
    g_test_skip("the run was over before it could be stopped");
    return;
  }
  assert_status(stopped, 130);
  /* On a slow machine it may have been stopped before its first step: nothing to go on from. */
  if (has_checkpoint(run)) {
    g_autoptr(Outcome) again = train(fixture, run, "1", NULL, 0, -1);
    assert_status(again, 1);
    assert_contains(again->err, "--resume");
  }
  g_autoptr(Outcome) resumed = train(fixture, run, "1", "--resume", 0, -1);
  assert_status(resumed, 0);
}

/* What a run leaves is a transcoder that the other commands take, and can be gone on from. */
static void
test_output(Fixture *fixture, gconstpointer data)
{
  g_autofree char *run = g_build_filename(fixture->folder, "run", NULL);
  g_autofree char *transcoder = g_build_filename(run, "transcoder", NULL);
  g_autofree char *forge = g_build_filename(fixture->folder, "forge", NULL);
  g_autofree char *next = g_build_filename(fixture->folder, "next", NULL);
  g_autoptr(Outcome) trained = train(fixture, run, "1", NULL, 0, -1);
  assert_status(trained, 0);
  g_assert_cmpuint(count_lines(run, "\"lr\""), ==, 61);
  g_autoptr(Outcome) info = run_clew("info", transcoder, NULL);
  assert_status(info, 0);
  assert_contains(info->out, "96");
  g_autoptr(Outcome) converted =
      run_clew("convert", "--form", "clt-forge", transcoder, forge, NULL);
  assert_status(converted, 0);
  g_autoptr(Outcome) onward =
      run_clew("train", "--activations", fixture->split, "--output", next, "--initial", forge,
               "--batch", "32", "--d-latent", "96", "--total-steps", "3", "--quiet", NULL);
  assert_status(onward, 0);
}

/* Decoders of a run, refitted with half the rows, fit a compact file; the 16 columns here are
 * no whole blocks of 4 bits, which is said. */
static void
test_refit(Fixture *fixture, gconstpointer data)
{
  g_autofree char *run = g_build_filename(fixture->folder, "run", NULL);
  g_autofree char *refitted = g_build_filename(fixture->folder, "refitted", NULL);
  g_autofree char *compact = g_build_filename(fixture->folder, "c.safetensors", NULL);
  g_autoptr(Outcome) trained = train(fixture, run, "1", NULL, 0, -1);
  assert_status(trained, 0);
  const char *const arguments[] = {
    "refit",    "--transcoder", run,           "--activations", fixture->split,
    "--output", refitted,       "--keep-rows", "0.5",           "--batch",
    "64",       "--json",       NULL
  };
  g_autoptr(Outcome) first = run_clew_signalled(arguments, 0, -1);
  assert_status(first, 0);
  assert_contains(first->out, "rows_kept");
  g_autoptr(Outcome) again = run_clew_signalled(arguments, 0, -1);
  assert_status(again, 1);
  assert_contains(again->err, "name a new folder");
  g_autoptr(Outcome) narrow = run_clew("convert", refitted, compact, "--decoder", "q4_0", NULL);
  assert_status(narrow, 1);
  assert_contains(narrow->err, "multiples of 32");
  g_autoptr(Outcome) converted = run_clew("convert", refitted, compact, NULL);
  assert_status(converted, 0);
  g_autoptr(Outcome) info = run_clew("info", compact, NULL);
  assert_status(info, 0);
  assert_contains(info->out, "96");
}

/* Text and store exclude each other, and a run goes on with the text it began with only. */
static void
test_live_refusals(Fixture *fixture, gconstpointer data)
{
  g_autofree char *run = g_build_filename(fixture->folder, "run", NULL);
  const char *const source[] = { "--text",   fixture->text, "--model", fixture->model,
                                 "--buffer", "1",           NULL };
  g_autoptr(Outcome) neither = run_clew("train", "--output", run, NULL);
  assert_status(neither, 2);
  assert_contains(neither->err, "--text FILE...");
  g_autoptr(Outcome) both = run_clew("train", "--text", fixture->text, "--activations",
                                     fixture->split, "--output", run, NULL);
  assert_status(both, 2);
  assert_contains(both->err, "cannot be given together");
  g_autoptr(Outcome) lonely = run_clew("train", fixture->text, "--output", run, NULL);
  assert_status(lonely, 2);
  assert_contains(lonely->err, "--text");
  g_autoptr(Outcome) trained = train_on(source, run, "1", "--steps=9", 0, -1);
  assert_status(trained, 0);
  const char *const other[] = { "--text",   fixture->text, "--model", fixture->model,
                                "--buffer", "2",           NULL };
  g_autoptr(Outcome) changed = train_on(other, run, "1", "--resume", 0, -1);
  assert_status(changed, 1);
  assert_contains(changed->err, "other activations");
}

static void
test_refusals(Fixture *fixture, gconstpointer data)
{
  g_autofree char *run = g_build_filename(fixture->folder, "run", NULL);
  g_autofree char *config = g_build_filename(fixture->folder, "run.json", NULL);
  g_assert_true(g_file_set_contents(config, "{\"d_latnet\": 5}", -1, NULL));
  g_autoptr(Outcome) misspelt = run_clew("train", "--activations", fixture->split, "--output",
                                         run, "--config", config, NULL);
  assert_status(misspelt, 1);
  assert_contains(misspelt->err, "\"d_latent\" is meant");
  g_autoptr(Outcome) shape = run_clew("train", "--activations", fixture->split, "--output", run,
                                      "--n-layers", "5", NULL);
  assert_status(shape, 1);
  assert_contains(shape->err, "4 layers");
  g_autoptr(Outcome) absent =
      run_clew("train", "--activations", "/nowhere", "--output", run, NULL);
  assert_status(absent, 1);
  assert_contains(absent->err, "/nowhere");
  g_autoptr(Outcome) held_out =
      run_clew("train", "--activations", fixture->split, "--output", run, "--held-out-fraction",
               "0.01", "--batch", "32", "--d-latent", "8", NULL);
  assert_status(held_out, 1);
  assert_contains(held_out->err, "held-out");
  g_assert_false(has_checkpoint(run));
  g_autoptr(Outcome) help = run_clew("train", "--help", NULL);
  assert_status(help, 0);
  assert_contains(help->out, "--jumprelu-bandwidth");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define ADD(name, test) \
  g_test_add("/app/cli-train/" name, Fixture, NULL, set_up, test, tear_down)
  ADD("killed-and-resumed", test_killed_and_resumed);
  ADD("live-killed-and-resumed", test_live_killed_and_resumed);
  ADD("live-refusals", test_live_refusals);
  ADD("full-disk", test_full_disk);
  ADD("damage-is-named", test_damage_is_named);
  ADD("stopped", test_stopped);
  ADD("output", test_output);
  ADD("refit", test_refit);
  ADD("refusals", test_refusals);
#undef ADD
  return g_test_run();
}
