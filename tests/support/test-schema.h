/* test-schema.h - JSON against the schemas in data/schemas. */
#pragma once

#include "cw-base.h"

/* What is wrong with the JSON text, with its place, or NULL. schema: a file name in
 * data/schemas. Members that the schema does not describe are wrong too, though it may allow
 * them: what Clew writes must be described. Transfer full. */
char *test_schema_find_fault(const char *schema, const char *json);
/* Fails the test where there is a fault. */
void test_schema_check(const char *schema, const char *json);
