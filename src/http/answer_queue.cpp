#include "http/answer_queue.h"

namespace questlog::http {
namespace {

constexpr std::size_t memory_kept_max = 16 * 1024;

} // namespace

void AnswerQueue::add(Entry entry, const Request& request, bool log) {
    entry.bytes = bytes_.size() - added_bytes_;
    added_bytes_ = bytes_.size();
    if (log) {
        entry.method_bytes = static_cast<std::uint32_t>(request.method_text.size());
        entry.target_bytes = static_cast<std::uint32_t>(request.target.size());
        names_.append(request.method_text).append(request.target);
    }
    entries_.push_back(entry);
}

void AnswerQueue::release(CommitNumber done, CommitNumber failed, const Response& failure, const AnswerWriter& writer) {
    if (failed != 0) {
        std::size_t first = released_;
        while (first < entries_.size() && entries_[first].commit != failed) ++first;
        if (first < entries_.size())
            rewrite(first, writer, [&](Entry& entry) { return entry.commit == failed ? &failure : nullptr; });
    }
    for (; released_ < entries_.size() && entries_[released_].commit <= done && entries_[released_].hold == 0;
         ++released_)
        released_bytes_ += entries_[released_].bytes;
}

void AnswerQueue::resolve(const Resolutions& resolutions, const AnswerWriter& writer) {
    std::size_t changed = entries_.size();
    for (std::size_t i = entries_.size(); i-- > released_;) {
        Entry& entry = entries_[i];
        const auto found = entry.hold == 0 ? resolutions.end() : resolutions.find(entry.hold);
        if (found == resolutions.end()) continue;
        if (found->second->status == 0)
            entry.hold = 0;
        else
            changed = i;
    }
    if (changed == entries_.size()) return;
    Response response;
    response.content_type = "application/json";
    rewrite(changed, writer, [&](const Entry& entry) -> const Response* {
        const auto found = entry.hold == 0 ? resolutions.end() : resolutions.find(entry.hold);
        if (found == resolutions.end()) return nullptr;
        response.status = found->second->status;
        response.body = found->second->body;
        return &response;
    });
}

/// Writes waiting answers anew, from the `first` on. It is rarely done. What is written anew is held no longer.
template <class Instead> void AnswerQueue::rewrite(std::size_t first, const AnswerWriter& writer, Instead&& instead) {
    std::size_t position = sent_bytes_ + released_bytes_;
    for (std::size_t i = released_; i < first; ++i) position += entries_[i].bytes;
    const std::string waiting = bytes_.substr(position);
    bytes_.resize(position);
    position = 0;
    for (std::size_t i = first; i < entries_.size(); ++i) {
        Entry& entry = entries_[i];
        const std::size_t old_bytes = entry.bytes;
        if (const Response* response = instead(entry)) {
            const std::size_t before = bytes_.size();
            writer.append(bytes_, *response, entry.framing);
            entry.bytes = bytes_.size() - before;
            entry.status = response->status;
            entry.hold = 0;
        } else {
            bytes_.append(waiting, position, old_bytes);
        }
        position += old_bytes;
    }
    added_bytes_ = bytes_.size();
}

std::string_view AnswerQueue::sendable() const {
    return std::string_view(bytes_).substr(sent_bytes_, released_bytes_);
}

/// Whether the first entry is wholly covered by what was sent, of which `count` is not accounted for yet.
bool AnswerQueue::entry_sent(std::size_t& count) {
    const std::size_t left = entries_[first_].bytes - entry_sent_bytes_;
    if (count < left) {
        entry_sent_bytes_ += count;
        count = 0;
        return false;
    }
    count -= left;
    entry_sent_bytes_ = 0;
    return true;
}

void AnswerQueue::forget_sent() {
    if (empty()) return clear();
    // Amortised: what is moved is never more than what was sent since the last time.
    if (sent_bytes_ < unsent_bytes() || sent_bytes_ < memory_kept_max) return;
    bytes_.erase(0, sent_bytes_);
    added_bytes_ -= sent_bytes_;
    sent_bytes_ = 0;
    names_.erase(0, names_sent_);
    names_sent_ = 0;
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
    released_ -= first_;
    first_ = 0;
}

void AnswerQueue::clear() {
    bytes_.clear();
    names_.clear();
    entries_.clear();
    first_ = released_ = added_bytes_ = sent_bytes_ = released_bytes_ = entry_sent_bytes_ = names_sent_ = 0;
}

void AnswerQueue::shrink() {
    if (!empty()) return;
    if (bytes_.capacity() > memory_kept_max) std::string().swap(bytes_);
    if (names_.capacity() > memory_kept_max) std::string().swap(names_);
    if (entries_.capacity() * sizeof(Entry) > memory_kept_max) std::vector<Entry>().swap(entries_);
}

} // namespace questlog::http
