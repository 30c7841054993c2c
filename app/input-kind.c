/* input-kind.c - looks at names in a folder or at the first bytes of a file. */
#include "input-kind.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cw-runs.h"
#include "cw-train.h"

static bool
folder_has(const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

static bool
detect_folder(const char *path, CwaInputKind *kind, GError **error)
{
  static const char *const transcoder_names[] = {
    "config.yaml",         "config.yml",          "clt_cfg.json",
    "W_enc_0.safetensors", "layer_0.safetensors", "transcoder.safetensors"
  };
  for (size_t i = 0; i < G_N_ELEMENTS(transcoder_names); i++)
    if (folder_has(path, transcoder_names[i])) {
      *kind = CWA_INPUT_TRANSCODER;
      return true;
    }
  if (cw_checkpoint_is_folder(path)) {
    *kind = CWA_INPUT_CHECKPOINT;
    return true;
  }
  if (cw_run_is_folder(path)) {
    *kind = CWA_INPUT_RUN;
    return true;
  }
  if (folder_has(path, "manifest.json")) {
    *kind = CWA_INPUT_CACHE;
    return true;
  }
  if (folder_has(path, "config.json")) {
    *kind = CWA_INPUT_MODEL_FOLDER;
    return true;
  }
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
              "%s: a folder without config.json (a Hugging Face model), config.yaml (a "
              "transcoder), clt_cfg.json (a CLT-Forge checkpoint), manifest.json (a cache), "
              "run.json (a run) or checkpoint.json (a checkpoint of a training)",
              path);
  return false;
}

/* Pickles: bare (protocol 2 to 5), in a zip (PyTorch since 1.6), or NumPy's archives of them.
 */
static bool
looks_pickled(const unsigned char *head, size_t n)
{
  bool is_zip = n >= 4 && memcmp(head, "PK\003\004", 4) == 0;
  return is_zip || (n >= 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5);
}

/* Safetensors: the header's length, little-endian, within the file, then the header, "{". */
static bool
looks_like_safetensors(const unsigned char *head, size_t n, uint64_t file_size)
{
  uint64_t length = 0;
  if (n < 9 || head[8] != '{')
    return false;
  memcpy(&length, head, sizeof length);
  return GUINT64_FROM_LE(length) <= file_size - 8;
}

static bool
detect_file(const char *path, uint64_t size, CwaInputKind *kind, GError **error)
{
  unsigned char head[16] = { 0 };
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s cannot be read: %s", path, g_strerror(errno));
    return false;
  }
  size_t n = fread(head, 1, sizeof head, file);
  fclose(file);
  if (looks_pickled(head, n)) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: a pickled or zipped file (.pt, .bin, .npz); opening one can run code, so "
                "Clew never does. Save it as safetensors and use that",
                path);
    return false;
  }
  if (n >= 4 && memcmp(head, "GGUF", 4) == 0)
    *kind = CWA_INPUT_MODEL_FILE;
  else if (looks_like_safetensors(head, n, size) || g_str_has_suffix(path, ".safetensors"))
    *kind = CWA_INPUT_TENSORS;
  else if (g_str_has_suffix(path, ".gguf"))
    *kind = CWA_INPUT_MODEL_FILE;
  else
    *kind = CWA_INPUT_GRAPH;
  return true;
}

bool
cwa_input_detect(const char *path, CwaInputKind *kind, GError **error)
{
  struct stat facts;
  if (stat(path, &facts) != 0) {
    g_set_error(error, CW_ERROR, errno == ENOENT ? CW_ERROR_NOT_FOUND : CW_ERROR_IO,
                "%s cannot be opened: %s; check the path", path, g_strerror(errno));
    return false;
  }
  if (S_ISDIR(facts.st_mode))
    return detect_folder(path, kind, error);
  return detect_file(path, (uint64_t)facts.st_size, kind, error);
}
