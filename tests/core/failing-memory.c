/* failing-memory.c - see failing-memory.h. */
#include "failing-memory.h"

#include <errno.h>
#include <glib.h>

#define FALLIBLE(name, parameters, arguments)            \
  gpointer __real_##name parameters;                     \
  gpointer __wrap_##name parameters;                     \
  gpointer __wrap_##name parameters                      \
  {                                                      \
    return fails_now() ? NULL : __real_##name arguments; \
  }

/* Threads ask for memory too: the counter is one for all. */
static gint n_until_failure = -1;
static gint has_failed = 0;

static bool
fails_now(void)
{
  if (g_atomic_int_get(&n_until_failure) < 0)
    return false;
  bool is_this = g_atomic_int_add(&n_until_failure, -1) == 0;
  if (is_this)
    g_atomic_int_set(&has_failed, 1);
  return is_this;
}

void
failing_memory_set(int n)
{
  g_atomic_int_set(&has_failed, 0);
  g_atomic_int_set(&n_until_failure, n);
}

bool
failing_memory_take(void)
{
  bool was_asked = g_atomic_int_get(&has_failed) != 0;
  failing_memory_set(-1);
  return was_asked;
}

FALLIBLE(g_try_malloc, (gsize n), (n))
FALLIBLE(g_try_malloc0, (gsize n), (n))
FALLIBLE(g_try_malloc_n, (gsize n, gsize size), (n, size))
FALLIBLE(g_try_malloc0_n, (gsize n, gsize size), (n, size))
FALLIBLE(g_try_realloc, (gpointer old, gsize n), (old, n))
FALLIBLE(g_try_realloc_n, (gpointer old, gsize n, gsize size), (old, n, size))

int __real_posix_memalign(void **memory, size_t alignment, size_t n_bytes);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t n_bytes);

int
__wrap_posix_memalign(void **memory, size_t alignment, size_t n_bytes)
{
  return fails_now() ? ENOMEM : __real_posix_memalign(memory, alignment, n_bytes);
}
