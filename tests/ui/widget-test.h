/* widget-test.h - the beginning of a test of widgets. */
#pragma once

#include <adwaita.h>

/* Sets up the tests and the toolkit; false, with a skip said, where there is no display: the
 * program then ends with success. */
gboolean widget_test_init(int *argc, char ***argv);
