/* force-driver.h - keeps a force-directed layout of what a document shows: follows its scene,
 * its fixed places and its gravity (edits, undo and redo alike), and is dragged. The layout
 * itself runs on its own thread (layout-runner.h). Main thread. */
#pragma once

#include "cw-document.h"
#include "picture/force-plane.h"

typedef struct _CwuForceDriver CwuForceDriver;

/* Called when nodes have moved; error is not NULL if they could not be laid out. */
typedef void (*CwuForceMovedCb)(const GError *error, gpointer user_data);

CwuForceDriver *cwu_force_driver_new(CwuForceMovedCb moved, gpointer user_data);
void cwu_force_driver_free(CwuForceDriver *driver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuForceDriver, cwu_force_driver_free)

/* Lays out another scene; nodes that were there before stay about where they are. Places and
 * gravity are the state's. O(N + E). */
void cwu_force_driver_set_scene(CwuForceDriver *driver, CwuScene *scene,
                                const CwDocumentState *state);
/* Follows the places and the gravity of a newer state of the same graph. */
void cwu_force_driver_set_state(CwuForceDriver *driver, const CwDocumentState *state);
/* Not watched, nothing moves and no time is used. */
void cwu_force_driver_set_watched(CwuForceDriver *driver, bool is_watched);
/* Only layouts at rest are told of. */
void cwu_force_driver_set_reduced_motion(CwuForceDriver *driver, bool is_reduced);

/* The scene laid out; NULL: none yet. */
CwuScene *cwu_force_driver_peek_scene(const CwuForceDriver *driver);
bool cwu_force_driver_is_settled(const CwuForceDriver *driver);
/* Where its nodes are now, for a plot of this size; NULL: not known yet. Transfer full. */
CwuLayout *cwu_force_driver_dup_layout(CwuForceDriver *driver, double width, double height);

/* The same by graph nodes, in diameters, y upwards: [nodes of the graph, 2], NaN where a node
 * is not laid out; NULL: not known yet. Transfer full. */
float *cwu_force_driver_dup_places(CwuForceDriver *driver);

/* Holds a node (of the scene) under the pointer: px of the layout at zoom 1. The picture's
 * scale stays as it is until the drop. */
void cwu_force_driver_drag(CwuForceDriver *driver, size_t node, double width, double height,
                           CwuPoint at);
/* Where the node was dragged to, in diameters. */
CwuPoint cwu_force_driver_drop(CwuForceDriver *driver);
