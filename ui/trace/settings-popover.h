/* settings-popover.h - the settings of a trace: what is explained, how large the graph gets,
 * what of it is shown at first, and with which files. */
#pragma once

#include <gtk/gtk.h>

#include "trace/engine.h"
#include "trace/trace-settings.h"

G_BEGIN_DECLS

#define CWU_TYPE_SETTINGS_POPOVER (cwu_settings_popover_get_type())
G_DECLARE_FINAL_TYPE(CwuSettingsPopover, cwu_settings_popover, CWU, SETTINGS_POPOVER,
                     GtkPopover)

/* Signal "changed": the user has changed something. */
CwuSettingsPopover *cwu_settings_popover_new(void);
/* Checks target tokens. */
void cwu_settings_popover_set_engine(CwuSettingsPopover *self, CwuEngine *engine);
/* Height in px that there is for it; what is longer scrolls. */
void cwu_settings_popover_set_room(CwuSettingsPopover *self, int height);
/* Once it is open: goes to where model and transcoder are chosen. */
void cwu_settings_popover_show_files(CwuSettingsPopover *self);
const CwuTraceSettings *cwu_settings_popover_peek(CwuSettingsPopover *self);
void cwu_settings_popover_set(CwuSettingsPopover *self, const CwuTraceSettings *settings);

G_END_DECLS
