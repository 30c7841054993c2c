/* cw-runs.h - runs of the command line program as folders: started, watched, paused, ended.
 *
 * A run is a folder; `clew cache`, `clew train` or `clew eval` is at work in it as a process of
 * its own that outlives whoever started it. Pipes to a worker would end with the window; so
 * what a run is follows from the folder alone, and any number of windows, and a terminal, see
 * the same:
 *
 *   run.json        kind, arguments, program version, when it was made
 *   worker.json     held locked by the worker for its lifetime: its process, how far it is,
 *                   and at the end its exit status and why. The lock dies with the process;
 *                   one that died without an end in the file was killed
 *   request         "pause" or "stop", while that is asked of the worker
 *   log.txt         its standard output and error
 *   metrics.jsonl   a line of JSON each few steps or seconds
 *   the result      cache/ of a cache, transcoder/ and checkpoint-<step>/ of a training,
 *                   report.json and its charts page.png of an evaluation
 *
 * The folder may be moved or copied: nothing in it holds its own path. `clew train` started by
 * hand keeps the same record in its --output.
 *
 * Functions block for a few small files only and are meant for the main thread, twice a second,
 * unless they say otherwise. One CwRuns belongs to one thread. */
#pragma once

#include "cw-base.h"

G_BEGIN_DECLS

/* The charts of an evaluation, beside its report. */
#define CW_RUN_PAGE_FILE "page.png"

typedef enum { CW_RUN_CACHE, CW_RUN_TRAINING, CW_RUN_EVALUATION } CwRunKind;

typedef enum {
  CW_RUN_WAITING,  /* started, the worker has not said a word yet */
  CW_RUN_RUNNING,  /* the worker is at it */
  CW_RUN_STOPPING, /* the worker was asked to pause or stop and is saving */
  CW_RUN_PAUSED,   /* saved on "pause"; its memory is given back */
  CW_RUN_STOPPED,  /* saved on "stop" or Ctrl+C; can be resumed all the same */
  CW_RUN_FINISHED, /* done, its result is there */
  CW_RUN_FAILED,   /* ended with an error: `reason` */
  CW_RUN_DEAD,     /* the worker is gone without a word: killed, out of memory, power loss */
  CW_RUN_DAMAGED   /* the folder cannot be understood: `reason` names file and cause */
} CwRunState;

/* What may be asked of a run now. */
typedef enum {
  CW_RUN_CAN_PAUSE = 1 << 0,  /* not an evaluation: it would begin anew */
  CW_RUN_CAN_STOP = 1 << 1,   /* saves */
  CW_RUN_CAN_KILL = 1 << 2,   /* at once; what was not saved is lost */
  CW_RUN_CAN_RESUME = 1 << 3, /* goes on where it was saved; an evaluation begins anew */
  CW_RUN_CAN_DELETE = 1 << 4  /* no worker is in it */
} CwRunActions;

/* What a run is at this moment. Strings belong to the run, until its next refresh. */
typedef struct {
  const char *folder; /* absolute, as it is listed */
  const char *name;   /* of the folder, in the list */
  bool is_added; /* lies elsewhere and was added to the list; delete takes it off it only */
  CwRunKind kind;
  CwRunState state;
  unsigned actions; /* CwRunActions */
  /* FAILED: the worker's message; DEAD, DAMAGED: what is known. Else NULL. */
  const char *reason;
  const char *version;          /* of the program that made it; NULL: not known */
  const char *const *arguments; /* behind `clew train`, NULL-terminated; NULL: not known */
  int64_t created_s, ended_s;   /* Unix time, 0: not known, not ended */
  int64_t pid;                  /* of the worker, 0: there is none */
  const char *host;             /* where the worker runs or ran; NULL: not known */
  int exit_status;              /* of the last worker, -1: none has ended */
  const char *phase;            /* what the worker says it is at; NULL: nothing yet */
  double fraction;              /* of the phase, 0..1; NaN: not known */
  double seconds_left;          /* NaN: not known, or no worker is at it */
  /* What it made, absolute; NULL where it is not there (yet): a finished cache, a transcoder, a
   * report. Before its end a training has checkpoints: cw_train_open_transcoder, and so
   * attribution and evaluation, take `folder` as soon as there is one. */
  const char *result;
} CwRunFacts;

