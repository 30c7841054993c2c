/* note-painter.c - see note-painter.h. Text is broken greedily at spaces; a note that is longer
 * than its card ends in "…" (it is read whole where it is edited). */
#include "picture/note-painter.h"

#include <math.h>
#include <string.h>

#include "picture/clear-place.h"

#define WIDTH_PX   170.0
#define MAX_LINES  5
#define PADDING_PX 7.0
#define LINE_PX    16.0
/* From the node to its note's near corner. */
#define OFF_X_PX 16.0
#define OFF_Y_PX 14.0
/* Further off, where the places beside the node are taken. */
#define N_RINGS     4
#define RING_PX     12.0
#define NOTE_WEIGHT 3.0 /* of covering another note; see clear-place.h */
#define OWN_WEIGHT  9.0 /* or its node, which could not be taken hold of then */

static void
note_clear(gpointer data)
{
  g_strfreev(((CwuNoteCard *)data)->lines);
}

/* As many whole words as fit, at least one; returns what is left. */
static const char *
take_line(CwuTextFace *face, const char *text, char **line)
{
  const char *end = text, *space = text;
  double width = 0, height;
  while (*end != '\0') {
    space = end + (*end == ' ');
    space += strcspn(space, " ");
    g_autofree char *part = g_strndup(text, (gsize)(space - text));
    cwu_text_face_measure(face, part, CWU_TEXT_PX, false, &width, &height);
    if (width > WIDTH_PX && end > text)
      break;
    end = space;
  }
  g_autofree char *words = g_strndup(text, (gsize)(end - text));
  *line = cwu_text_face_dup_fitting(face, g_strstrip(words), CWU_TEXT_PX, false, WIDTH_PX);
  while (*end == ' ')
    end++;
  return end;
}

static char **
break_lines(CwuTextFace *face, const char *text)
{
  g_autofree char *flat = g_utf8_make_valid(text, -1);
  g_auto(GStrv) paragraphs = g_strsplit(flat, "\n", MAX_LINES + 1);
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  bool is_cut = false;
  for (char **p = paragraphs; *p != NULL && !is_cut; p++) {
    const char *rest = *p;
    do {
      char *line;
      is_cut = lines->len == MAX_LINES;
      if (is_cut)
        break;
      rest = take_line(face, rest, &line);
      g_ptr_array_add(lines, line);
    } while (*rest != '\0');
  }
  if (is_cut) {
    char **last = (char **)&g_ptr_array_index(lines, lines->len - 1);
    char *longer = g_strconcat(*last, "…", NULL);
    g_free(*last);
    *last = longer;
  }
  g_ptr_array_add(lines, NULL);
  return (char **)g_ptr_array_free(g_steal_pointer(&lines), FALSE);
}

static void
measure(CwuTextFace *face, CwuNoteCard *card)
{
  double width, height;
  for (char **line = card->lines; *line != NULL; line++) {
    cwu_text_face_measure(face, *line, CWU_TEXT_PX, false, &width, &height);
    card->rect.width = MAX(card->rect.width, ceil(width) + 2 * PADDING_PX);
    card->rect.height += LINE_PX;
  }
  card->rect.width = MAX(card->rect.width, 4 * PADDING_PX);
  card->rect.height += 2 * PADDING_PX - 4;
}

/* Places beside a node: below and above it, to the right and to the left, at first close by. */
static size_t
list_places(CwuPoint at, const CwuRect *card, CwuRect places[4 * N_RINGS])
{
  size_t n = 0;
  for (int ring = 0; ring < N_RINGS; ring++) {
    double off_x = OFF_X_PX + ring * RING_PX / 2, off_y = OFF_Y_PX + ring * RING_PX;
    double right = at.x + off_x, left = at.x - off_x - card->width;
    double below = at.y + off_y, above = at.y - off_y - card->height;
    places[n++] = (CwuRect){ right, below, card->width, card->height };
    places[n++] = (CwuRect){ left, below, card->width, card->height };
    places[n++] = (CwuRect){ right, above, card->width, card->height };
    places[n++] = (CwuRect){ left, above, card->width, card->height };
  }
  return n;
}

