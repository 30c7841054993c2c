/* test-cli-cache.c - clew cache: killed at any moment, on a full disk, damaged, in parts. */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "cw-activations.h"
#include "small-text.h"

#define DISK_BYTES ((guint64)8 << 20)

typedef struct {
  char *folder, *text, *model, *cache;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
  fixture->folder = test_temp_dir();
  fixture->model = test_golden_path("attribution/llama-clt/model");
  fixture->text = g_build_filename(fixture->folder, "text.safetensors", NULL);
  fixture->cache = g_build_filename(fixture->folder, "cache", NULL);
  small_text_write(fixture->text);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  test_remove_tree(fixture->folder);
  g_free(fixture->folder);
  g_free(fixture->model);
  g_free(fixture->text);
  g_free(fixture->cache);
}

/* Some twenty batches, an eighth of the documents held out. Transfer container. */
static GPtrArray *
list_arguments(const Fixture *fixture, const char *output, const char *threads,
               const char *extra)
{
  const char *const words[] = {
    "cache",    "--model",    fixture->model, "--text",  fixture->text,
    "--output", output,       "--batch",      "200",     "--threads",
    threads,    "--held-out", "0.125",        "--quiet", extra,
  };
  GPtrArray *arguments = g_ptr_array_new();
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
    g_ptr_array_add(arguments, (gpointer)words[i]);
  g_ptr_array_add(arguments, NULL);
  return arguments;
}

static Outcome *
cache(const Fixture *fixture, const char *output, const char *threads, const char *extra,
      int signal, int after_ms)
{
  g_autoptr(GPtrArray) arguments = list_arguments(fixture, output, threads, extra);
  return run_clew_signalled((const char *const *)arguments->pdata, signal, after_ms);
}

/* ---- killed ----------------------------------------------------------------------------- */

/* A run that was killed behind its last byte is told so; what it left is whole. */
static bool
is_done(const Outcome *outcome)
{
  return outcome->status == 0 ||
         (outcome->status == 1 && strstr(outcome->err, "this cache is finished") != NULL);
}

/* Killed at twenty moments, by one and two threads in turn: the files of the unbroken run and
 * no others. */
static void
test_killed_and_started_again(Fixture *fixture, gconstpointer data)
{
  g_autofree char *broken = g_build_filename(fixture->folder, "broken", NULL);
  gint64 began = g_get_monotonic_time();
  g_autoptr(Outcome) whole = cache(fixture, fixture->cache, "2", NULL, 0, -1);
  assert_status(whole, 0);
  int run_ms = (int)((g_get_monotonic_time() - began) / 1000);
  g_autoptr(GRand) random = g_rand_new_with_seed(23);
  int n_killed = 0, n_done = 0;
  for (int i = 0; i < 400 && n_killed < 20; i++) {
    int after_ms = g_rand_int_range(random, 1, MAX(run_ms, 4));
    g_autoptr(Outcome) outcome =
        cache(fixture, broken, i % 2 == 0 ? "1" : "2", NULL, SIGKILL, after_ms);
    n_killed += outcome->status == 128 + SIGKILL;
    if (outcome->status == 128 + SIGKILL)
      continue;
    g_assert_true(is_done(outcome));
    n_done++;
    assert_same_folder(fixture->cache, broken);
    test_remove_tree(broken);
  }
  g_assert_cmpint(n_killed, ==, 20);
  g_autoptr(Outcome) last = cache(fixture, broken, "1", NULL, 0, -1);
  g_assert_true(is_done(last));
  assert_same_folder(fixture->cache, broken);
  g_test_message("%d runs were killed, %d came to their end", n_killed, n_done + 1);
}

/* A run that was killed while it wrote a small file aside leaves that behind. */
static void
test_leftovers_go(Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { ".unfinished.json.Ab12xY", ".manifest.json.000000",
                                       ".frames-0000.index.zzzzzz" };
  g_autofree char *broken = g_build_filename(fixture->folder, "broken", NULL);
  g_assert_cmpint(g_mkdir(broken, 0777), ==, 0);
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(broken, names[i], NULL);
    g_assert_true(g_file_set_contents(path, "{", 1, NULL));
  }
  g_autoptr(Outcome) whole = cache(fixture, fixture->cache, "2", NULL, 0, -1);
  assert_status(whole, 0);
  g_autoptr(Outcome) again = cache(fixture, broken, "2", NULL, 0, -1);
  assert_status(again, 0);
  assert_same_folder(fixture->cache, broken);
}

/* ---- a full disk ------------------------------------------------------------------------ */

/* Whatever room there is, the message says which file and what to do, and with room again the
 * same command goes on to the same bytes. */
static void
test_full_disk(Fixture *fixture, gconstpointer data)
{
  g_autoptr(Outcome) whole = cache(fixture, fixture->cache, "1", NULL, 0, -1);
  assert_status(whole, 0);
  g_autofree char *frames = g_build_filename(fixture->cache, "frames-0000.bin", NULL);
  GStatBuf facts;
  g_assert_cmpint(g_stat(frames, &facts), ==, 0);
  g_autofree char *mount = g_build_filename(fixture->folder, "disk", NULL);
  SmallDisk disk;
  small_disk_init(&disk, mount, DISK_BYTES);
  g_autofree char *output = g_build_filename(mount, "cache", NULL);
  g_autoptr(GPtrArray) arguments = list_arguments(fixture, output, "2", NULL);
  for (int i = 0; i < 3; i++) {
    g_autoptr(Outcome) full = small_disk_run_squeezed(&disk, (guint64)facts.st_size / 5,
                                                      (const char *const *)arguments->pdata);
    assert_status(full, 1);
    assert_contains(full->err, output);
    assert_contains(full->err, "make room");
  }
  g_autoptr(Outcome) again = cache(fixture, output, "2", NULL, 0, -1);
  assert_status(again, 0);
  assert_same_folder(fixture->cache, output);
  small_disk_clear(&disk);
}

