#include "cjson.h"

#include <memory>
#include <new>
#include <simdjson.h>
#include <vector>

struct cjson_document {
  simdjson::dom::parser parser;
  std::vector<cjson_node> nodes;
};

namespace {

void append_string(std::vector<cjson_node> &nodes, std::string_view text) {
  cjson_node node{};
  node.kind = CJSON_STRING;
  node.count = text.size();
  node.string = text.data();
  nodes.push_back(node);
}

// Recursion is bounded: the parser has already refused what is nested deeper than its depth limit.
void append(std::vector<cjson_node> &nodes, simdjson::dom::element element) {
  using type = simdjson::dom::element_type;
  cjson_node node{};
  switch (element.type()) {
  case type::ARRAY: {
    size_t place = nodes.size();
    node.kind = CJSON_ARRAY;
    nodes.push_back(node);
    size_t count = 0;
    // Named, because a range-for does not keep the temporary alive that its range points into.
    simdjson::dom::array children = element.get_array().value_unsafe();
    for (auto child : children) {
      append(nodes, child);
      count++;
    }
    nodes[place].count = count;
    return;
  }
  case type::OBJECT: {
    size_t place = nodes.size();
    node.kind = CJSON_OBJECT;
    nodes.push_back(node);
    size_t count = 0;
    simdjson::dom::object fields = element.get_object().value_unsafe();
    for (auto field : fields) {
      append_string(nodes, field.key);
      append(nodes, field.value);
      count++;
    }
    nodes[place].count = count;
    return;
  }
  case type::STRING:
    append_string(nodes, element.get_string().value_unsafe());
    return;
  case type::BOOL:
    node.kind = CJSON_BOOL;
    node.boolean = element.get_bool().value_unsafe();
    break;
  case type::INT64:
    node.kind = CJSON_INT;
    node.integer = element.get_int64().value_unsafe();
    break;
  case type::UINT64:
    node.kind = CJSON_DOUBLE;
    node.number = static_cast<double>(element.get_uint64().value_unsafe());
    break;
  case type::DOUBLE:
    node.kind = CJSON_DOUBLE;
    node.number = element.get_double().value_unsafe();
    break;
  case type::NULL_VALUE:
    node.kind = CJSON_NULL;
    break;
  }
  nodes.push_back(node);
}

} // namespace

extern "C" enum cjson_status cjson_parse(const uint8_t *bytes, size_t length, size_t maximum_depth,
                                         struct cjson_document **document, const char **message) {
  *document = nullptr;
  *message = "";
  try {
    auto made = std::make_unique<cjson_document>();
    auto error = made->parser.allocate(length + 1, maximum_depth);
    if (error) {
      *message = simdjson::error_message(error);
      return CJSON_NO_MEMORY;
    }
    simdjson::dom::element root;
    error = made->parser.parse(bytes, length, true).get(root);
    if (error) {
      *message = simdjson::error_message(error);
      return error == simdjson::DEPTH_ERROR ? CJSON_TOO_DEEP : error == simdjson::MEMALLOC ? CJSON_NO_MEMORY : CJSON_MALFORMED;
    }
    made->nodes.reserve(length / 8 + 8);
    append(made->nodes, root);
    *document = made.release();
    return CJSON_OK;
  } catch (const std::bad_alloc &) {
    *message = "out of memory";
    return CJSON_NO_MEMORY;
  }
}

extern "C" const struct cjson_node *cjson_nodes(const struct cjson_document *document) { return document->nodes.data(); }

extern "C" void cjson_free(struct cjson_document *document) { delete document; }
