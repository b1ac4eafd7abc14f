#include "io/sparse_bytes.h"

#include <algorithm>
#include <cstring>

namespace questlog::io {

SparseBytes::Page& SparseBytes::writable_page(std::int64_t number) {
    auto& page = pages_[static_cast<std::size_t>(number)];
    if (!page)
        page = std::make_shared<Page>();
    else if (page.use_count() > 1)
        page = std::make_shared<Page>(*page);
    return *page;
}

void SparseBytes::resize(std::int64_t size) {
    if (size < size_) {
        const std::int64_t kept = std::min((size + page_bytes - 1) / page_bytes * page_bytes, size_);
        size_ = kept;
        write_zeros(size, kept - size);
    }
    size_ = size;
    pages_.resize(static_cast<std::size_t>((size + page_bytes - 1) / page_bytes));
}

void SparseBytes::write(std::int64_t position, std::span<const std::byte> bytes) {
    const auto end = position + static_cast<std::int64_t>(bytes.size());
    if (end > size_) resize(end);
    while (!bytes.empty()) {
        const auto in_page = position % page_bytes;
        const auto part = std::min(bytes.size(), static_cast<std::size_t>(page_bytes - in_page));
        std::memcpy(writable_page(position / page_bytes).data() + in_page, bytes.data(), part);
        position += static_cast<std::int64_t>(part);
        bytes = bytes.subspan(part);
    }
}

void SparseBytes::write_zeros(std::int64_t position, std::int64_t count) {
    if (count <= 0) return;
    if (position + count > size_) resize(position + count);
    while (count > 0) {
        const auto in_page = position % page_bytes;
        const auto part = std::min(count, page_bytes - in_page);
        auto& page = pages_[static_cast<std::size_t>(position / page_bytes)];
        if (part == page_bytes)
            page = nullptr;
        else if (page)
            std::memset(writable_page(position / page_bytes).data() + in_page, 0, static_cast<std::size_t>(part));
        position += part;
        count -= part;
    }
}

std::size_t SparseBytes::read(std::int64_t position, std::span<std::byte> into) const {
    if (position >= size_) return 0;
    const auto total = std::min(into.size(), static_cast<std::size_t>(size_ - position));
    for (std::size_t done = 0; done < total;) {
        const auto at = position + static_cast<std::int64_t>(done);
        const auto in_page = at % page_bytes;
        const auto part = std::min(total - done, static_cast<std::size_t>(page_bytes - in_page));
        const auto& page = pages_[static_cast<std::size_t>(at / page_bytes)];
        if (page)
            std::memcpy(into.data() + done, page->data() + in_page, part);
        else
            std::memset(into.data() + done, 0, part);
        done += part;
    }
    return total;
}

void SparseBytes::flip(std::int64_t position, unsigned bit) {
    if (position >= size_) return;
    writable_page(position / page_bytes)[static_cast<std::size_t>(position % page_bytes)] ^= std::byte{1} << bit;
}

} // namespace questlog::io
