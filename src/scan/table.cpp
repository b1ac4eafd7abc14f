#include "scan/table.h"

#include "base/letter_case.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>

namespace questlog::scan {
namespace {

/// Raised when the same declaration begins to mean other rows, so that what was landed under the old meaning is not
/// used.
constexpr std::string_view meaning_version = "1";

/// FNV-1a, 64 bits, over fields that are framed by their lengths. Declarations are the owner's own: it has to tell
/// them apart, not to resist forgery.
class Fingerprint {
public:
    void add(std::string_view field) {
        mix(fmt::format("{}:", field.size()));
        mix(field);
    }
    [[nodiscard]] std::string hex() const { return fmt::format("{:016x}", state_); }

private:
    void mix(std::string_view bytes) {
        for (const char c : bytes) {
            state_ ^= static_cast<unsigned char>(c);
            state_ *= 0x100000001b3ULL;
        }
    }
    std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

} // namespace

std::string TableDeclaration::digest() const {
    std::vector<std::pair<std::string, std::string>> columns; // All are set at once: their order means nothing.
    for (const SetColumn& one : set) columns.emplace_back(one.column, one.expression.normal_form());
    std::sort(columns.begin(), columns.end());

    Fingerprint fingerprint;
    fingerprint.add(meaning_version);
    fingerprint.add(topic);
    for (const auto& [column, sql] : columns) {
        fingerprint.add("set");
        fingerprint.add(column);
        fingerprint.add(sql);
    }
    if (where) {
        fingerprint.add("where");
        fingerprint.add(where->normal_form());
    }
    return fingerprint.hex();
}

std::optional<std::vector<std::string>> TableDeclaration::event_types() const {
    if (!where) return std::nullopt;
    const bool replaced = std::any_of(set.begin(), set.end(), [](const SetColumn& one) {
        return equal_but_for_case(one.column, "event_type"); // `where` then sees the new value.
    });
    return replaced ? std::nullopt : where->event_types();
}

} // namespace questlog::scan
