#include "cjson.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>
#include <vector>

struct cjson_document {
  simdjson::dom::parser parser;
  std::vector<uint8_t> text;
  std::vector<cjson_node> nodes;
};

namespace {

// A document of the usual size is used again by its thread: allocating one takes longer than parsing.
constexpr size_t kept_capacity = 32 << 10;
thread_local std::unique_ptr<cjson_document> spare;

std::unique_ptr<cjson_document> document_for(size_t length, size_t maximum_depth, simdjson::error_code &error) {
  auto document = spare ? std::move(spare) : std::make_unique<cjson_document>();
  auto &parser = document->parser;
  error = simdjson::SUCCESS;
  if (parser.capacity() <= length || parser.max_depth() != maximum_depth)
    error = parser.allocate(std::max<size_t>(length + 1, 8 << 10), maximum_depth);
  return document;
}

void append_string(std::vector<cjson_node> &nodes, std::string_view text) {
  cjson_node node{};
  node.kind = CJSON_STRING;
  node.count = text.size();
  node.string = text.data();
  nodes.push_back(node);
}

// Recursion is bounded: the parser has already refused what is nested deeper than its depth limit.
void append(std::vector<cjson_node> &nodes, simdjson::dom::element element, size_t levels) {
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
    if (levels > 0) {
      for (auto child : children) {
        append(nodes, child, levels - 1);
        count++;
      }
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
    if (levels > 0) {
      for (auto field : fields) {
        append_string(nodes, field.key);
        append(nodes, field.value, levels - 1);
        count++;
      }
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

void append_member(std::vector<cjson_node> &nodes, simdjson::dom::object fields, std::string_view member) {
  cjson_node node{};
  node.kind = CJSON_OBJECT;
  nodes.push_back(node);
  size_t count = 0;
  for (auto field : fields) {
    if (field.key != member) continue;
    append_string(nodes, field.key);
    append(nodes, field.value, SIZE_MAX);
    count++;
  }
  nodes[0].count = count;
}

} // namespace

extern "C" enum cjson_status cjson_parse(const uint8_t *bytes, size_t length, size_t maximum_depth, const char *member,
                                         size_t levels, struct cjson_document **document, const char **message) {
  *document = nullptr;
  *message = "";
  try {
    simdjson::error_code error;
    auto made = document_for(length, maximum_depth, error);
    if (error) {
      *message = simdjson::error_message(error);
      return CJSON_NO_MEMORY;
    }
    made->text.resize(length + simdjson::SIMDJSON_PADDING);
    if (length > 0) memcpy(made->text.data(), bytes, length);
    simdjson::dom::element root;
    error = made->parser.parse(made->text.data(), length, false).get(root);
    if (error) {
      *message = simdjson::error_message(error);
      return error == simdjson::DEPTH_ERROR ? CJSON_TOO_DEEP : error == simdjson::MEMALLOC ? CJSON_NO_MEMORY : CJSON_MALFORMED;
    }
    made->nodes.clear();
    if (member && root.is_object())
      append_member(made->nodes, root.get_object().value_unsafe(), member);
    else
      append(made->nodes, root, levels);
    *document = made.release();
    return CJSON_OK;
  } catch (const std::bad_alloc &) {
    *message = "out of memory";
    return CJSON_NO_MEMORY;
  }
}

extern "C" const struct cjson_node *cjson_nodes(const struct cjson_document *document) { return document->nodes.data(); }

extern "C" void cjson_free(struct cjson_document *document) {
  std::unique_ptr<cjson_document> freed(document);
  if (!spare && document && document->parser.capacity() <= kept_capacity) spare = std::move(freed);
}
