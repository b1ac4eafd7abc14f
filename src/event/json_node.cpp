#include "event/json_node.h"

#include "event/json_string.h"
#include "event/wide_numbers.h"

#include <fmt/format.h>
#include <simdjson.h>

namespace questlog::event {
namespace {

JsonNode node_of(simdjson::dom::element element) {
    using simdjson::dom::element_type;
    JsonNode node;
    switch (element.type()) {
    case element_type::NULL_VALUE: break;
    case element_type::BOOL:
        node.kind = JsonNode::Kind::boolean;
        node.boolean = element.get_bool().value_unsafe();
        break;
    case element_type::INT64:
        node.kind = JsonNode::Kind::integer;
        node.integer = element.get_int64().value_unsafe();
        node.number = static_cast<double>(node.integer);
        break;
    case element_type::UINT64:
    case element_type::DOUBLE:
        node.kind = JsonNode::Kind::number;
        node.number = element.get_double().value_unsafe();
        break;
    case element_type::STRING:
        node.kind = JsonNode::Kind::string;
        node.string = element.get_string().value_unsafe();
        break;
    case element_type::ARRAY: {
        node.kind = JsonNode::Kind::array;
        const simdjson::dom::array array = element.get_array().value_unsafe();
        for (const simdjson::dom::element one : array) node.elements.push_back(node_of(one));
        break;
    }
    case element_type::OBJECT: {
        node.kind = JsonNode::Kind::object;
        const simdjson::dom::object object = element.get_object().value_unsafe();
        for (const auto [key, value] : object) node.members.push_back({std::string(key), node_of(value)});
        break;
    }
    }
    return node;
}

} // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
    for (const auto& [name, value] : members)
        if (name == key) return value.kind == Kind::null ? nullptr : &value;
    return nullptr;
}

std::string JsonNode::string_of(std::string_view key, std::string_view otherwise) const {
    const JsonNode* found = find(key);
    return found != nullptr && found->kind == Kind::string ? found->string : std::string(otherwise);
}

std::int64_t JsonNode::integer_of(std::string_view key, std::int64_t otherwise) const {
    const JsonNode* found = find(key);
    return found != nullptr && found->kind == Kind::integer ? found->integer : otherwise;
}

std::optional<JsonNode> parse_json(std::string_view text) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    auto error = parser.parse(simdjson::padded_string(text)).get(root);
    if (error == simdjson::NUMBER_ERROR) { // JSON allows numbers of any size, which the parser does not
        std::string blanked(text);
        if (blank_wide_numbers(blanked)) error = parser.parse(simdjson::padded_string(blanked)).get(root);
    }
    if (error != simdjson::SUCCESS) return std::nullopt;
    return node_of(root);
}

std::string json_text(const JsonNode& node) {
    std::string text;
    switch (node.kind) {
    case JsonNode::Kind::null: return "null";
    case JsonNode::Kind::boolean: return node.boolean ? "true" : "false";
    case JsonNode::Kind::integer: return fmt::format("{}", node.integer);
    case JsonNode::Kind::number: return fmt::format("{}", node.number);
    case JsonNode::Kind::string: return json_string(node.string);
    case JsonNode::Kind::array:
        for (const JsonNode& element : node.elements) text += (text.empty() ? "" : ",") + json_text(element);
        return "[" + text + "]";
    case JsonNode::Kind::object:
        for (const auto& [key, value] : node.members)
            text += fmt::format("{}{}:{}", text.empty() ? "" : ",", json_string(key), json_text(value));
        return "{" + text + "}";
    }
    return text;
}

} // namespace questlog::event
