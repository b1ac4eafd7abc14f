#pragma once

#include <string>

namespace questlog::http {

/// Why a request is not taken, before anybody asks what it means.
struct Refusal {
    unsigned status = 400;
    std::string text; ///< A line that says what to do.
};

} // namespace questlog::http
