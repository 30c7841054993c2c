/* cancel.c - a shared flag that stops long work, and progress reports. */
#include "cw-base.h"

struct _CwCancel {
  gatomicrefcount ref_count;
  int is_triggered; /* atomic */
};

CwCancel *
cw_cancel_new(void)
{
  CwCancel *cancel = g_new0(CwCancel, 1);
  g_atomic_ref_count_init(&cancel->ref_count);
  return cancel;
}

CwCancel *
cw_cancel_ref(CwCancel *cancel)
{
  g_atomic_ref_count_inc(&cancel->ref_count);
  return cancel;
}

void
cw_cancel_unref(CwCancel *cancel)
{
  if (cancel != NULL && g_atomic_ref_count_dec(&cancel->ref_count))
    g_free(cancel);
}

void
cw_cancel_trigger(CwCancel *cancel)
{
  g_atomic_int_set(&cancel->is_triggered, 1);
}

bool
cw_cancel_is_triggered(const CwCancel *cancel)
{
  return cancel != NULL && g_atomic_int_get(&((CwCancel *)cancel)->is_triggered) != 0;
}

bool
cw_cancel_check(const CwCancel *cancel, GError **error)
{
  if (!cw_cancel_is_triggered(cancel))
    return false;
  g_set_error_literal(error, CW_ERROR, CW_ERROR_CANCELLED, "Cancelled");
  return true;
}

void
cw_progress_report(const CwProgress *progress, const char *phase, double fraction)
{
  if (progress != NULL && progress->callback != NULL)
    progress->callback(phase, fraction, progress->user_data);
}
