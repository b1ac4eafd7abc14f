#pragma once

#include "log/event_log.h"
#include "log/record_batch.h"
#include "scan/table.h"

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// A log in memory for the tests of scan/. Fetched records lie in a buffer of their own that the next fetch replaces,
/// so that a view kept too long is found by the sanitizers.
namespace questlog::scan::testing {

inline constexpr std::size_t padding = 64;

struct FakeBatch {
    log::BatchHeader header;
    std::vector<std::byte> bytes; ///< Of the records, and padding.
    std::size_t size = 0;
};

class FakePartition final : public log::PartitionReader {
public:
    explicit FakePartition(Partition partition) : partition_(partition) {}

    /// Appends one batch; the events' timestamps are first_ms, first_ms + 1 ...
    void append(const std::vector<std::string>& values, std::int64_t first_ms = 1'795'384'733'873) {
        std::vector<std::pair<std::string, std::string>> without_ids;
        for (const std::string& value : values) without_ids.emplace_back("", value);
        append_with_ids(without_ids, first_ms);
    }
    /// Offsets that have no records, as in a cluster.
    void skip(std::int64_t offsets) { end_ = end_.plus(offsets); }
    /// The same of events with message ids, "" for none.
    void append_with_ids(const std::vector<std::pair<std::string, std::string>>& ids_and_values,
                         std::int64_t first_ms = 1'795'384'733'873) {
        log::BatchBuilder builder;
        builder.begin(end_);
        for (std::size_t i = 0; i < ids_and_values.size(); ++i) {
            const auto& [id, value] = ids_and_values[i];
            const log::RecordHeader header{"message_id", id};
            builder.add(TimestampMs{first_ms + static_cast<std::int64_t>(i)}, value, std::nullopt,
                        {&header, id.empty() ? 0U : 1U});
        }
        const auto sealed = builder.seal();
        FakeBatch batch;
        batch.header = log::parse_batch_header(sealed).value();
        const auto records = sealed.subspan(log::batch_header_bytes);
        batch.bytes.assign(records.begin(), records.end());
        batch.size = records.size();
        batch.bytes.resize(batch.size + padding, std::byte{'"'}); // what follows is never a part of the value
        end_ = batch.header.end_offset();
        batches_.push_back(std::move(batch));
    }

    [[nodiscard]] Partition partition() const override { return partition_; }
    Result<Offset> start_offset() override { return start; }
    Result<Offset> end_offset() override { return end_; }
    Result<std::int64_t> bytes() override { return std::int64_t{0}; }
    Result<std::int64_t> bytes_below(Offset) override { return std::int64_t{0}; }

    Result<std::unique_ptr<log::BatchCursor>> read(Offset from, Offset to) override {
        if (to > end_) return internal("read to {} beyond the end {}", to, end_);
        return std::unique_ptr<log::BatchCursor>(std::make_unique<Cursor>(*this, from, to));
    }
    Result<std::unique_ptr<log::RecordFetcher>> fetcher() override {
        return std::unique_ptr<log::RecordFetcher>(std::make_unique<Fetcher>(*this));
    }

    Offset start;                 ///< What lies before has expired.
    std::int64_t fetched = 0;     ///< Records, by all fetchers.
    std::int64_t damaged_at = -1; ///< Offset of a batch that does not read.

private:
    class Cursor final : public log::BatchCursor {
    public:
        Cursor(FakePartition& of, Offset from, Offset to) : of_(of), from_(from), to_(to) {}
        Result<bool> next(log::Batch& batch) override {
            while (at_ < of_.batches_.size() && of_.batches_[at_].header.end_offset() <= from_) ++at_;
            if (at_ == of_.batches_.size() || of_.batches_[at_].header.base_offset >= to_) return false;
            const FakeBatch& found = of_.batches_[at_];
            if (found.header.base_offset.value == of_.damaged_at) return corrupt("segment {} is damaged", at_);
            batch.header = found.header;
            batch.segment = static_cast<std::int32_t>(at_++);
            batch.records_at = records_at;
            batch.records = std::span(found.bytes).first(found.size);
            return true;
        }

    private:
        FakePartition& of_;
        Offset from_;
        Offset to_;
        std::size_t at_ = 0;
    };

    class Fetcher final : public log::RecordFetcher {
    public:
        explicit Fetcher(FakePartition& of) : of_(of) {}
        Result<log::Record> fetch(const log::BatchAddress& address, std::uint32_t position) override {
            ++of_.fetched;
            const FakeBatch& batch = of_.batches_.at(static_cast<std::size_t>(address.segment));
            const auto [base_offset, base_timestamp] = std::pair(address.base_offset, address.base_timestamp);
            if (address.records_at != records_at || base_offset != batch.header.base_offset ||
                base_timestamp != batch.header.base_timestamp)
                return internal("no such batch");
            const auto rest = std::span(batch.bytes).subspan(position);
            std::size_t used = 0;
            CHECK_OK(log::parse_record(base_offset, base_timestamp, rest, used));
            std::vector<std::byte> copy(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(used + padding));
            copied_.swap(copy);
            return log::parse_record(base_offset, base_timestamp, copied_, used);
        }

    private:
        FakePartition& of_;
        std::vector<std::byte> copied_;
    };

    static constexpr std::int64_t records_at = 4711;
    Partition partition_;
    Offset end_{0};
    std::vector<FakeBatch> batches_;
};

class FakeLog final : public log::LogReader {
public:
    explicit FakeLog(std::int32_t partitions = 1, std::string name = "game-events") {
        topic_.name = std::move(name);
        topic_.partitions = partitions;
        for (std::int32_t i = 0; i < partitions; ++i)
            partitions_.push_back(std::make_unique<FakePartition>(Partition{i}));
    }
    [[nodiscard]] const log::Topic& topic() const override { return topic_; }
    FakePartition& partition(Partition partition) override {
        return *partitions_.at(static_cast<std::size_t>(partition.value));
    }
    Result<bool> wait_beyond(std::span<const Offset>, std::chrono::milliseconds) override { return false; }

    /// All that is there.
    [[nodiscard]] LogRange all() {
        LogRange range;
        for (const auto& partition : partitions_)
            range.push_back({partition->partition(), Offset{0}, partition->end_offset().value()});
        return range;
    }

private:
    log::Topic topic_;
    std::vector<std::unique_ptr<FakePartition>> partitions_;
};

} // namespace questlog::scan::testing