/* ---- damage ----------------------------------------------------------------------------- */

#define N_FLIPS 23

/* A bit anywhere in any file of a cache. */
static void
test_damage_is_named(Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "manifest.json", "frames-0000.index",
                                       "frames-0000.bin" };
  g_autoptr(Outcome) whole = cache(fixture, fixture->cache, "1", NULL, 0, -1);
  assert_status(whole, 0);
  g_autoptr(Outcome) sound = run_clew("info", fixture->cache, NULL);
  assert_status(sound, 0);
  for (size_t k = 0; k < G_N_ELEMENTS(names); k++) {
    g_autofree char *path = g_build_filename(fixture->cache, names[k], NULL);
    g_autofree char *bytes = NULL;
    gsize n = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    for (gsize at = 0; at < n; at += n / N_FLIPS + 1) {
      bytes[at] ^= 0x10;
      g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
      g_autoptr(Outcome) outcome = run_clew("info", fixture->cache, NULL);
      if (outcome->status != 1 || strstr(outcome->err, names[k]) == NULL)
        g_error("%s, byte %d flipped: status %d, %s", names[k], (int)at, outcome->status,
                outcome->err);
      bytes[at] ^= 0x10;
    }
    g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
  }
}

/* ---- parts ------------------------------------------------------------------------------ */

/* Every token of the text once, by document and place. */
static void
assert_has_every_row(const char *path, gint64 n_expected)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwActivations) activations = cw_activations_open(path, &error);
  g_assert_no_error(error);
  int64_t n = cw_activations_peek_config(activations)->n_rows;
  g_assert_cmpint(n, ==, n_expected);
  g_autofree int64_t *documents = g_new(int64_t, (gsize)n);
  g_autofree int64_t *places = g_new(int64_t, (gsize)n);
  bool seen[SMALL_TEXT_DOCUMENTS][SMALL_TEXT_TOKENS] = { { false } };
  cw_activations_read_places(activations, 0, n, documents, places, &error);
  g_assert_no_error(error);
  for (int64_t r = 0; r < n; r++) {
    g_assert_false(seen[documents[r]][places[r]]);
    seen[documents[r]][places[r]] = true;
  }
}

/* Parts made by one and by two threads, one of them killed on the way, join to the same cache,
 * which has the rows of the one that was made at once. */
static void
test_parts_join(Fixture *fixture, gconstpointer data)
{
  char *joined[2];
  for (int i = 0; i < 2; i++) {
    g_autofree char *name = g_strdup_printf("parts-%d", i);
    g_autofree char *parts = g_build_filename(fixture->folder, name, NULL);
    const char *threads = i == 0 ? "1" : "2";
    for (int job = 0; job < 3; job++) {
      g_autofree char *option = g_strdup_printf("--job=%d/3", job);
      g_autoptr(Outcome) cut = cache(fixture, parts, threads, option, SIGKILL, 10 + 20 * job);
      g_autoptr(Outcome) part = cache(fixture, parts, threads, option, 0, -1);
      g_assert_true(is_done(part));
      g_assert_true(cut->status == 0 || cut->status == 128 + SIGKILL);
    }
    g_autofree char *first = g_build_filename(parts, "part-0-of-3", NULL);
    g_autofree char *second = g_build_filename(parts, "part-1-of-3", NULL);
    g_autofree char *third = g_build_filename(parts, "part-2-of-3", NULL);
    joined[i] = g_build_filename(parts, "joined", NULL);
    g_autoptr(Outcome) outcome =
        run_clew("cache", "--join", first, second, third, "--output", joined[i], NULL);
    assert_status(outcome, 0);
    g_autoptr(Outcome) info = run_clew("info", joined[i], NULL);
    assert_status(info, 0);
  }
  assert_same_folder(joined[0], joined[1]);
  g_autoptr(Outcome) whole = cache(fixture, fixture->cache, "2", NULL, 0, -1);
  assert_status(whole, 0);
  g_autoptr(GError) error = NULL;
  g_autoptr(CwActivations) opened = cw_activations_open(fixture->cache, &error);
  g_assert_no_error(error);
  assert_has_every_row(joined[0], cw_activations_peek_config(opened)->n_rows);
  g_free(joined[0]);
  g_free(joined[1]);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define ADD(name, test) \
  g_test_add("/app/cli-cache/" name, Fixture, NULL, set_up, test, tear_down)
  ADD("killed-and-started-again", test_killed_and_started_again);
  ADD("leftovers-go", test_leftovers_go);
  ADD("full-disk", test_full_disk);
  ADD("damage-is-named", test_damage_is_named);
  ADD("parts-join", test_parts_join);
#undef ADD
  return g_test_run();
}
