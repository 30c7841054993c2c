/* facts.h - a result as named facts, printed as lines for people or as JSON for programs.
 *
 * A command states every fact once; --json decides how it is shown. Names are the members of
 * the JSON object; a line shows them with a capital and spaces ("features_per_layer" becomes
 * "Features per layer"). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct _CwaFacts CwaFacts;

CwaFacts *cwa_facts_new(void);
void cwa_facts_free(CwaFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwaFacts, cwa_facts_free)

void cwa_facts_add_text(CwaFacts *facts, const char *name, const char *value); /* or NULL */
/* `value` in JSON, `shown` in a line. */
void cwa_facts_add_text_shown(CwaFacts *facts, const char *name, const char *value,
                              const char *shown);
void cwa_facts_add_integer(CwaFacts *facts, const char *name, int64_t value);
/* Shown with `n_decimals`; not a number becomes null. */
void cwa_facts_add_number(CwaFacts *facts, const char *name, double value, int n_decimals);
void cwa_facts_add_bool(CwaFacts *facts, const char *name, bool value);
void cwa_facts_add_size(CwaFacts *facts, const char *name, uint64_t n_bytes);
/* A JSON object as text (a file's own settings); left out where it is "{}" or no object. */
void cwa_facts_add_json(CwaFacts *facts, const char *name, const char *object);

/* A list of objects: facts added within an item stand on one line. */
void cwa_facts_begin_list(CwaFacts *facts, const char *name);
void cwa_facts_begin_item(CwaFacts *facts);
void cwa_facts_end_item(CwaFacts *facts);
void cwa_facts_end_list(CwaFacts *facts);

/* Prints on stdout. Once; nothing is added afterwards. */
void cwa_facts_print(CwaFacts *facts, bool as_json);
