#include "hdfs/new_file.h"

#include <algorithm>

namespace questlog::hdfs {
namespace {

Result<std::size_t> copy_out(const std::string& bytes, std::int64_t position, std::span<std::byte> into) {
    const auto at = static_cast<std::size_t>(std::max<std::int64_t>(0, position));
    if (at >= bytes.size()) return std::size_t{0};
    const std::size_t count = std::min(into.size(), bytes.size() - at);
    std::copy_n(std::as_bytes(std::span(bytes)).begin() + static_cast<std::ptrdiff_t>(at), count, into.begin());
    return count;
}

Error unchanging(const std::string& what) {
    return internal("{} on HDFS is not changed in its place", what);
}

} // namespace

Result<std::size_t> NewFile::read_at(std::int64_t position, std::span<std::byte> into) {
    return copy_out(bytes_, position, into);
}

Status NewFile::write_at(std::int64_t position, std::span<const std::byte> bytes) {
    if (is_sent_) return unchanging(path_);
    const auto at = static_cast<std::size_t>(position);
    if (bytes_.size() < at + bytes.size()) bytes_.resize(at + bytes.size());
    std::copy(bytes.begin(), bytes.end(), std::as_writable_bytes(std::span(bytes_)).begin() + position);
    return {};
}

Status NewFile::truncate(std::int64_t size) {
    if (is_sent_) return unchanging(path_);
    bytes_.resize(static_cast<std::size_t>(size));
    return {};
}

Status NewFile::sync_data() {
    if (is_sent_) return {};
    CHECK_OK(files_.leases_.check());
    files_.forget(path_);
    if (must_be_new_) {
        TRY(made, files_.client_.create(path_, Body::of(bytes_)));
        if (!made.file && !made.may_be_a_rest) return reject("{} is there already", files_.name_of(path_));
        if (!made.file) CHECK_OK(files_.client_.upload(path_, Body::of(bytes_)));
    } else {
        CHECK_OK(files_.client_.upload(path_, Body::of(bytes_)));
    }
    is_sent_ = true;
    return {};
}

Result<std::string> NewFile::spilled() {
    TRY(copy, files_.cache_.hold(bytes_));
    spilled_ = std::move(copy);
    return spilled_->path();
}

Result<std::size_t> PlacedFile::read_at(std::int64_t position, std::span<std::byte> into) {
    TRY(copy, files_.cached(path_));
    return copy->read_at(position, into);
}

Status PlacedFile::write_at(std::int64_t, std::span<const std::byte>) {
    return unchanging(path_);
}
Status PlacedFile::truncate(std::int64_t) {
    return unchanging(path_);
}

Result<std::int64_t> PlacedFile::size() {
    TRY(found, files_.client_.status(path_));
    if (!found) return files_.missing("look at", path_);
    return found->length;
}

Result<std::size_t> TextFile::read_at(std::int64_t position, std::span<std::byte> into) {
    return copy_out(bytes_, position, into);
}

Status TextFile::write_at(std::int64_t, std::span<const std::byte>) {
    return unchanging("a file that is read");
}
Status TextFile::truncate(std::int64_t) {
    return unchanging("a file that is read");
}

} // namespace questlog::hdfs
