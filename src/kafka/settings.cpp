#include "kafka/settings.h"

#include "base/checked_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace questlog::kafka {
namespace {

bool is_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return false;
    std::string_view host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    if (digits.empty() || digits.front() < '0' || digits.front() > '9' || !parse_number(digits, port) || port == 0)
        return false;
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2); // an IPv6 address
    return !host.empty() && host.find_first_of(bracketed ? "[]/ \t\r\n" : "[]/ \t\r\n:") == std::string_view::npos;
}

} // namespace

Status check_bootstrap(std::string_view text) {
    std::string_view rest = text;
    while (true) {
        const std::size_t comma = rest.find(',');
        const std::string_view address = rest.substr(0, comma);
        if (!is_address(address))
            return reject(
                "\"{}\" is no address of a Kafka broker; write HOST:PORT, or several with commas and no spaces, "
                "as kafka1:9092,kafka2:9092",
                address);
        if (comma == std::string_view::npos) return {};
        rest.remove_prefix(comma + 1);
    }
}

bool is_secret_property(std::string_view name) {
    // sasl.oauthbearer.config holds a client's secret, ssl.key.pem the key itself.
    constexpr std::array parts{"password", "secret", "key.pem", "oauthbearer.config"};
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

} // namespace questlog::kafka
