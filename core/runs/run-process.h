/* run-process.h - workers as processes: started, signalled. */
#pragma once

#include "runs/run-private.h"

/* Starts `program` with the run's arguments in its folder, whose lock is handed over; the
 * caller closes its own descriptor of it afterwards. */
bool cw_run_process_start_worker(const char *program, const char *folder, const CwRunPlan *plan,
                                 bool is_resumed, int lock, GError **error);

/* Sends a signal to the worker that holds the run's lock, and to no other process: its number
 * may have been given to another one since. */
bool cw_run_process_signal(CwRun *run, int number, GError **error);
