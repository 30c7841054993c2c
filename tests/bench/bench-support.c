/* bench-support.c - see bench-support.h. */
#include "bench-support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void
bench_run_clear(BenchRun *run)
{
  g_clear_pointer(&run->report, json_node_unref);
  g_clear_pointer(&run->line, g_free);
}

static char *
read_all(int fd)
{
  GString *text = g_string_new(NULL);
  char buffer[4096];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0)
    g_string_append_len(text, buffer, n);
  close(fd);
  return g_string_free(text, FALSE);
}

static JsonNode *
last_line_json(const char *text, char **line, GError **error)
{
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = g_strv_length(lines); i > 0; i--)
    if (lines[i - 1][0] == '{') {
      *line = g_strdup(lines[i - 1]);
      return json_from_string(*line, error);
    }
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "the process reported nothing: %s", text);
  return NULL;
}

/* CPU seconds of the whole machine so far: user, nice, system and interrupts. */
static double
machine_cpu_seconds(void)
{
  g_autofree char *text = NULL;
  unsigned long long user, nice, system, idle, wait, irq, softirq;
  if (!g_file_get_contents("/proc/stat", &text, NULL, NULL) ||
      sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle,
             &wait, &irq, &softirq) != 7)
    return NAN;
  return (double)(user + nice + system + irq + softirq) / (double)sysconf(_SC_CLK_TCK);
}

bool
bench_run(const char *const *argv, BenchRun *run, GError **error)
{
  GPid pid;
  int out;
  double machine_start = machine_cpu_seconds();
  gint64 start = g_get_monotonic_time();
  if (!g_spawn_async_with_pipes(NULL, (char **)argv, NULL,
                                G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, NULL, NULL,
                                &pid, NULL, &out, NULL, error))
    return false;
  g_autofree char *text = read_all(out);
  struct rusage usage;
  int status;
  if (wait4(pid, &status, 0, &usage) != pid || status != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s failed: %s", argv[0], text);
    return false;
  }
  run->wall_seconds = (double)(g_get_monotonic_time() - start) * 1e-6;
  run->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
  run->others_cpu_seconds = MAX(0, machine_cpu_seconds() - machine_start - run->cpu_seconds);
  run->peak_mebibytes = (double)usage.ru_maxrss / 1024;
  run->report = last_line_json(text, &run->line, error);
  return run->report != NULL;
}

double
bench_relative_difference(const char *path_a, const char *path_b)
{
  g_autofree char *a = NULL, *b = NULL;
  gsize n_a, n_b;
  if (!g_file_get_contents(path_a, &a, &n_a, NULL) ||
      !g_file_get_contents(path_b, &b, &n_b, NULL) || n_a != n_b || n_a == 0)
    return NAN;
  double difference = 0, largest = 0;
  for (gsize at = 0; at + 4 <= n_a; at += 4) {
    float x, y;
    memcpy(&x, a + at, 4);
    memcpy(&y, b + at, 4);
    difference = MAX(difference, fabs((double)x - (double)y));
    largest = MAX(largest, fabs((double)y));
  }
  return difference / largest;
}

static int
compare_doubles(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double
bench_median(double *values, size_t n)
{
  qsort(values, n, sizeof *values, compare_doubles);
  return n % 2 != 0 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

double
bench_minimum(const double *values, size_t n)
{
  double least = INFINITY;
  for (size_t i = 0; i < n; i++)
    least = MIN(least, values[i]);
  return least;
}

/* A line "VmRSS:   1234 kB" of /proc/self/status, in MiB. */
static double
read_status(const char *name)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL))
    return NAN;
  const char *line = strstr(text, name);
  return line != NULL ? g_ascii_strtod(line + strlen(name), NULL) / 1024 : NAN;
}

bool
bench_memory_mark(BenchMemory *memory)
{
  /* Writing 5 resets the high-water mark of resident memory. */
  FILE *refs = fopen("/proc/self/clear_refs", "w");
  bool is_reset = refs != NULL && fputs("5", refs) >= 0;
  if (refs != NULL)
    is_reset = fclose(refs) == 0 && is_reset;
  memory->at_start = read_status("VmRSS:");
  return is_reset;
}

bool
bench_memory_peak(const BenchMemory *memory, double *peak, double *growth)
{
  *peak = read_status("VmHWM:");
  *growth = *peak - memory->at_start;
  return !isnan(*peak);
}

/* The commit of the sources, "-dirty" behind it if they have changes; "unknown" without git. */
static char *
describe_commit(void)
{
  const char *argv[] = {
    "git", "-C", BENCH_SOURCE_DIR, "describe", "--always", "--dirty", NULL
  };
  g_autofree char *out = NULL;
  int status;
  if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL,
                    &status, NULL) ||
      status != 0)
    return g_strdup("unknown");
  return g_strdup(g_strstrip(out));
}

char *
bench_describe_machine(void)
{
  g_autofree char *cpuinfo = NULL;
  const char *name = "unknown CPU";
  if (g_file_get_contents("/proc/cpuinfo", &cpuinfo, NULL, NULL)) {
    char *line = strstr(cpuinfo, "model name");
    char *colon = line != NULL ? strchr(line, ':') : NULL;
    if (colon != NULL) {
      colon[strcspn(colon, "\n")] = 0;
      name = colon + 2;
    }
  }
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();
  g_autofree char *date = g_date_time_format(now, "%F");
  double load[1] = { 0 };
  (void)!getloadavg(load, 1);
  g_autofree char *commit = describe_commit();
  return g_strdup_printf("%s, %ld cores, load %.1f, %s, commit %s", name,
                         sysconf(_SC_NPROCESSORS_ONLN), load[0], date, commit);
}
