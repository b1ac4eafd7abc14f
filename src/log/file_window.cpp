#include "log/file_window.h"

#include <algorithm>

namespace questlog::log {

void FileWindow::attach(std::shared_ptr<io::File> file) {
    file_ = std::move(file);
    forget();
}

Result<std::span<const std::byte>> FileWindow::at(std::int64_t position, std::size_t need) {
    if (!holds(position, need)) {
        const std::size_t wanted = std::max(window_bytes_, need);
        if (buffer_.size() < wanted + slack_bytes || buffer_.size() > 4 * (wanted + slack_bytes)) {
            buffer_.resize(wanted + slack_bytes);
            buffer_.shrink_to_fit();
        }
        held_ = 0;
        TRY(got, file_->read_at(position, std::span(buffer_).first(wanted)));
        start_ = position;
        held_ = static_cast<std::int64_t>(got);
    }
    return std::span<const std::byte>(buffer_.data() + (position - start_),
                                      static_cast<std::size_t>(start_ + held_ - position));
}

} // namespace questlog::log
