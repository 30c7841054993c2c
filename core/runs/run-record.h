/* run-record.h - the two small files that say what a run is and what its worker is at. */
#pragma once

#include "cw-runs.h"

/* ---- run.json -------------------------------------------------------------------------- */

typedef struct {
  CwRunKind kind;
  char **arguments; /* NULL: not known */
  char *program;    /* version; NULL: not known */
  int64_t created_s;
} CwRunPlan;

void cw_run_plan_clear(CwRunPlan *plan);
/* Writes run.json, whole or not at all. */
bool cw_run_plan_write(const char *folder, CwRunKind kind, const char *const *arguments,
                       GError **error);
/* Reads run.json. A training without one, of a program that wrote none, is told by its
 * settings. Errors name the file and what is wrong in it. */
bool cw_run_plan_read(const char *folder, CwRunPlan *plan, GError **error);
/* The worker's --output, relative to the folder. */
const char *cw_run_kind_output(CwRunKind kind);

/* ---- worker.json ----------------------------------------------------------------------- */

/* What a worker says of itself. The file has this many bytes whatever it says, so that it can
 * be written over in place where the disk is full. */
#define CW_RUN_PULSE_BYTES 4096

typedef struct {
  int64_t pid;       /* 0: a launcher has the lock, its worker is not up yet */
  int64_t pid_start; /* of that process in clock ticks since the system started */
  char *host;
  char *phase;                   /* NULL: nothing yet */
  double fraction, seconds_left; /* NaN: not known */
  int64_t ended_s;               /* 0: it has not ended */
  int exit_status;
  char *reason; /* why it ended so; NULL */
} CwRunPulse;

void cw_run_pulse_clear(CwRunPulse *pulse);
/* Writes over the file in place; false with errno. */
bool cw_run_pulse_write(int fd, const CwRunPulse *pulse);
/* `text` is what the file holds. False where that is no pulse, *pulse then being untouched. */
bool cw_run_pulse_parse(const char *text, size_t n_bytes, CwRunPulse *pulse);
/* A new pulse of this process, or where it is_launching of one to come. */
void cw_run_pulse_init(CwRunPulse *pulse, bool is_launching);
/* Start of a process in clock ticks since the system's, 0: there is none such. */
int64_t cw_run_process_start(int64_t pid);

/* ---- request --------------------------------------------------------------------------- */

typedef enum { CW_RUN_ASKED_NOTHING, CW_RUN_ASKED_PAUSE, CW_RUN_ASKED_STOP } CwRunAsked;

CwRunAsked cw_run_asked_read(const char *folder);
/* Where it cannot be written, stopping works all the same and a pause shows as stopped. */
void cw_run_asked_write(const char *folder, CwRunAsked asked);
