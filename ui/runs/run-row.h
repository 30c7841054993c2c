/* run-row.h - a run in the list: its mark, name, how it stands, how far it is. */
#pragma once

#include <gtk/gtk.h>

#include "runs/run-snapshot.h"

G_BEGIN_DECLS

#define CWU_TYPE_RUN_ROW (cwu_run_row_get_type())
G_DECLARE_FINAL_TYPE(CwuRunRow, cwu_run_row, CWU, RUN_ROW, GtkListBoxRow)

CwuRunRow *cwu_run_row_new(const CwRunFacts *facts);
const char *cwu_run_row_peek_folder(CwuRunRow *self);
void cwu_run_row_set(CwuRunRow *self, const CwRunFacts *facts);

G_END_DECLS
