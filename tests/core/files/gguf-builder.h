/* gguf-builder.h - GGUF files for tests, byte by byte, good ones and bad ones. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* ggml's numbers of the value kinds. */
enum {
  GGUF_U8,
  GGUF_I8,
  GGUF_U16,
  GGUF_I16,
  GGUF_U32,
  GGUF_I32,
  GGUF_F32,
  GGUF_BOOL,
  GGUF_STRING,
  GGUF_ARRAY,
  GGUF_U64,
  GGUF_I64,
  GGUF_F64
};

void gguf_u8(GByteArray *out, uint8_t value);
void gguf_u32(GByteArray *out, uint32_t value);
void gguf_u64(GByteArray *out, uint64_t value);
void gguf_f32(GByteArray *out, float value);
void gguf_string(GByteArray *out, const char *text, size_t n);

/* "GGUF", the version and the two counts. */
GByteArray *gguf_begin(uint32_t version, uint64_t n_tensors, uint64_t n_pairs);
void gguf_key(GByteArray *out, const char *key, uint32_t kind);
void gguf_tensor(GByteArray *out, const char *name, uint32_t n_dims, const uint64_t *dims,
                 uint32_t type, uint64_t offset);
/* Zeros up to a multiple of alignment, then n bytes 0, 1, 2, ... */
void gguf_data(GByteArray *out, size_t alignment, size_t n);

/* A valid file with a value of every kind and four tensors, 448 bytes of data among them. */
GByteArray *gguf_valid(void);
