/* picture-print.h - the picture on paper, drawn as it is exported. */
#pragma once

#include <gtk/gtk.h>

#include "window/picture-subject.h"

G_BEGIN_DECLS

/* One page, landscape, in light colours; the caller runs it. Its "draw-page" draws the whole
 * graph into what the page has room for. Transfer full. */
GtkPrintOperation *cwu_print_operation_new(CwuPictureSubject *subject);
/* Why there is no print, of an operation that ended with result: the picture could not be
 * drawn, or printing itself failed. NULL if nothing failed, also where it was given up.
 * Transfer full. */
char *cwu_print_operation_dup_failure(GtkPrintOperation *operation,
                                      GtkPrintOperationResult result);

G_END_DECLS
