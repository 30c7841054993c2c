/* run-words.h - kinds, states and times of runs in words and marks. */
#pragma once

#include <glib.h>

#include "cw-runs.h"

G_BEGIN_DECLS

/* "Training"; translated, static. */
const char *cwu_run_kind_peek_title(CwRunKind kind);
/* "Running"; translated, static. */
const char *cwu_run_state_peek_title(CwRunState state);
const char *cwu_run_state_peek_icon(CwRunState state);
/* Something went wrong: its reason is to be told. */
bool cwu_run_state_is_bad(CwRunState state);
/* A worker is in it. */
bool cwu_run_state_is_live(CwRunState state);

/* "3 min", "2 h 10 min", "45 s"; NULL if not known. Transfer full. */
char *cwu_run_dup_duration(double seconds);
/* Under its name in the list: "Training · running · 3 min left". Transfer full. */
char *cwu_run_dup_subtitle(const CwRunFacts *facts);
/* A moment, with the date if it is not today's. Transfer full. */
char *cwu_run_dup_moment(int64_t unix_s);

G_END_DECLS
