/* widget-test.c - see widget-test.h. */
#include "widget-test.h"

gboolean
widget_test_init(int *argc, char ***argv)
{
  g_test_init(argc, argv, NULL);
  if (!gtk_init_check()) {
    g_print("1..0 # SKIP no display\n");
    return FALSE;
  }
  adw_init();
  return TRUE;
}
