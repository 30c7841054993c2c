/* error.c - the error domain of the core, and kernel statuses as errors. */
#include "cw-base.h"

G_DEFINE_QUARK(cw - error, cw_error)

static CwErrorCode
code_of_status(CwkStatus status)
{
  switch (status) {
  case CWK_NO_MEMORY:
    return CW_ERROR_NO_MEMORY;
  case CWK_UNSUPPORTED:
    return CW_ERROR_UNSUPPORTED;
  case CWK_DEVICE:
    return CW_ERROR_DEVICE;
  case CWK_OK:
  case CWK_SHAPE:
  default:
    return CW_ERROR_MISMATCH;
  }
}

void
cw_error_set_from_status(GError **error, CwkStatus status, const char *doing)
{
  g_set_error(error, CW_ERROR, code_of_status(status), "While %s: %s", doing,
              cwk_status_text(status));
}
