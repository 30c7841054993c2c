/* run.h - what one run of a command works with: its arguments, the flag that Ctrl+C raises, the
 * progress display, the record for windows that watch it, and the device. */
#pragma once

#include "arguments.h"
#include "cw-runs.h"
#include "progress.h"

typedef struct {
  const CwaArguments *arguments;
  CwCancel *cancel;
  CwaProgress *progress; /* draws nothing under --quiet */
  CwProgress reports;    /* the same, as the core takes it, and to the record */
  CwRunWorker *worker;   /* keeps the record; NULL: nobody watches this run */
  CwkDevice *device;     /* NULL until cwa_run_open_device */
} CwaRun;

/* Opens the device that --device and --threads ask for; true at once if it is open. "auto"
 * is the CPU. */
bool cwa_run_open_device(CwaRun *run, GError **error);

/* Keeps a record of this run in a folder, for windows to watch it and go on with it. Nothing is
 * done where a window has started it and so has a record. The option that names the folder, and
 * --resume, are left out of what is recorded. */
bool cwa_run_begin_record(CwaRun *run, CwRunKind kind, const char *folder_option,
                          GError **error);

/* Fails unless `path` can be created: its folder exists and can be written to. For commands to
 * call before hours of work. */
bool cwa_run_check_output(const char *path, GError **error);

/* The ending of a path without its dot, lower-case letters as they are; "" without one. */
const char *cwa_run_peek_ending(const char *path);
/* CWA_USAGE_ERROR unless the path's ending is one of `endings`, separated by spaces. */
bool cwa_run_check_ending(const char *path, const char *endings, GError **error);
