#pragma once

#include "base/result.h"
#include "event/event_limits.h"
#include "event/schema.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::event {

/// A field that clients send with an event, in the query string or a JSON body.
struct FieldDeclaration {
    std::string name;
    ColumnType type = ColumnType::string;
    bool required = false;
    std::vector<std::string> one_of{};  ///< The values that it may have, as json.dumps writes them. Empty: any.
    std::optional<std::string> least{}; ///< Of a number, as JSON text: the least value, and the greatest.
    std::optional<std::string> most{};
};

/// What becomes of an event whose fields are not as declared.
enum class OnMismatch : std::uint8_t {
    reject, ///< 400, naming the field.
    keep,   ///< Stored as it came, and counted.
};

/// One declared call of the game's API and the event it becomes.
struct EventDeclaration {
    std::string path;                 ///< "/purchase_a_sword"; matched as sent, without the query.
    std::vector<std::string> methods; ///< Upper case; HEAD and OPTIONS need not be named and make no event.
    std::string type;                 ///< The event_type.
    /// Name and JSON text, in the order declared. A client's field or header of the same name replaces the value.
    std::vector<std::pair<std::string, std::string>> constants;
    std::vector<FieldDeclaration> fields; ///< Checked; fields that are not declared are stored as sent.
    OnMismatch on_mismatch = OnMismatch::reject;
    /// The field whose value becomes the record's key, by which the log chooses the partition. Empty: none.
    std::string key;
    std::string reply; ///< The body of the 200.
    std::string content_type = "text/html; charset=utf-8";
    /// Of Authorization, Proxy-Authorization and Cookie: those stored all the same.
    std::vector<std::string> store_headers;

    // Set by Catalogue::make.
    std::string opening;    ///< The value's beginning: '{"event_type": "default"' and the constants.
    std::string key_json;   ///< `key` as JSON text, quotes included; empty where there is none.
    bool adds_only = false; ///< Without query and body, headers can only be added: they replace and convert nothing.
};

/// The declared calls, by path. Read-only after it is made; any thread.
class Catalogue {
public:
    /// `reject` if a path is declared twice, is reserved (/events, /healthz, /readyz, /metrics), a name is not allowed,
    /// a constant is not JSON, or two declarations of a type name different keys. Constants' texts are respaced.
    static Result<Catalogue> make(std::vector<EventDeclaration> declarations, const EventLimits& limits = {});
    /// The reference game's calls.
    static std::vector<EventDeclaration> builtin();

    [[nodiscard]] const EventDeclaration* find(std::string_view path) const;
    /// The declarations whose fields an event of this type must have, as one of them says: empty where some declaration
    /// of the type has none.
    [[nodiscard]] std::span<const std::size_t> checked(std::string_view type) const;
    [[nodiscard]] bool checks_fields() const { return !checked_.empty(); } ///< Of any type.
    /// The key field of a type's events, as JSON text; empty: they have none.
    [[nodiscard]] std::string_view key_of(std::string_view type) const;
    [[nodiscard]] bool has_keys() const { return !keys_.empty(); } ///< Of any type.
    [[nodiscard]] const std::vector<EventDeclaration>& declarations() const { return declarations_; }

private:
    std::vector<EventDeclaration> declarations_;
    std::vector<std::size_t> by_path_; ///< Indexes into declarations_, sorted by path.
    std::map<std::string, std::vector<std::size_t>, std::less<>> checked_; ///< Likewise, by type.
    std::map<std::string, std::string, std::less<>> keys_;                 ///< Key fields as JSON text, by type.
};

} // namespace questlog::event
