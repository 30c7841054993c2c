/* bench-support.h - runs two sides of a comparison as processes of their own, and times them.
 *
 * Each side prints one line of JSON as its last; the driver adds wall time, CPU time and peak
 * memory of the whole process, which is what a user waits for and pays. */
#pragma once

#include "cw-base.h"

#include <json-glib/json-glib.h>

typedef struct {
  double wall_seconds, cpu_seconds, peak_mebibytes;
  double others_cpu_seconds; /* what everything else on the machine took meanwhile */
  char *line;                /* the side's own line */
  JsonNode *report;          /* the same, parsed */
} BenchRun;

void bench_run_clear(BenchRun *run);
/* argv NULL-terminated. Prints stderr through; false if the process fails or reports nothing.
 */
bool bench_run(const char *const *argv, BenchRun *run, GError **error);

/* Reads two files of f32 and gives the largest |a - b| over the largest |b|; NaN if the sizes
 * differ. */
double bench_relative_difference(const char *path_a, const char *path_b);

double bench_median(double *values, size_t n);
double bench_minimum(const double *values, size_t n);

/* Of this process, since bench_memory_mark: the most it held at once, in MiB, in all and beyond
 * what it held at the mark. False where the system does not say. */
typedef struct {
  double at_start;
} BenchMemory;
bool bench_memory_mark(BenchMemory *memory);
bool bench_memory_peak(const BenchMemory *memory, double *peak, double *growth);

/* "AMD EPYC, 2 cores, load 0.1, 2026-11-24, commit abc" for RESULTS.md; to be called before the
 * bench makes a load of its own. Transfer full. */
char *bench_describe_machine(void);
