#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace questlog::event {

/// A copy of a JSON text, followed by the readable bytes that validators and parsers ask for.
class PaddedJson {
public:
    explicit PaddedJson(std::string_view text) : bytes_(text), size_(text.size()) { bytes_.append(padding, ' '); }
    [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

private:
    static constexpr std::size_t padding = 64;
    std::string bytes_;
    std::size_t size_;
};

} // namespace questlog::event
