#pragma once

#include "log/event_log.h"

#include <memory>
#include <optional>
#include <utility>

namespace questlog::kafka {

/// The events of one partition of a log in order, as they become visible. One thread.
class LogFeed {
public:
    LogFeed(log::PartitionReader& reader, Offset next) : reader_(reader), next_(next) {}

    /// The first event that was not taken; null: there is none yet. Valid until the next call. What it gives survives a
    /// power cut.
    Result<const log::Record*> peek();
    void take() {
        next_ = record_->offset.plus(1);
        record_.reset();
    }
    /// Told of events that expired before they were taken. Asking forgets.
    [[nodiscard]] std::optional<OffsetSpan> expired() { return std::exchange(expired_, std::nullopt); }

private:
    Result<bool> open();
    Result<bool> next_record();

    log::PartitionReader& reader_;
    Offset next_;
    Offset end_; ///< Of what batches_ was opened for.
    std::unique_ptr<log::BatchCursor> batches_;
    log::Batch batch_;
    std::optional<log::RecordCursor> records_;
    std::optional<log::Record> record_;
    std::optional<OffsetSpan> expired_;
};

} // namespace questlog::kafka
