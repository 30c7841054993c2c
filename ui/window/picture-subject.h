/* picture-subject.h - what is exported or printed: a graph, what of it is shown, and how the
 * window shows it. Holds copies, so that threads can read it while the document goes on. */
#pragma once

#include <gio/gio.h>

#include "cwu-picture.h"

G_BEGIN_DECLS

typedef struct _CwuPictureSubject CwuPictureSubject;

/* pruned: NULL shows everything. view: theme, selected, zoom and centre, view, places and state
 * of the window; its other fields do not matter. name: of a file, without folder and ending,
 * NULL: "graph". */
CwuPictureSubject *cwu_picture_subject_new(CwGraph *graph, const CwPruned *pruned,
                                           const CwuPictureOptions *view, const char *name);
CwuPictureSubject *cwu_picture_subject_ref(CwuPictureSubject *subject);
void cwu_picture_subject_unref(CwuPictureSubject *subject);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuPictureSubject, cwu_picture_subject_unref)

CwGraph *cwu_picture_subject_peek_graph(CwuPictureSubject *subject);
const CwPruned *cwu_picture_subject_peek_pruned(CwuPictureSubject *subject);
const CwuPictureOptions *cwu_picture_subject_peek_view(CwuPictureSubject *subject);
const char *cwu_picture_subject_peek_name(CwuPictureSubject *subject);

G_END_DECLS
