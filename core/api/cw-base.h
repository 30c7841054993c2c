/* cw-base.h - what every part of the core shares: errors, cancelling, progress.
 *
 * The core is synchronous and headless. A function that can fail returns false or NULL and sets
 * its last argument; on failure outputs are untouched. Anything that may take longer than a
 * tenth of a second takes a CwCancel and a CwProgress, both of which may be NULL. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cwk.h"

G_BEGIN_DECLS

#define CW_ERROR (cw_error_quark())
GQuark cw_error_quark(void);

typedef enum {
  CW_ERROR_NOT_FOUND,   /* a file, tensor or key that is not there */
  CW_ERROR_IO,          /* the system refused to read or write */
  CW_ERROR_FORMAT,      /* bytes that are not what they claim to be */
  CW_ERROR_UNSUPPORTED, /* well-formed, but not something Clew does */
  CW_ERROR_MISMATCH,    /* two things that do not fit together */
  CW_ERROR_ARGUMENT,    /* a request that cannot be met: token id, range, empty prompt */
  CW_ERROR_NO_MEMORY,
  CW_ERROR_CANCELLED,
  CW_ERROR_DEVICE
} CwErrorCode;

/* Turns a kernel status other than CWK_OK into *error; `doing` completes "while ...". */
void cw_error_set_from_status(GError **error, CwkStatus status, const char *doing);

/* A flag that any thread may raise and the working thread reads. Reference counted. */
typedef struct _CwCancel CwCancel;
CwCancel *cw_cancel_new(void);
CwCancel *cw_cancel_ref(CwCancel *cancel);
void cw_cancel_unref(CwCancel *cancel);
void cw_cancel_trigger(CwCancel *cancel);
bool cw_cancel_is_triggered(const CwCancel *cancel); /* false for NULL */
/* Sets CW_ERROR_CANCELLED and returns true if the flag is up. */
bool cw_cancel_check(const CwCancel *cancel, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwCancel, cw_cancel_unref)

/* Called on the working thread, at most every few milliseconds: the phase ("features"), and the
 * share of it that is done, 0..1. */
typedef void (*CwProgressCb)(const char *phase, double fraction, gpointer user_data);
typedef struct {
  CwProgressCb callback;
  gpointer user_data;
} CwProgress;
void cw_progress_report(const CwProgress *progress, const char *phase, double fraction);

/* Text on one line: control characters as \n, \t, \r or \xNN; everything else, UTF-8 included,
 * as it is. Quotes are escaped where `with_quotes` puts them around the text. Transfer full. */
char *cw_escape_dup(const char *text, bool with_quotes);

/* Edits (insert, delete, replace) between two names, for suggestions; names of more than 63
 * bytes are 63 apart. O(|a| |b|), no allocation. */
size_t cw_edit_distance(const char *a, const char *b);

/* Bytes the system says it can still give; infinity if it does not say. */
double cw_free_memory_bytes(void);

G_END_DECLS
