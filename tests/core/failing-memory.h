/* failing-memory.h - allocations that fail when a test says so.
 *
 * A program that has failing-memory.c is linked with --wrap for each of its functions, see
 * tests/core/meson.build: the core's and the kernels' calls come here. GLib's own calls abort
 * the program when they fail and are not among them: nothing sized by input may use those. */
#pragma once

#include <stdbool.h>

/* Lets the allocation fail that comes after n more; negative: none. */
void failing_memory_set(int n);
/* Whether it was asked for, and failed; none fails from then on. */
bool failing_memory_take(void);
