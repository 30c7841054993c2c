/* page-files.h - a page's document to and from files: choosing, saving, exporting. */
#pragma once

#include "window/page.h"
#include "window/window-private.h"

G_BEGIN_DECLS

/* Asks for files and opens each in the window. */
void cwu_window_choose_files(CwuWindow *self);
/* Saves to the document's own file, or asks for one where it has none that can hold it all.
 * done (may be NULL) is called with whether it was saved; not, where the user thinks better of
 * it. */
typedef void (*CwuSavedCb)(CwuPage *page, gboolean is_saved, gpointer user_data);
void cwu_page_save(CwuPage *self, CwuSavedCb done, gpointer user_data);
void cwu_page_save_as(CwuPage *self, CwuSavedCb done, gpointer user_data);
/* Asks how, and for a file, and writes the picture. */
void cwu_page_export(CwuPage *self);
/* Asks for a printer and prints the picture. */
void cwu_page_print(CwuPage *self);

G_END_DECLS
