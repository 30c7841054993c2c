/* texts.c - see texts.h. */
#include "texts.h"

GPtrArray *
cwa_texts_list(const CwaArguments *arguments)
{
  GPtrArray *paths = g_ptr_array_new();
  for (const char *const *path = cwa_arguments_texts(arguments, "text"); *path != NULL; path++)
    g_ptr_array_add(paths, (gpointer)*path);
  for (size_t i = 0; i < cwa_arguments_n_operands(arguments); i++)
    g_ptr_array_add(paths, (gpointer)cwa_arguments_operand(arguments, i));
  g_ptr_array_add(paths, NULL);
  return paths;
}
