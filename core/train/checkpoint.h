/* checkpoint.h - the whole state of a run on disk, to go on from as if it had not stopped. */
#pragma once

#include <json-glib/json-glib.h>

#include "files/safetensors-writer.h"
#include "train/trainer-private.h"

#define CW_CHECKPOINT_STATE    "state.safetensors"
#define CW_CHECKPOINT_MANIFEST "checkpoint.json"

/* What a run needs besides the trainer's own state. */
typedef struct {
  int64_t stream_position;
  char *data_hash;   /* of the activations trained on; transfer full */
  char *data_cursor; /* of the stream; transfer full */
} CwCheckpointNote;

void cw_checkpoint_note_clear(CwCheckpointNote *note);

/* Writes folder/checkpoint-<step>: tensors first, the manifest last, then the folder takes its
 * name, so that what has the name is whole. Older checkpoints but the one before are removed,
 * those with a file `keep` in them aside. */
bool cw_checkpoint_write(const CwTrainer *trainer, const CwCheckpointNote *note,
                         const char *folder, bool is_kept, GError **error);

/* Paths of the checkpoints in a run's folder, newest first; empty where there is none. */
GPtrArray *cw_checkpoint_list(const char *folder);

/* Settings and step of a checkpoint, without reading its tensors. */
bool cw_checkpoint_read_settings(const char *path, CwTrainSettings *settings, int64_t *step,
                                 GError **error);

/* Fills in a trainer made with the checkpoint's settings. Every tensor is compared with its
 * checksum: the error names file, tensor and remedy, the trainer being unusable then. */
bool cw_checkpoint_read(CwTrainer *trainer, CwCheckpointNote *note, const char *path,
                        GError **error);

/* The manifest of a checkpoint, its own checksum compared, with an object of "settings" and one
 * of "checksums" by tensor. Transfer full. */
JsonNode *cw_checkpoint_load_manifest(const char *path, GError **error);
/* A tensor of the checkpoint's state by name and shape, compared with its checksum. */
const CwTensor *cw_checkpoint_require_tensor(const CwTensorFile *file, JsonObject *checksums,
                                             const char *path, const CwTensorOut *wanted,
                                             GError **error);
