/* note-list.h - notes of the document, to read, change and remove. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

typedef enum {
  CWU_NOTES_OF_NODE, /* that is selected */
  CWU_NOTES_ALL      /* each with the node it stands beside, which a click goes to */
} CwuNotes;

#define CWU_TYPE_NOTE_LIST (cwu_note_list_get_type())
G_DECLARE_FINAL_TYPE(CwuNoteList, cwu_note_list, CWU, NOTE_LIST, GtkBox)

/* Hidden while there is no note. */
GtkWidget *cwu_note_list_new(CwuDocument *document, CwuNotes which);

G_END_DECLS
