/* run-lock.h - worker.json of a run's folder: locked by the worker that is at work there.
 *
 * The lock belongs to an open file description (fcntl(2), F_OFD_SETLK): it is inherited through
 * fork and exec, so that a launcher takes it before there is a worker and no moment is without
 * it; it dies with the last process that has the descriptor, however that ends; and it can be
 * asked after without being taken, so that readers never stand in a worker's way. */
#pragma once

#include "cw-base.h"

#define CW_RUN_LOCK_FILE "worker.json"
/* Where a launcher leaves the descriptor for its worker. */
#define CW_RUN_LOCK_FD 3

/* Takes the lock of a folder, whose file is made if need be. The descriptor closes on exec; -1
 * and CW_ERROR_ARGUMENT where a worker has it. */
int cw_run_lock_take(const char *folder, GError **error);
/* The descriptor that a launcher handed over, if it is the lock of the present folder; else -1.
 * It no longer is inherited afterwards. */
int cw_run_lock_adopt(void);
/* Whether somebody holds it. */
bool cw_run_lock_is_held(const char *folder);
