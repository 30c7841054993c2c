/* document-content.h - files of documents, read and written on any thread: the part of a
 * document that no view knows of. */
#pragma once

#include <gio/gio.h>

#include "models/document.h"
#include "models/prune-runner.h"

/* All that one file gives, or a graph that was traced. */
typedef struct {
  GFile *file;
  CwGraph *graph;
  CwDocument *core;
  CwDocumentSession session;
  CwPruner *pruner;
  CwuPruneResult result;
  char **remarks;
} CwuContent;

void cwu_content_free(gpointer content);
/* A file with its graph, document, first masks and remarks. Errors name the file. */
CwuContent *cwu_content_read(GFile *file, CwCancel *cancel, GError **error);
/* The document and its first masks, of a graph that is there. */
bool cwu_content_prepare(CwuContent *content, const CwViewState *view, CwCancel *cancel,
                         GError **error);

/* Writes a state: JSON where the name says so, else a .clew document. Atomic; a file that is
 * read-only is left as it is. Errors: no graph, a place that is not local, files. */
bool cwu_content_write(CwDocumentState *state, const CwDocumentSession *session, GFile *file,
                       GError **error);
