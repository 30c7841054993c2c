/* trace-control.h - between a document, its prompt bar and the engine: what Enter does.
 *
 * What is typed is an edit of the document: its undo is the only one. A trace that ends becomes
 * the document's graph, as one edit; undo brings the graph before back. A newer trace of the
 * same document replaces one under way; one of another tab ends it, which the bar says. Main
 * thread. */
#pragma once

#include "models/document.h"
#include "trace/prompt-bar.h"

G_BEGIN_DECLS

typedef struct _CwuTraceControl CwuTraceControl;

/* When the document has a new graph. */
typedef void (*CwuTracedCb)(gpointer user_data);
/* Makes the bar. Keeps the engine; the document must live as long. traced may be NULL. */
CwuTraceControl *cwu_trace_control_new(CwuDocument *document, CwuEngine *engine,
                                       CwuTracedCb traced, gpointer user_data);
/* Ends the document's trace, if one is under way; late results are dropped. */
void cwu_trace_control_free(CwuTraceControl *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuTraceControl, cwu_trace_control_free)

/* Ends the document's trace; false if none is under way. */
bool cwu_trace_control_cancel(CwuTraceControl *control);
CwuPromptBar *cwu_trace_control_peek_bar(CwuTraceControl *control);

G_END_DECLS
