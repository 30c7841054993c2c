/* replay.c - runs a fuzz target on its seeds, on the inputs kept in corpus/, and on fixed
 * mutations of all of them.
 *
 * No coverage feedback, so it finds little that is new; it keeps what was found from coming
 * back and runs the target under the sanitizers in every ordinary test run. "--write FOLDER"
 * stores the seeds for libFuzzer instead. */
#include <glib.h>
#include <string.h>

#include "fuzz.h"

#define N_MUTATIONS 12000

static uint64_t state = 0x2545f4914f6cdd1d;

static uint64_t
next(uint64_t limit)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return limit > 0 ? (state >> 11) % limit : 0;
}

/* Numbers at the edges of the fields that lengths and counts are kept in. */
static uint64_t
edge(void)
{
  static const uint64_t edges[] = { 0,          1,          0x7f,       0xff,
                                    0x7fff,     0xffff,     0x7fffffff, 0x80000000,
                                    0xffffffff, 1ull << 32, 1ull << 61, INT64_MAX,
                                    1ull << 63, UINT64_MAX, 64,         65537 };
  return edges[next(G_N_ELEMENTS(edges))] - next(3);
}

static void
mutate(GByteArray *bytes)
{
  static const size_t widths[] = { 1, 2, 4, 8 };
  static const char marks[] = "\xff{}[]\",:0-9\\ue\n"; /* and NUL */
  if (bytes->len == 0)
    return;
  guint at = (guint)next(bytes->len);
  uint64_t value = edge();
  size_t wanted = widths[next(4)]; /* apart: MIN reads its arguments twice */
  size_t width = MIN(wanted, bytes->len - at);
  switch (next(6)) {
  case 0:
    bytes->data[at] ^= (uint8_t)(1u << next(8));
    break;
  case 1:
    memcpy(bytes->data + at, &value, width);
    break;
  case 2:
    g_byte_array_remove_range(bytes, at, (guint)next(MIN(bytes->len - at, 32) + 1));
    break;
  case 3:
    g_byte_array_set_size(bytes, at);
    break;
  case 4: { /* a piece once more at the end */
    g_autofree uint8_t *piece = g_memdup2(bytes->data + at, width);
    g_byte_array_append(bytes, piece, (guint)width);
    break;
  }
  default:
    bytes->data[at] = (uint8_t)marks[next(sizeof marks)];
    break;
  }
}

static void
run(const GByteArray *bytes)
{
  /* An exact copy, so that a sanitizer sees one step too far. */
  g_autofree uint8_t *exact = g_memdup2(bytes->data, MAX(bytes->len, 1));
  LLVMFuzzerTestOneInput(exact, bytes->len);
}

/* Inputs that fuzzing found worth keeping: tests/fuzz/corpus/<target>, none for some. */
static void
add_corpus(GPtrArray *seeds)
{
  g_autoptr(GDir) folder = g_dir_open(FUZZ_CORPUS, 0, NULL);
  const char *name;
  while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(FUZZ_CORPUS, name, NULL), *data = NULL;
    gsize n;
    g_file_get_contents(path, &data, &n, &error);
    g_assert_no_error(error);
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, (const guint8 *)data, (guint)n);
    g_ptr_array_add(seeds, bytes);
  }
}

static gint
compare_contents(gconstpointer a, gconstpointer b)
{
  const GByteArray *x = *(GByteArray *const *)a, *y = *(GByteArray *const *)b;
  if (x->len != y->len)
    return x->len < y->len ? -1 : 1;
  return memcmp(x->data, y->data, x->len);
}

static void
runs_seeds_and_mutations(void)
{
  g_autoptr(GPtrArray) seeds = fuzz_make_seeds();
  add_corpus(seeds);
  g_ptr_array_sort(seeds, compare_contents); /* a folder has no order of its own */
  for (guint i = 0; i < seeds->len; i++)
    run(seeds->pdata[i]);
  for (int i = 0; i < N_MUTATIONS; i++) {
    const GByteArray *seed = seeds->pdata[next(seeds->len)];
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_byte_array_append(bytes, seed->data, seed->len);
    for (uint64_t n = 1 + next(4); n > 0; n--)
      mutate(bytes);
    run(bytes);
  }
}

static int
write_seeds(const char *folder)
{
  g_autoptr(GPtrArray) seeds = fuzz_make_seeds();
  add_corpus(seeds);
  for (guint i = 0; i < seeds->len; i++) {
    const GByteArray *seed = seeds->pdata[i];
    g_autofree char *name = g_strdup_printf("seed-%u", i);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (!g_file_set_contents(path, (const char *)seed->data, seed->len, NULL))
      return 1;
  }
  return 0;
}

int
main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "--write") == 0)
    return write_seeds(argv[2]);
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/fuzz/replay/runs-seeds-and-mutations", runs_seeds_and_mutations);
  return g_test_run();
}
