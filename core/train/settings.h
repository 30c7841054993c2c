/* settings.h - settings that lie within another JSON object, and what follows from them. */
#pragma once

#include "cw-train.h"
#include "files/json-scan.h"

/* As cw_train_settings_read. */
bool cw_train_settings_read_object(CwTrainSettings *settings, JsonObject *object,
                                   const char *place, GError **error);

/* How many features of a layer (0-based) topk and batchtopk choose of a token. */
int64_t cw_train_settings_k(const CwTrainSettings *settings, int64_t layer);
