/* tensor-file.h - what the two formats fill in behind cw-tensor-file.h. */
#pragma once

#include "cw-tensor-file.h"

/* Far above any published file; a bound on what a header can make us allocate. */
#define CW_MAX_TENSORS       65536
#define CW_MAX_METADATA_KEYS 65536
#define CW_MAX_NAME_BYTES    1024

typedef enum {
  CW_METADATA_STRING,
  CW_METADATA_INT,
  CW_METADATA_DOUBLE,
  CW_METADATA_BOOL,
  CW_METADATA_STRINGS,
  CW_METADATA_INTS,
  CW_METADATA_FLOATS,
  CW_METADATA_OTHER /* an array no getter hands out */
} CwMetadataKind;

typedef struct {
  CwMetadataKind kind;
  size_t n; /* of an array */
  union {
    char *string;
    int64_t integer;
    double number;
    bool flag;
    struct {
      const char **values; /* into the map */
      uint32_t *lengths;
    } strings;
    int32_t *ints;
    float *floats;
  };
} CwMetadata;

struct _CwTensorFile {
  char *path;
  GMappedFile *map; /* NULL where the bytes are borrowed */
  const uint8_t *bytes;
  size_t n_bytes;
  bool is_gguf;
  GArray *tensors;      /* of CwTensor, in the file's order */
  GStringChunk *names;  /* of the tensors */
  GHashTable *by_name;  /* name -> its index + 1 */
  GHashTable *metadata; /* key -> CwMetadata */
};

/* A file that lies in memory already; the bytes are borrowed until it is closed. */
CwTensorFile *cw_tensor_file_open_bytes(const char *name, const void *bytes, size_t n_bytes,
                                        GError **error);

/* Each reads the whole header of a mapped file and checks every range in it. */
bool cw_safetensors_parse(CwTensorFile *file, GError **error);
bool cw_gguf_parse(CwTensorFile *file, GError **error);

/* Takes a tensor over, its name copied; a second of one name is an error. */
bool cw_tensor_file_add(CwTensorFile *file, const CwTensor *tensor, GError **error);
/* Takes value over, fails as above. */
bool cw_tensor_file_add_metadata(CwTensorFile *file, const char *key, CwMetadata *value,
                                 GError **error);
void cw_metadata_free(CwMetadata *value);

/* n_bytes from the shape; false if a product overflows or a row holds no whole blocks. */
bool cw_tensor_measure(CwTensor *tensor, size_t element_bytes);
