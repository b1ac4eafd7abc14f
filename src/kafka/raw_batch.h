#pragma once

#include "base/big_endian.h"
#include "kafka/mock_cluster.h"
#include "kafka/origin.h"
#include "log/batch_codec.h"
#include "log/record_batch.h"

#include <arpa/inet.h>
#include <charconv>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

/// For tests: batches as compaction and transactions leave them behind, which no producer makes, put into a mock
/// cluster by a Produce request of our own.
namespace questlog::kafka {

class RawBatch {
public:
    RawBatch() { builder_.begin(Offset{0}); }

    RawBatch& gap(std::int64_t offsets) {
        builder_.skip_to(builder_.next_offset().plus(offsets));
        return *this;
    }
    RawBatch& record(std::string_view value, std::string_view origin = {}) {
        std::vector<log::RecordHeader> headers;
        if (builder_.empty()) headers.push_back({"filler", filler_});
        if (!origin.empty()) headers.push_back({origin_header, origin});
        builder_.add(TimestampMs{1'795'384'733'873}, value, std::nullopt, headers);
        return *this;
    }
    /// Of transactions: what no consumer gives.
    RawBatch& marker() {
        is_control_ = true;
        builder_.add(TimestampMs{1'795'384'733'873}, filler_, std::string_view("\0\0\0\1", 4));
        return *this;
    }

    /// Every offset that it spans is in the partition then, whether it has a record or not. It must have one at least.
    void put(const MockCluster& cluster, const std::string& topic) {
        const auto sealed = builder_.seal();
        std::vector<std::byte> batch(sealed.begin(), sealed.end());
        const auto offsets = static_cast<std::int32_t>(builder_.next_offset().value);
        // The mock counts offsets by the records that the header tells of, and believes it where these are compressed.
        log::BatchCompressor compressor(Compression::zstd);
        const auto compressed = compressor.compress(log::parse_batch_header(batch).value(), batch);
        batch.assign(compressed.begin(), compressed.end());
        store_big_endian(batch.data() + count_at, offsets);
        if (is_control_) batch[attributes_at + 1] |= std::byte{0x20};
        log::reseal_batch(batch, log::Codec::zstd);
        send(cluster.settings().bootstrap, topic, batch);
    }

private:
    static constexpr std::size_t attributes_at = 21;
    static constexpr std::size_t count_at = 57;

    class Request {
    public:
        template <class Integer> Request& add(Integer value) {
            bytes_.resize(bytes_.size() + sizeof value);
            store_big_endian(bytes_.data() + bytes_.size() - sizeof value, value);
            return *this;
        }
        Request& add(std::string_view text) {
            add(static_cast<std::int16_t>(text.size()));
            const auto bytes = std::as_bytes(std::span(text));
            bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
            return *this;
        }
        Request& add(std::span<const std::byte> bytes) {
            add(static_cast<std::int32_t>(bytes.size()));
            bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
            return *this;
        }
        [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

    private:
        std::vector<std::byte> bytes_;
    };

    /// Produce, version 3: to partition 0.
    static void send(const std::string& broker, const std::string& topic, std::span<const std::byte> batch) {
        Request body;
        body.add(std::int16_t{0}).add(std::int16_t{3}).add(std::int32_t{1}).add(std::string_view("test"));
        body.add(std::int16_t{-1}).add(std::int16_t{-1}).add(std::int32_t{10'000});
        body.add(std::int32_t{1}).add(std::string_view(topic)).add(std::int32_t{1}).add(std::int32_t{0}).add(batch);
        Request request;
        request.add(body.bytes());
        const int connection = connect_to(broker);
        write_all(connection, request.bytes());
        std::array<std::byte, 4> size{};
        read_all(connection, size);
        std::vector<std::byte> answer(static_cast<std::size_t>(load_big_endian<std::int32_t>(size.data())));
        read_all(connection, answer);
        ::close(connection);
        // Its number, one topic and its name, one partition and its number; then what came of it.
        const std::size_t error_at = 4 + 4 + 2 + topic.size() + 4 + 4;
        ASSERT_GE(answer.size(), error_at + 2);
        EXPECT_EQ(load_big_endian<std::int16_t>(answer.data() + error_at), 0) << "the mock does not take the batch";
    }

    static int connect_to(const std::string& broker) {
        const auto colon = broker.rfind(':');
        std::uint16_t port = 0;
        std::from_chars(broker.data() + colon + 1, broker.data() + broker.size(), port);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        return connection;
    }
    static void write_all(int connection, std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            ASSERT_GT(sent, 0);
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
    }
    static void read_all(int connection, std::span<std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t got = ::recv(connection, bytes.data(), bytes.size(), 0);
            ASSERT_GT(got, 0) << "the mock hangs up";
            bytes = bytes.subspan(static_cast<std::size_t>(got));
        }
    }

    std::string filler_ = std::string(500, '.'); ///< So that compression makes it shorter.
    log::BatchBuilder builder_;
    bool is_control_ = false;
};

} // namespace questlog::kafka
