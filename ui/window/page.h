/* page.h - one tab: a document with its picture, panes and messages. It is made of parts that
 * take what they show from the document; the window's actions work on the page in front. */
#pragma once

#include <adwaita.h>

#include "graph/graph-view.h"
#include "models/document.h"
#include "runs/runs-pane.h"
#include "window/context.h"

G_BEGIN_DECLS

#define CWU_TYPE_PAGE (cwu_page_get_type())
G_DECLARE_FINAL_TYPE(CwuPage, cwu_page, CWU, PAGE, AdwBin)

/* Signals: "toast" (string, uint seconds): something to be told in passing while no picture is
 * shown to tell it over. Properties: title, subtitle (of the document, or of an empty page). */
CwuPage *cwu_page_new(CwuContext *context);

CwuDocument *cwu_page_peek_document(CwuPage *self);
CwuGraphView *cwu_page_peek_view(CwuPage *self);
/* Ends the trace under way; FALSE if there is none. */
gboolean cwu_page_cancel_trace(CwuPage *self);
/* Puts the cursor into the prompt. */
void cwu_page_edit_prompt(CwuPage *self);
/* The widget that F9 hides. */
GtkWidget *cwu_page_peek_side(CwuPage *self);
/* Begins to type another name, or a note, for the selected node in the side pane, which is
 * shown for it. */
void cwu_page_edit_label(CwuPage *self);
void cwu_page_edit_note(CwuPage *self);

/* Reads the file on another thread and shows it; a failure is told in the page, which keeps
 * what it showed before. A later call replaces an earlier one that is still reading. */
void cwu_page_open(CwuPage *self, GFile *file);
/* Shows a document that an earlier run left unsaved; it stays unsaved. */
void cwu_page_recover(CwuPage *self, const CwuRecovered *recovered);
/* The file being read or shown; NULL if there is none. Borrowed. */
GFile *cwu_page_peek_file(CwuPage *self);
/* Turns an empty page into that of the runs: they have a tab of their own. */
void cwu_page_show_runs(CwuPage *self);
/* NULL: the page shows a document. */
CwuRunsPane *cwu_page_peek_runs(CwuPage *self);
/* Nothing was opened or typed here: another file may take its place. */
gboolean cwu_page_is_blank(CwuPage *self);

/* A graph is here that is in no file: closing would lose it. */
gboolean cwu_page_is_unsaved(CwuPage *self);

/* Tells of a failure inline, until it is closed; the message says what to do. After a failed
 * saving a button saves as another file. NULL closes what was told. */
void cwu_page_tell(CwuPage *self, const char *message);
void cwu_page_tell_unsaved(CwuPage *self, const char *message);
void cwu_page_toast(CwuPage *self, const char *message);
/* The same for less long: what was asked for was done. */
void cwu_page_confirm(CwuPage *self, const char *message);

G_END_DECLS
