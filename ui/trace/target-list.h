/* target-list.h - entries for target tokens, each checked while it is typed: any number of
 * tokens, or the two of a difference. */
#pragma once

#include <gtk/gtk.h>

#include "trace/engine.h"

G_BEGIN_DECLS

#define CWU_TYPE_TARGET_LIST (cwu_target_list_get_type())
G_DECLARE_FINAL_TYPE(CwuTargetList, cwu_target_list, CWU, TARGET_LIST, GtkWidget)

/* Signal "changed": the user has edited a text. */
CwuTargetList *cwu_target_list_new(bool is_difference);
void cwu_target_list_set_engine(CwuTargetList *self, CwuEngine *engine);
/* Texts in their order; empty entries count only in a difference. Transfer full. */
char **cwu_target_list_dup_texts(CwuTargetList *self);
void cwu_target_list_set_texts(CwuTargetList *self, const char *const *texts);

G_END_DECLS