/* What a note keeps off: its own node, others where they lie still, and the notes before it. */
static GArray *
obstacles_new(const CwuPicture *picture, CwuPoint at, const CwuRect *card, const GArray *notes)
{
  double off = 2 * (OFF_X_PX + N_RINGS * RING_PX), r = cwu_painter_radius(picture) + 2;
  double x = at.x - off - card->width, y = at.y - off - card->height;
  CwuRect reach = { x, y, 2 * (off + card->width), 2 * (off + card->height) };
  GArray *obstacles = picture->layout->kind == CWU_LAYOUT_LAYERS
                          ? cwu_obstacles_new(picture, &reach)
                          : g_array_new(FALSE, FALSE, sizeof(CwuObstacle));
  cwu_obstacles_add(obstacles, &(CwuRect){ at.x - r, at.y - r, 2 * r, 2 * r }, OWN_WEIGHT);
  for (guint i = 0; i < notes->len; i++)
    cwu_obstacles_add(obstacles, &g_array_index(notes, CwuNoteCard, i).rect, NOTE_WEIGHT);
  return obstacles;
}

/* Where it covers least, and inside of the picture. */
static void
place_beside_node(const CwuPicture *picture, CwuNoteCard *card, size_t node,
                  const GArray *notes)
{
  const CwuRect *plot = &picture->camera.plot;
  CwuPoint at = cwu_layout_at(picture->layout, &picture->camera, node);
  CwuRect places[4 * N_RINGS];
  size_t n = list_places(at, &card->rect, places);
  card->has_node = true;
  card->of_node = at;
  if (!cwu_rect_contains(plot, at.x, at.y)) { /* It goes where its node goes. */
    card->rect = places[0];
    return;
  }
  g_autoptr(GArray) obstacles = obstacles_new(picture, at, &card->rect, notes);
  card->rect = cwu_obstacles_clearest(obstacles, places, n, plot);
}

GArray *
cwu_notes_place(CwuTextFace *face, const CwuPicture *picture)
{
  GArray *notes = g_array_new(FALSE, FALSE, sizeof(CwuNoteCard));
  g_array_set_clear_func(notes, note_clear);
  size_t n = picture->state != NULL ? cw_document_state_get_n_notes(picture->state) : 0;
  for (size_t i = 0; i < n; i++) {
    const CwDocumentNote *note = cw_document_state_peek_note(picture->state, i);
    int64_t node = cwu_scene_find(picture->scene, note->node);
    if (note->node >= 0 && node < 0)
      continue;
    CwuNoteCard card = { .id = note->id, .lines = break_lines(face, note->text) };
    measure(face, &card);
    if (node >= 0) {
      place_beside_node(picture, &card, (size_t)node, notes);
    } else {
      CwuPoint at = cwu_camera_to_screen(&picture->camera, note->x * picture->layout->width,
                                         note->y * picture->layout->height);
      card.rect.x = at.x;
      card.rect.y = at.y;
    }
    g_array_append_val(notes, card);
  }
  return notes;
}

static void
draw_note(CwuCanvas *canvas, const CwuPicture *picture, const CwuNoteCard *note)
{
  const CwuTheme *theme = picture->theme;
  CwuRect r = { floor(note->rect.x) + 0.5, floor(note->rect.y) + 0.5, note->rect.width,
                note->rect.height };
  CwuStyle paper = { .fill = theme->note, .stroke = theme->card_border, .stroke_px = 1 };
  if (note->has_node) {
    CwuStyle leader = { .stroke = theme->text_dim, .stroke_px = 1 };
    CwuPoint to = { CLAMP(note->of_node.x, r.x, r.x + r.width),
                    CLAMP(note->of_node.y, r.y, r.y + r.height) };
    canvas->class->line(canvas, note->of_node, to, &leader);
  }
  canvas->class->box(canvas, &r, 3, &paper);
  for (size_t i = 0; note->lines[i] != NULL; i++) {
    CwuText text = { .text = note->lines[i],
                     .at = { r.x + PADDING_PX,
                             r.y + PADDING_PX - 2 + LINE_PX * ((double)i + 0.5) },
                     .size_px = CWU_TEXT_PX,
                     .colour = theme->text };
    canvas->class->text(canvas, &text);
  }
}

void
cwu_notes_draw(CwuCanvas *canvas, const CwuPicture *picture, const GArray *notes)
{
  CwuRect clip = picture->camera.plot;
  canvas->class->push_clip(canvas, &clip);
  for (guint i = 0; i < notes->len; i++)
    draw_note(canvas, picture, &g_array_index(notes, CwuNoteCard, i));
  canvas->class->pop_clip(canvas);
}

const CwuNoteCard *
cwu_notes_find(const GArray *notes, double x, double y)
{
  for (guint i = notes->len; i-- > 0;) {
    const CwuNoteCard *note = &g_array_index(notes, CwuNoteCard, i);
    if (cwu_rect_contains(&note->rect, x, y))
      return note;
  }
  return NULL;
}
