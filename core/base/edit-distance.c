/* edit-distance.c - how far a mistyped name is from a right one (Levenshtein's distance). */
#include <string.h>

#include "cw-base.h"

#define LONGEST_NAME 63

size_t
cw_edit_distance(const char *a, const char *b)
{
  size_t n_a = strlen(a), n_b = strlen(b);
  size_t row[LONGEST_NAME + 1];
  if (n_a > LONGEST_NAME || n_b > LONGEST_NAME)
    return LONGEST_NAME;
  for (size_t j = 0; j <= n_b; j++)
    row[j] = j;
  for (size_t i = 1; i <= n_a; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= n_b; j++) {
      size_t replace = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = MIN(replace, MIN(row[j], row[j - 1]) + 1);
    }
  }
  return row[n_b];
}
