/* theme-watch.h - the picture's palette for the desktop's present style. */
#pragma once

#include <adwaita.h>

#include "picture/theme.h"

CwuThemeKind cwu_theme_kind_now(void);
const CwuTheme *cwu_theme_now(void);
GdkRGBA cwu_colour_to_rgba(CwuColour colour);
/* Lets style sheets name the palette (@clew_positive, _negative, _selected, _surface,
 * _border), now and after a change of style. */
void cwu_theme_define_colours(void);
/* Redraws the widget whenever the style changes, for as long as it lives. */
void cwu_theme_watch(GtkWidget *widget);
