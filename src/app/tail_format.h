#pragma once

#include "base/result.h"
#include "log/record_batch.h"

#include <string>
#include <string_view>
#include <vector>

namespace questlog::app {

/// kcat's output format (-f): %s value, %S its length, %k key, %K its length (-1: none), %o offset, %p partition,
/// %t topic, %T timestamp in ms, %h headers, %%; and the escapes \n \t \r \xNN.
class TailFormat {
public:
    static Result<TailFormat> parse(std::string_view text);
    void append(std::string& out, std::string_view topic, Partition partition, const log::Record& record) const;

    [[nodiscard]] bool has_headers() const; ///< %h is in it.

private:
    struct Part {
        char field = 0; ///< 0: literal.
        std::string literal;
    };
    std::vector<Part> parts_;
};

} // namespace questlog::app
