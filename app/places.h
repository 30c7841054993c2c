/* places.h - where the installed files of Clew lie: data, the default model, benchmarks.
 *
 * A program in a build folder finds the source tree it was built from, an installed one its
 * prefix, wherever that was moved; CLEW_DATA names another data folder. */
#pragma once

#include <glib.h>

/* <data folder>/<name> if it exists, else NULL. Transfer full. */
char *cwa_places_find_data(const char *name);
/* The model that packaging/start fetched: in the user's or the system's data folder; NULL if
 * there is none. Transfer full. */
char *cwa_places_find_default_model(void);
/* The transcoder that comes with Clew for the default model; NULL if there is none. */
char *cwa_places_find_default_transcoder(void);
/* The program `clew`, beside the one that runs; NULL if it is not there. Transfer full. */
char *cwa_places_find_program(void);
/* Folders that may hold programs bench-<case>, those that exist only; NULL-terminated. */
char **cwa_places_dup_bench_folders(void);
/* The folder of translations, that of the build folder for a program that runs there; one that
 * may not exist where there is none. Transfer full. */
char *cwa_places_find_translations(void);
