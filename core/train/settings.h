/* settings.h - settings that lie within another JSON object. */
#pragma once

#include "cw-train.h"
#include "files/json-scan.h"

/* As cw_train_settings_read. */
bool cw_train_settings_read_object(CwTrainSettings *settings, JsonObject *object,
                                   const char *place, GError **error);
