#pragma once

#include "http/answer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace questlog::http {

/// Commits are numbered from 1, in the order they are started. 0: none.
using CommitNumber = std::uint64_t;

/// By Resolution::hold.
using Resolutions = std::unordered_map<std::uint64_t, const Resolution*>;

/// The answers of one connection that are not sent yet, in the order of their requests. Each waits for a commit or for
/// none; one is sendable when neither it nor any before it waits. Its memory is reused; without delays it never grows.
class AnswerQueue {
public:
    /// One request's answer, or an interim one.
    struct Entry {
        CommitNumber commit = 0; ///< What it waits for,
        std::uint64_t hold = 0;  ///< and what has to be resolved besides; 0: nothing.
        std::size_t bytes = 0;
        Framing framing = {};
        unsigned status = 0; ///< 0: interim, not to be logged.
        int version = 11;
        std::uint32_t method_bytes = 0; ///< In names_, where logged.
        std::uint32_t target_bytes = 0;
    };

    /// Where to write the next answer; add() must follow.
    [[nodiscard]] std::string& bytes() { return bytes_; }
    /// The bytes appended to bytes() since the last add() are `entry`'s answer. Names are kept for `answered` only
    /// where `log`.
    void add(Entry entry, const Request& request, bool log);

    /// Every commit up to `done` is done. The answers that waited for `failed` (0: none) become `failure`.
    void release(CommitNumber done, CommitNumber failed, const Response& failure, const AnswerWriter& writer);

    /// The answers that these name are held no longer, and may be others now. release() is due then.
    void resolve(const Resolutions& resolutions, const AnswerWriter& writer);

    [[nodiscard]] std::string_view sendable() const;
    /// The first `count` sendable bytes are with the kernel. Calls answered(method, target, version, status) for every
    /// answer that is whole by that, where `log`.
    template <class Answered> void sent(std::size_t count, bool log, Answered&& answered) {
        sent_bytes_ += count;
        released_bytes_ -= count;
        while (first_ < released_ && entry_sent(count)) {
            const Entry& entry = entries_[first_++];
            if (!log) continue;
            const std::string_view names = std::string_view(names_).substr(names_sent_);
            names_sent_ += entry.method_bytes + entry.target_bytes;
            if (entry.status != 0)
                answered(names.substr(0, entry.method_bytes), names.substr(entry.method_bytes, entry.target_bytes),
                         entry.version, entry.status);
        }
        forget_sent();
    }

    [[nodiscard]] bool empty() const { return first_ == entries_.size(); }
    [[nodiscard]] std::size_t size() const { return entries_.size() - first_; }
    [[nodiscard]] std::size_t unsent_bytes() const { return bytes_.size() - sent_bytes_; }
    [[nodiscard]] bool waits() const { return released_ < entries_.size(); }
    /// The first that waits does so for a commit after `done`; else it is held.
    [[nodiscard]] bool waits_for_commit(CommitNumber done) const {
        return waits() && entries_[released_].commit > done;
    }
    void clear();  ///< Forgets everything; keeps the memory.
    void shrink(); ///< Gives a large memory back. Only while empty().

private:
    [[nodiscard]] bool entry_sent(std::size_t& count);
    void forget_sent();
    /// `instead(entry)` is what the waiting entry becomes; null: it stays.
    template <class Instead> void rewrite(std::size_t first, const AnswerWriter& writer, Instead&& instead);

    std::string bytes_;
    std::string names_;
    std::vector<Entry> entries_;
    std::size_t first_ = 0;            ///< Of entries_, not wholly sent.
    std::size_t released_ = 0;         ///< Of entries_, the first that waits.
    std::size_t added_bytes_ = 0;      ///< Of bytes_, that belong to entries_.
    std::size_t sent_bytes_ = 0;       ///< Of bytes_.
    std::size_t released_bytes_ = 0;   ///< Of bytes_, after the sent ones.
    std::size_t entry_sent_bytes_ = 0; ///< Of the first entry.
    std::size_t names_sent_ = 0;
};

} // namespace questlog::http