/* One thing that changes over a run. x ascends: steps of a training, seconds of work on a
 * cache, pauses left out. */
typedef struct {
  const char *key; /* "loss", "explained_variance", "l0", "dead", "tokens_per_second", ...; of
                    * a cache "rows", "fraction", "tokens_per_second";
                    * "held_out/explained_variance" and so on of evaluations under way */
  size_t n;
  const double *x, *y; /* [n]; y NaN where the line had null */
} CwRunCurve;

/* What a refresh found. */
typedef enum {
  CW_RUN_FACTS_CHANGED = 1 << 0,
  CW_RUN_CURVES_CHANGED = 1 << 1,
  CW_RUN_LOG_CHANGED = 1 << 2,
  CW_RUN_HAS_MORE = 1 << 3,    /* a long file was read in part: refresh again soon */
  CW_RUN_LIST_CHANGED = 1 << 4 /* cw_runs_refresh: runs came or went; CwRun pointers of those
                                * that stay are kept */
} CwRunChanges;

const char *cw_run_kind_name(CwRunKind kind); /* "cache", "train", "eval": the commands */
const char *
cw_run_state_name(CwRunState state); /* "waiting", ...; for machines, untranslated */

/* ---- one run --------------------------------------------------------------------------- */

typedef struct _CwRun CwRun;

/* A run on its own, such as `clew info` describes. Always something: a folder that is none is
 * DAMAGED and says why. */
CwRun *cw_run_open(const char *folder);
void cw_run_free(CwRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwRun, cw_run_free)
/* Whether a folder looks like a run: run.json, or settings.json and metrics.jsonl. */
bool cw_run_is_folder(const char *folder);

/* Reads what is new, at most 256 KiB of metrics. Returns CwRunChanges. */
unsigned cw_run_refresh(CwRun *run);
const CwRunFacts *cw_run_peek_facts(const CwRun *run);

/* Curves in the order in which their keys came. Long ones are thinned to about 4,000 points
 * that keep every peak. Valid until the next refresh. */
const CwRunCurve *cw_run_peek_curves(const CwRun *run, size_t *n);
/* NULL if no line had the key. */
const CwRunCurve *cw_run_peek_curve(const CwRun *run, const char *key);
/* The newest line of metrics with `key` at its top level, as JSON without newline: per-layer
 * values are in it ("layer_explained_variance", "held_out"). NULL: none yet. */
const char *cw_run_peek_last_line(const CwRun *run, const char *key);
/* The last lines of the log, at most n_lines of 64 KiB; valid UTF-8 without control characters
 * but newline and tab; "" where there is none. Transfer full. */
char *cw_run_dup_log_tail(const CwRun *run, size_t n_lines);
/* Absolute paths of the whole checkpoints of a training, newest first; may be empty. */
GPtrArray *cw_run_list_checkpoints(const CwRun *run);

/* ---- all runs of a user ---------------------------------------------------------------- */

typedef struct _CwRuns CwRuns;

/* root: folder of runs, NULL for $XDG_DATA_HOME/clew/runs; made when the first run is. program:
 * path of `clew`, NULL: nothing can be started here (the error says so). */
CwRuns *cw_runs_new(const char *root, const char *program);
void cw_runs_free(CwRuns *runs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwRuns, cw_runs_free)

const char *cw_runs_peek_root(const CwRuns *runs);
/* Looks for folders that came or went and refreshes every run. Returns CwRunChanges of all
 * together; `changed` (may be NULL) is called for each run that has some. Twice a second makes
 * a dead worker known within a second; a run costs some ten microseconds where nothing is new.
 */
