/* test-card-grid.c - rows of the start page's cards: none stands alone below the others where
 * another number of columns helps. */
#include "window/card-grid.h"

static void
test_columns(void)
{
  static const int widths[] = { 672, 976, 1112 }; /* of windows 720, 1024 and 1440 wide */
  static const int n_cards[] = { 1, 2, 3, 4, 6, 7, 8 };
  static const int columns[][7] = { { 1, 2, 3, 2, 3, 3, 3 },
                                    { 1, 2, 3, 4, 3, 4, 4 },
                                    { 1, 2, 3, 4, 3, 4, 4 } };
  for (size_t w = 0; w < G_N_ELEMENTS(widths); w++)
    for (size_t i = 0; i < G_N_ELEMENTS(n_cards); i++)
      g_assert_cmpint(cwu_card_grid_get_columns(n_cards[i], widths[w]), ==, columns[w][i]);
  g_assert_cmpint(cwu_card_grid_get_columns(8, 100), ==, 1);
  g_assert_cmpint(cwu_card_grid_get_columns(0, 1112), ==, 1);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ui/card-grid/leaves-none-alone", test_columns);
  return g_test_run();
}
