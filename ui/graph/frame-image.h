/* frame-image.h - a whole picture as one image of cairo, for GTK's software renderer.
 *
 * GTK 4.8 draws a texture in software by converting all of it through floats to a new image, in
 * every frame (8 ms for a canvas of 1440 x 900), and a node of cairo by playing its commands
 * on a new image that is blended onto the window's. So there everything is drawn at once, and
 * handed over as one opaque image, which is copied. With a GPU it is the other way: textures
 * stay there, and what cairo draws is uploaded. */
#pragma once

#include <gtk/gtk.h>

#include "picture/geometry.h"

/* Two images in turn: while one is drawn, GTK may still hold the other. Zeroed is empty. */
typedef struct {
  cairo_surface_t *images[2];
  guint turn;
} CwuFrameImage;

/* Whether this widget's window is drawn in software. */
bool cwu_frame_image_is_wanted(GtkWidget *widget);
void cwu_frame_image_clear(CwuFrameImage *image);
/* Draws on an image of all's size in px of the picture; NULL without memory. Transfer full. */
cairo_t *cwu_frame_image_begin(CwuFrameImage *image, const CwuRect *all, double scale);
/* What was drawn; frees cr. Transfer full. */
GskRenderNode *cwu_frame_image_end(CwuFrameImage *image, cairo_t *cr, const CwuRect *all);
/* The pixels of an image, of which it takes the scale and offset away. Transfer full. */
GdkTexture *cwu_frame_texture_new(cairo_surface_t *image);
/* The image in device pixels that such a texture was made of: the same memory. Borrowed. */
cairo_surface_t *cwu_frame_texture_peek_image(GdkTexture *texture);
