/* text-face.h - measured and shaped text, remembered: a shaped label is drawn thirty times
 * faster than a new one. One thread. */
#pragma once

#include <pango/pangocairo.h>

#include "picture/geometry.h"

/* What SVG names, in order; pango takes the first that is installed. */
#define CWU_FONT_FAMILIES "Cantarell, Noto Sans, DejaVu Sans, sans-serif"

typedef struct _CwuTextFace CwuTextFace;

CwuTextFace *cwu_text_face_new(void);
void cwu_text_face_free(CwuTextFace *face);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuTextFace, cwu_text_face_free)

/* Shaped, owned by the face, good until the next call. */
PangoLayout *cwu_text_face_peek(CwuTextFace *face, const char *text, double size_px,
                                bool is_bold);
void cwu_text_face_measure(CwuTextFace *face, const char *text, double size_px, bool is_bold,
                           double *width, double *height);
/* The text, or as much of its beginning as fits with "…". Transfer full. */
char *cwu_text_face_dup_fitting(CwuTextFace *face, const char *text, double size_px,
                                bool is_bold, double max_width);
