/* test-support.h - where test data lies, and how numbers are compared. */
#pragma once

#include "cw-base.h"

/* tests/golden/<rest>, tests/broken/<rest>; transfer full. */
char *test_golden_path(const char *rest);
char *test_broken_path(const char *rest);
/* A file of the folder beside the project (real graphs, a small CLT); if it is absent the
 * calling test is skipped with that reason and NULL returned. */
char *test_shared_path_or_skip(const char *rest);
/* The SmolLM2 GGUF that packaging/start fetches; skips like the above. */
char *test_smollm2_path_or_skip(void);
/* A new empty folder, and its removal with all that is in it. */
char *test_temp_dir(void);
void test_remove_tree(const char *path);

/* Processor time of all threads of this program so far. */
double test_process_cpu_ms(void);

/* Largest |a - b|, NaN if any is NaN or infinite. */
double test_max_difference(const float *a, const float *b, size_t n);
double test_max_abs(const float *a, size_t n);

/* A file of n token ids (a multiple of 100) that the small golden model knows: "tokens",
 * [n / 100, 100]. Transfer full. */
char *test_write_token_ids(const char *folder, int64_t n);
