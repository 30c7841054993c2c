/* fuzz-config-yaml.c - config.yaml of a transcoder folder. */
#include <string.h>

#include "clt/yaml-scalars.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GHashTable) scalars = cw_yaml_parse_scalars((const char *)data, n, "f", &error);
  if ((scalars == NULL) != (error != NULL))
    g_error("a result and an error at once, or neither");
  return 0;
}

GPtrArray *
fuzz_make_seeds(void)
{
  static const char *const texts[] = {
    "model_kind: transcoder_set\nfeature_input_hook: 'ln2.hook_normalized'\nk: 4\n"
    "transcoders:\n  - layer_0.safetensors\n  - layer_1.safetensors\n",
    "a: \"x\\n\\u00e4\"\nb: {c: [1, 2], d: ~}\ne: |\n  text\n  more\nf: >-\n  folded\n",
    "%YAML 1.1\n---\n? k\n: v\n...\n",
    "a: &x [1]\nb: *x\n",
    "!!map {a: !!str b}\n# comment\n",
  };
  return fuzz_seeds_of_texts(texts, G_N_ELEMENTS(texts));
}
