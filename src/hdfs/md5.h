#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

struct evp_md_ctx_st; // OpenSSL's EVP_MD_CTX

namespace questlog::hdfs {

/// MD5 (RFC 1321) by OpenSSL, which HDFS's checksums of files are made of. It guards against accidents, not against
/// anyone.
class Md5 {
public:
    using Digest = std::array<std::byte, 16>;

    Md5();

    void add(std::span<const std::byte> bytes);
    [[nodiscard]] Digest finish(); ///< Once.

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

} // namespace questlog::hdfs