unsigned cw_runs_refresh(CwRuns *runs,
                         void (*changed)(CwRun *run, unsigned changes, gpointer user_data),
                         gpointer user_data);
/* Newest first. */
size_t cw_runs_get_n(const CwRuns *runs);
CwRun *cw_runs_peek(const CwRuns *runs, size_t i);
CwRun *cw_runs_find(const CwRuns *runs, const char *folder); /* NULL: not listed */

/* Lists a run that lies elsewhere, such as one started by hand. Errors: no run, listed
 * already. It shows with the call's return; so do the runs that are started below. */
bool cw_runs_add(CwRuns *runs, const char *folder, GError **error);

typedef struct {
  CwRunKind kind;
  const char *name; /* of the folder; NULL or "": the kind and a number. Taken: an error */
  /* What one would type behind `clew train`, less --output and --resume. Paths are
   * absolute. NULL-terminated. */
  const char *const *arguments;
} CwRunRequest;

/* Starts a worker in a new folder. Errors: name taken or not usable, disk, no such program.
 * What the worker itself finds wrong, such as an unknown setting, is the run's FAILED. */
CwRun *cw_runs_start(CwRuns *runs, const CwRunRequest *request, GError **error);
/* The worker finishes the step, saves and ends, which the state shows; CW_RUN_CAN_... says
 * whether that can be asked. A signal is sent only to the process that holds the lock. */
bool cw_runs_pause(CwRuns *runs, CwRun *run, GError **error);
bool cw_runs_stop(CwRuns *runs, CwRun *run, GError **error);
bool cw_runs_kill(CwRuns *runs, CwRun *run, GError **error);
/* Starts a worker that goes on. Errors: another window has done so already, as start. */
bool cw_runs_resume(CwRuns *runs, CwRun *run, GError **error);
/* Takes the run off the list and frees it: an added one's folder stays, any other's goes to the
 * trash or, where is_trashed is false, for good. Errors: a worker is in it, the system does not
 * allow it (then `run` stays). Gigabytes may take a moment. */
bool cw_runs_delete(CwRuns *runs, CwRun *run, bool is_trashed, GError **error);

/* ---- in the worker --------------------------------------------------------------------- */

/* The worker's side: holds the lock from begin to end. */
typedef struct _CwRunWorker CwRunWorker;

/* The run that a launcher started this process for: its lock came as descriptor 3 and its
 * folder is the present one. NULL: the process was started otherwise. */
CwRunWorker *cw_run_worker_adopt(void);
/* Whether it was adopted: standard output and error are the run's log. */
bool cw_run_worker_is_launched(const CwRunWorker *worker);
const char *cw_run_worker_peek_folder(const CwRunWorker *worker); /* absolute */
/* Takes a folder, which is made if need be, for a process started by hand. run.json is written
 * from kind and arguments (paths absolute, or relative to the folder) unless is_resumed and it
 * is there. Errors: another worker is in it, disk. */
CwRunWorker *cw_run_worker_begin(const char *folder, CwRunKind kind,
                                 const char *const *arguments, bool is_resumed, GError **error);
/* How far it is: a CwProgressCb, user_data the CwRunWorker. Written at most twice a second, in
 * place, so that a full disk does not matter. */
void cw_run_worker_report_cb(const char *phase, double fraction, gpointer user_data);
/* Appends a line to metrics.jsonl, which a run that goes on continues. What cannot be written
 * is let go. */
void cw_run_worker_tell(CwRunWorker *worker, const char *json);
/* The end: exit status, and why where it is not 0 (may be NULL). Frees, but the lock stays
 * until the process ends. A run by hand that failed before it made anything leaves nothing
 * behind. NULL is fine. */
void cw_run_worker_end(CwRunWorker *worker, int exit_status, const char *reason);

G_END_DECLS
