/* thumbnail.h - a small picture of a graph's file, made on another thread. */
#pragma once

#include <gtk/gtk.h>

#include "cwu-picture.h"

G_BEGIN_DECLS

/* What a file's card shows. */
typedef struct {
  GdkTexture *picture;
  char *prompt; /* for display */
  char *answer; /* "Paris 75%", the likeliest output; NULL: none */
} CwuThumbnail;

void cwu_thumbnail_free(CwuThumbnail *thumbnail);

/* Reads, prunes and draws; files of more than 32 MiB are refused. width, height in px. */
void cwu_thumbnail_make_async(GFile *file, int width, int height, int scale, CwuThemeKind theme,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data);
CwuThumbnail *cwu_thumbnail_make_finish(GAsyncResult *result, GError **error);

G_END_DECLS
