// A flat reading of one JSON text by simdjson: the values in document order, each container followed by its members.
#ifndef CJSON_H
#define CJSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum cjson_kind { CJSON_NULL, CJSON_BOOL, CJSON_INT, CJSON_DOUBLE, CJSON_STRING, CJSON_ARRAY, CJSON_OBJECT };

/// One value. `count` is the number of elements of an array, of key-value pairs of an object (a key is a string node
/// before its value), of bytes of a string.
struct cjson_node {
  uint8_t kind;
  bool boolean;
  size_t count;
  union {
    int64_t integer;
    double number;
    const char *string;
  };
};

enum cjson_status { CJSON_OK, CJSON_MALFORMED, CJSON_TOO_DEEP, CJSON_NO_MEMORY };

struct cjson_document;

/// Checks `length` bytes (which need no padding) and reads them. The nodes live until cjson_free, which must be called
/// on the same thread. `message` is a static string.
///
/// With `member`, only the members of an object with that name are read. Containers below `levels` are read as empty:
/// at 1, the text's own container has members, and the containers among these have none.
enum cjson_status cjson_parse(const uint8_t *bytes, size_t length, size_t maximum_depth, const char *member, size_t levels,
                              struct cjson_document **document, const char **message);
const struct cjson_node *cjson_nodes(const struct cjson_document *document);
void cjson_free(struct cjson_document *document);

#ifdef __cplusplus
}
#endif
#endif
