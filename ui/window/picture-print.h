/* picture-print.h - the picture on paper, drawn as it is exported. */
#pragma once

#include <gtk/gtk.h>

#include "window/picture-subject.h"

G_BEGIN_DECLS

/* One page, landscape, in light colours; the caller runs it. Its "draw-page" draws the whole
 * graph into what the page has room for. Transfer full. */
GtkPrintOperation *cwu_print_operation_new(CwuPictureSubject *subject);
/* Why the picture could not be drawn, once the operation is done; NULL if it could be. Failures
 * of printing itself are the operation's own error. */
const char *cwu_print_operation_peek_failure(GtkPrintOperation *operation);

G_END_DECLS
