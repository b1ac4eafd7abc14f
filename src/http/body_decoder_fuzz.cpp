// Bodies as strangers zip them. Whatever comes, the result is within its limits, readable beyond its end, and the same
// again; the first byte chooses the coding.
#include "http/body_decoder.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace questlog::http;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// "=" and the plain text, or the refusal.
std::string read(BodyDecoder& decoder, ContentCoding coding, std::string_view body, BodyDecoder::Limits limits) {
    std::string_view plain;
    if (const auto refusal = decoder.decode(coding, body, plain)) {
        require(refusal->status == 413 || refusal->status == 400, "a refusal says whose fault it is");
        require(!refusal->text.empty(), "a refusal says why");
        return std::to_string(refusal->status) + refusal->text;
    }
    require(plain.size() <= limits.bytes_max, "the body is within its limit");
    require(plain.size() <= body.size() * limits.ratio_max, "the body is within its ratio");
    if (body.empty()) return "=";                              // itself, with whatever stands behind it
    const std::string padded(plain.data(), plain.size() + 64); // readable: the sanitizer watches
    return "=" + padded.substr(0, plain.size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr BodyDecoder::Limits wide{1 << 20, 100};
    constexpr BodyDecoder::Limits narrow{1 << 10, 20};
    static BodyDecoder used(wide);
    static BodyDecoder tight(narrow);
    if (size == 0) return 0;
    const ContentCoding coding = data[0] % 2 == 0 ? ContentCoding::gzip : ContentCoding::zstd;
    const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1); // a copy: its bounds are watched
    const std::string once = read(used, coding, body, wide);
    BodyDecoder fresh(wide);
    require(read(fresh, coding, body, wide) == once, "what came before makes no difference");
    const std::string narrowly = read(tight, coding, body, narrow);
    require(narrowly == once || narrowly[0] != '=', "a narrower limit refuses, and changes nothing");
    return 0;
}
