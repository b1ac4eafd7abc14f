#include "hdfs/md5.h"

#include <new>
#include <openssl/evp.h>

namespace questlog::hdfs {
namespace {

/// Also where the machine allows no MD5 for what is to be secret.
const EVP_MD* algorithm() {
    static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", "-fips");
    return md5;
}

void check(bool done) {
    if (!done) throw std::bad_alloc(); // nothing else can fail here
}

} // namespace

void Md5::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Md5::Md5() : context_(EVP_MD_CTX_new()) {
    check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), algorithm(), nullptr) == 1);
}

void Md5::add(std::span<const std::byte> bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Md5::Digest Md5::finish() {
    Digest digest{};
    check(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
    return digest;
}

} // namespace questlog::hdfs
