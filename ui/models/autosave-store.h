/* autosave-store.h - copies of documents that are not saved yet, in the user's state folder,
 * and what a process that died has left there.
 *
 * Each process has a folder of its own with a lock that dies with it. What lies in a folder
 * whose lock is free belongs to nobody any more: the next start takes it over. Main thread. */
#pragma once

#include "models/document.h"

G_BEGIN_DECLS

typedef struct _CwuAutosaveStore CwuAutosaveStore;

/* folder: NULL for the user's own. Nothing is made there before the first copy. */
CwuAutosaveStore *cwu_autosave_store_new(const char *folder);
CwuAutosaveStore *cwu_autosave_store_ref(CwuAutosaveStore *store);
void cwu_autosave_store_unref(CwuAutosaveStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuAutosaveStore, cwu_autosave_store_unref)

/* A document that was not saved when its process ended. */
typedef struct {
  GFile *copy; /* where its copy lies now */
  GFile *file; /* the file it belongs to; NULL: it had none */
} CwuRecovered;
void cwu_recovered_free(CwuRecovered *recovered);

/* Takes over what dead processes have left. Array of CwuRecovered; may be empty. Each stays on
 * disk until its document is saved or closed. */
GPtrArray *cwu_autosave_store_recover(CwuAutosaveStore *store);

/* Keeps a copy of the document while it is unsaved: a moment after the last edit, not more
 * often than every ten seconds, written on another thread. */
typedef struct _CwuAutosave CwuAutosave;
/* copy: the recovered one that the document was read from, NULL for others. */
CwuAutosave *cwu_autosave_new(CwuAutosaveStore *store, CwuDocument *document, GFile *copy);
/* The document was closed as the user wished: the copy goes. */
void cwu_autosave_free(CwuAutosave *autosave);

G_END_DECLS
