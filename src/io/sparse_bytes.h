#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace questlog::io {

/// The bytes of a simulated file. Pages that were never written are zeros without memory, and copies share their pages,
/// so that a log filled ahead with zeros costs little.
class SparseBytes {
public:
    [[nodiscard]] std::int64_t size() const { return size_; }
    /// Grows with zeros, or cuts; what lies beyond a cut is zero if the size grows again.
    void resize(std::int64_t size);
    /// Grows the file if need be.
    void write(std::int64_t position, std::span<const std::byte> bytes);
    void write_zeros(std::int64_t position, std::int64_t count);
    /// Bytes read; fewer than asked for only at the end.
    [[nodiscard]] std::size_t read(std::int64_t position, std::span<std::byte> into) const;
    void flip(std::int64_t position, unsigned bit);

private:
    static constexpr std::int64_t page_bytes = 4096;
    using Page = std::array<std::byte, page_bytes>;

    Page& writable_page(std::int64_t number);

    std::vector<std::shared_ptr<Page>> pages_; ///< Null: zeros.
    std::int64_t size_ = 0;
};

} // namespace questlog::io
