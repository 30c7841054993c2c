/* theme.c - four palettes. Contrast is a number here, not a taste: tests compute it for every
 * text and glyph colour against its surface (WCAG 2: 4.5 : 1 for text, 3 : 1 for glyphs). */
#include "picture/theme.h"

#include <math.h>

#define RGB(hex)                                                                      \
  {                                                                                   \
    ((hex) >> 16 & 255) / 255.0, ((hex) >> 8 & 255) / 255.0, ((hex)&255) / 255.0, 1.0 \
  }
#define RGBA(hex, alpha)                                                                  \
  {                                                                                       \
    ((hex) >> 16 & 255) / 255.0, ((hex) >> 8 & 255) / 255.0, ((hex)&255) / 255.0, (alpha) \
  }

static const CwuTheme themes[CWU_N_THEMES] = {
  [CWU_THEME_LIGHT] = {
    .is_dark = false,
    .surface = RGB(0xffffff), .hairline = RGB(0xf0f0f0),
    .text = RGB(0x2b2b2d), .text_dim = RGB(0x6c6b70),
    .card = RGB(0xffffff), .card_border = RGB(0xd9d9dc), .note = RGB(0xf4f4f5),
    .node_strong = RGB(0x2b2b2d), .node_pale = RGB(0x8b8b90), .node_faint = RGB(0xcbcbce),
    .mass = RGBA(0x57575c, 0.36),
    .positive = RGB(0x1a6cb5), .negative = RGB(0xb85510), .selected = RGB(0x8b2fb3),
    .outline_px = 1.2,
  },
  [CWU_THEME_DARK] = {
    .is_dark = true,
    .surface = RGB(0x262626), .hairline = RGB(0x303030),
    .text = RGB(0xf2f2f2), .text_dim = RGB(0xa5a5a8),
    .card = RGB(0x2c2c2c), .card_border = RGB(0x4a4a4c), .note = RGB(0x38383a),
    .node_strong = RGB(0xf2f2f2), .node_pale = RGB(0x88888c), .node_faint = RGB(0x505052),
    .mass = RGBA(0xb9b9bd, 0.45),
    .positive = RGB(0x62a8ec), .negative = RGB(0xe79a52), .selected = RGB(0xc889ee),
    .outline_px = 1.2,
  },
  [CWU_THEME_CONTRAST_LIGHT] = {
    .is_dark = false,
    .surface = RGB(0xffffff), .hairline = RGB(0xd0d0d0),
    .text = RGB(0x000000), .text_dim = RGB(0x303030),
    .card = RGB(0xffffff), .card_border = RGB(0x404040), .note = RGB(0xf0f0f0),
    .node_strong = RGB(0x000000), .node_pale = RGB(0x404040), .node_faint = RGB(0x8b8b8b),
    .mass = RGBA(0x303030, 0.5),
    .positive = RGB(0x064a8c), .negative = RGB(0x8a3a00), .selected = RGB(0x6a0f96),
    .outline_px = 1.8,
  },
  [CWU_THEME_CONTRAST_DARK] = {
    .is_dark = true,
    .surface = RGB(0x0b0b0b), .hairline = RGB(0x3a3a3a),
    .text = RGB(0xffffff), .text_dim = RGB(0xdadada),
    .card = RGB(0x0b0b0b), .card_border = RGB(0xc8c8c8), .note = RGB(0x202020),
    .node_strong = RGB(0xffffff), .node_pale = RGB(0xc4c4c4), .node_faint = RGB(0x747474),
    .mass = RGBA(0xd8d8d8, 0.45),
    .positive = RGB(0x8cc4ff), .negative = RGB(0xffb570), .selected = RGB(0xe2b3ff),
    .outline_px = 1.8,
  },
};

const CwuTheme *
cwu_theme_get(CwuThemeKind kind)
{
  return &themes[CLAMP((int)kind, 0, CWU_N_THEMES - 1)];
}

CwuColour
cwu_colour_mix(CwuColour a, CwuColour b, double t)
{
  return (CwuColour){ a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t,
                      a.a + (b.a - a.a) * t };
}

CwuColour
cwu_colour_fade(CwuColour colour, double alpha)
{
  colour.a *= alpha;
  return colour;
}

static double
linear(double channel)
{
  return channel <= 0.03928 ? channel / 12.92 : pow((channel + 0.055) / 1.055, 2.4);
}

static double
luminance(CwuColour c)
{
  return 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
}

double
cwu_colour_contrast(CwuColour a, CwuColour b)
{
  double la = luminance(a), lb = luminance(b);
  return (MAX(la, lb) + 0.05) / (MIN(la, lb) + 0.05);
}
