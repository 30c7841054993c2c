/* drawing.h - anything that marks can be put on, as a file: PNG, SVG or PDF. */
#pragma once

#include "picture/canvas.h"

typedef struct {
  double width, height; /* px of layout */
  double scale;         /* pixels (PNG) or points (PDF, SVG) per px */
  const char *title;    /* of the document */
  void (*draw)(CwuCanvas *canvas, gconstpointer data);
  /* For pixels, if they are made otherwise than by marks; may be NULL. */
  bool (*draw_pixels)(cairo_t *cr, gconstpointer data, GError **error);
  gconstpointer data;
} CwuDrawing;

/* Whether its sides have 1..32767 pixels after scaling. */
bool cwu_drawing_check_size(double width, double height, double scale, GError **error);
/* Whether the ending says what to write. */
bool cwu_drawing_check_path(const char *path, GError **error);
/* Writes atomically, by the ending of the path. Same drawing, same bytes. */
bool cwu_drawing_write(const CwuDrawing *drawing, const char *path, GError **error);
/* As an image surface, its device scale set; `what` begins the message of an error. Transfer
 * full. */
cairo_surface_t *cwu_drawing_new_image(const CwuDrawing *drawing, const char *what,
                                       GError **error);
/* With marks, width x height px from the origin of a context of the caller's. */
bool cwu_drawing_draw_on(const CwuDrawing *drawing, cairo_t *cr, const char *what,
                         GError **error);
